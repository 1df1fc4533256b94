import pytest

from rmq.app.store import (
    delay_levels_ms,
    delete_hours,
    local_offset_ms,
    memory_size,
    store_settings,
)
from rmq.base.errors import ConfigError
from rmq.conf.store import MessageStoreConfig

HOST = b"\x0a\0\0\x02\0\0\x2a\x9f"


def test_delays_are_read_in_their_units():
    assert delay_levels_ms("1s  2m 3h 4d") == (1_000, 120_000, 10_800_000, 345_600_000)


@pytest.mark.parametrize("text", ["1", "s", "1w", "-1s", "1.5s", "\u0661s"])
def test_text_that_is_no_delay_is_refused(text):
    with pytest.raises(ConfigError, match="is no delay"):
        delay_levels_ms(f"1s {text}")


@pytest.mark.parametrize(
    ("text", "hours"), [("04", (4,)), (" 00; 23 ;", (0, 23)), ("", ()), (";", ())]
)
def test_hours_are_joined_by_semicolons(text, hours):
    assert delete_hours(text) == hours


@pytest.mark.parametrize("text", ["24", "-1", "4h", "04,05"])
def test_text_that_is_no_hour_is_refused(text):
    with pytest.raises(ConfigError, match="expected hours from 00 to 23"):
        delete_hours(text)


def test_local_time_is_within_a_day_of_utc():
    assert abs(local_offset_ms(1_700_000_000_000)) <= 14 * 3_600_000
    assert local_offset_ms(1_700_000_000_000) % 60_000 == 0


def test_machine_has_some_memory():
    assert memory_size() > 1 << 20


def test_java_defaults_make_javas_store():
    made = store_settings(MessageStoreConfig(storePathRootDir="/store"), HOST)

    assert (made.root, made.store_host) == ("/store", HOST)
    assert made.commit_log_file_size == 1 << 30
    assert made.consume_queue_file_size == 6_000_000
    assert made.message_size_max == 4 << 20
    assert len(made.delay_levels_ms) == 18
    assert made.delete_hours == (4,)
    assert made.reserved_ms == 72 * 3_600_000
    assert (made.used_share_delete, made.used_share_force, made.used_share_full) == (
        0.75,
        0.85,
        0.90,
    )


def test_queue_files_hold_whole_units():
    config = MessageStoreConfig(mappedFileSizeConsumeQueue=101)

    assert store_settings(config, HOST).consume_queue_file_size == 120


@pytest.mark.parametrize(("ratio", "share"), [(5, 0.10), (99, 0.95)])
def test_share_at_which_files_are_deleted_has_bounds(ratio, share):
    config = MessageStoreConfig(diskMaxUsedSpaceRatio=ratio)

    assert store_settings(config, HOST).used_share_delete == share


@pytest.mark.parametrize("text", ["", "  "])
def test_no_delay_level_at_all_is_refused(text):
    with pytest.raises(ConfigError, match="messageDelayLevel is empty"):
        delay_levels_ms(text)
