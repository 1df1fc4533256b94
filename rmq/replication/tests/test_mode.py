import pytest

from rmq.base.manual import ManualClock
from rmq.replication.classic import Classic
from rmq.replication.mode import MasterState, Replication, SlaveState
from rmq.replication.serving import HaSettings
from rmq.store.tests.stores import a_disk, opened


def test_a_mode_offers_what_brokers_ask_of_any():
    asked = {name for name in vars(Replication) if not name.startswith("_")}
    classic = Classic(opened(a_disk()), lambda *_: None, ManualClock(), HaSettings())

    assert {name for name in asked if not hasattr(classic, name)} == set()


@pytest.mark.parametrize(
    "state",
    [
        SlaveState("10.0.0.1:1", 1, 2, 3, True, 4),
        MasterState("10.0.0.1:1", 1, 2, 3, is_connected=True),
    ],
)
def test_what_operators_see_does_not_change_under_their_eyes(state):
    with pytest.raises(AttributeError):
        state.rate = 7
