from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies

from rmq.store.local_time import file_stamp, hour_of_day

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(strategies.integers(0, 200 * 366 * 86_400_000))
def test_stamp_and_hour_are_those_of_the_calendar(local_ms: int) -> None:
    moment = EPOCH + timedelta(milliseconds=local_ms)

    assert file_stamp(local_ms) == f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}"
    assert hour_of_day(local_ms) == moment.hour
