import pytest

from rmq.base.errors import ConfigError
from rmq.dledger.settings import LedgerSettings, parse_peers, utc


def test_peers_are_addresses_by_id():
    assert parse_peers("n0-host:40911; n1-my-host:40912;") == {
        "n0": "host:40911",
        "n1": "my-host:40912",
    }


@pytest.mark.parametrize(
    "peers", ["", "n0", "n0-host", "n0-host:x", "-host:1", "n0-:1", "n0-a:1;n0-b:1"]
)
def test_other_peers_are_refused(peers):
    with pytest.raises(ConfigError, match="peer"):
        parse_peers(peers)


@pytest.mark.parametrize(("force", "full"), [(0.85, 0.90), (0.94, 0.95)])
def test_a_disk_counts_as_full_somewhat_above_cleaning(force, full):
    settings = LedgerSettings(folder="/f", share_to_force_clean=force)

    assert settings.full_share == pytest.approx(full)


def test_local_time_is_utc_unless_told():
    assert utc(1_700_000_000_000) == 0
