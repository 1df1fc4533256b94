from datetime import UTC, datetime

import pytest

from codec.message.ids import parse_unique_key
from rmq.base.manual import ManualClock
from rmq.broker.unique_keys import UniqueKeys

IP = bytes([10, 0, 0, 2])


def at(*date):
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1000


def test_key_says_who_made_it_and_when_in_the_month():
    clock = ManualClock(wall_ms=at(2024, 3, 1) + 1234)
    new_key = UniqueKeys(clock, IP, 0x12345, 0xCAFEBABE)

    key = parse_unique_key(new_key())

    assert key.ip == IP
    assert key.pid == 0x2345
    assert key.class_loader_hash & 0xFFFFFFFF == 0xCAFEBABE
    assert key.month_elapsed_ms == 1234


def test_keys_of_one_millisecond_differ():
    new_key = UniqueKeys(ManualClock(), IP, 1, 0)

    assert len({new_key() for _ in range(0x10000)}) == 0x10000


@pytest.mark.parametrize(("ip", "length"), [(IP, 32), (bytes(16), 56)])
def test_key_is_as_long_as_its_address_makes_it(ip, length):
    assert len(UniqueKeys(ManualClock(), ip, 1, 0)()) == length


def test_next_month_counts_anew():
    clock = ManualClock(wall_ms=at(2023, 12, 31))
    new_key = UniqueKeys(clock, IP, 1, 0)
    new_key()

    clock.advance(24 * 3_600_000)

    assert parse_unique_key(new_key()).month_elapsed_ms == 0


def test_clock_that_goes_back_to_last_month_counts_from_that():
    clock = ManualClock(wall_ms=at(2024, 3, 1))
    new_key = UniqueKeys(clock, IP, 1, 0)
    new_key()

    clock.set_wall_ms(at(2024, 2, 1) + 5)

    assert parse_unique_key(new_key()).month_elapsed_ms == 5


def test_time_within_the_month_moves_on():
    clock = ManualClock(wall_ms=at(2024, 3, 1))
    new_key = UniqueKeys(clock, IP, 1, 0)
    first = parse_unique_key(new_key())

    clock.advance(7)
    second = parse_unique_key(new_key())

    assert (first.month_elapsed_ms, second.month_elapsed_ms) == (0, 7)
    assert second.counter == first.counter + 1
