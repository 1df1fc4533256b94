from rmq.store.settings import DELAY_LEVELS_MS, StoreSettings, utc


def test_delay_levels_are_rocketmqs_eighteen() -> None:
    minutes = [60_000 * m for m in (*range(1, 11), 20, 30, 60, 120)]

    assert list(DELAY_LEVELS_MS) == [1000, 5000, 10_000, 30_000, *minutes]


def test_local_time_is_utc_if_nothing_else_is_said() -> None:
    assert StoreSettings(root="/").local_offset_ms is utc
    assert utc(123) == 0
