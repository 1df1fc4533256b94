from calendar import monthrange, timegm

from hypothesis import given, strategies

from rmq.store.local_time import file_stamp, hour_of_day


@given(
    strategies.tuples(strategies.integers(1970, 2400), strategies.integers(1, 12)),
    strategies.integers(1, 31),
    strategies.integers(0, 86_399_999),
)
def test_stamp_and_hour_are_those_of_the_calendar(
    month: tuple[int, int], day: int, ms_of_day: int
) -> None:
    day = min(day, monthrange(*month)[1])
    seconds, ms = divmod(ms_of_day, 1000)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60

    local_ms = timegm((*month, day, hour, minute, second)) * 1000 + ms

    assert file_stamp(local_ms) == (
        f"{month[0]:04d}{month[1]:02d}{day:02d}{hour:02d}{minute:02d}{second:02d}{ms:03d}"
    )
    assert hour_of_day(local_ms) == hour
