"""Tests of the search for an order, by hand and against trying them all."""

import itertools
import random

import pytest

from scripts.faultlib.linearizability import (
    NEVER,
    READ,
    WRITE,
    Operation,
    UndecidedError,
    check,
)


def wrote(value, begin, end=NEVER):
    return Operation(WRITE, value, begin, end)


def read(value, begin, end=NEVER):
    return Operation(READ, value, begin, end)


def is_linearizable(*operations):
    return check(operations).is_linearizable


def test_no_operations_are_in_order():
    assert is_linearizable()


def test_a_register_begins_with_nothing():
    assert is_linearizable(read(None, 0, 1))
    assert not is_linearizable(read("a", 0, 1))


def test_a_read_gives_what_was_written_last():
    assert is_linearizable(wrote("a", 0, 1), read("a", 2, 3))
    assert is_linearizable(wrote("a", 0, 1), wrote("b", 2, 3), read("b", 4, 5))


def test_a_stale_read_is_found():
    assert not is_linearizable(wrote("a", 0, 1), wrote("b", 2, 3), read("a", 4, 5))
    assert not is_linearizable(wrote("a", 0, 1), read(None, 2, 3))


def test_a_value_from_the_future_is_found():
    assert not is_linearizable(read("a", 0, 1), wrote("a", 2, 3))


def test_a_value_that_nobody_wrote_is_found():
    assert not is_linearizable(wrote("a", 0, 1), read("b", 2, 3))


def test_an_operation_that_overlaps_a_write_may_see_it_or_not():
    assert is_linearizable(wrote("a", 0, 10), read(None, 1, 2), read("a", 3, 4))
    assert is_linearizable(wrote("a", 0, 10), read("a", 1, 2), read("a", 3, 4))


def test_what_one_reader_saw_no_later_one_may_miss():
    assert not is_linearizable(wrote("a", 0, 10), read("a", 1, 2), read(None, 3, 4))


def test_two_readers_must_agree_on_the_order_of_two_writes():
    writes = (wrote("a", 0, 10), wrote("b", 0, 10))

    assert is_linearizable(*writes, read("a", 11, 12), read("a", 13, 14))
    assert not is_linearizable(*writes, read("a", 11, 12), read("b", 13, 14))
    assert not is_linearizable(
        *writes, read("a", 1, 2), read("b", 3, 4), read("a", 5, 6), read("b", 7, 8)
    )


def test_ends_and_begins_at_one_instant_overlap():
    assert is_linearizable(wrote("a", 0, 1), read(None, 1, 2))
    assert is_linearizable(read("a", 0, 1), wrote("a", 1, 2))


def test_the_same_value_may_be_written_again():
    assert is_linearizable(
        wrote("a", 0, 1), wrote("b", 2, 3), read("b", 4, 5), wrote("a", 6, 7), read("a", 8, 9)
    )


def test_a_write_without_an_answer_happens_at_any_time_or_never():
    lost = wrote("a", 0)

    assert is_linearizable(lost, read(None, 1, 2), read(None, 3, 4))
    assert is_linearizable(lost, read(None, 1, 2), read("a", 3, 4))
    assert is_linearizable(lost, wrote("b", 1, 2), read("b", 3, 4), read("a", 5, 6))


def test_a_write_without_an_answer_happens_once():
    assert not is_linearizable(
        wrote("a", 0), wrote("b", 1, 2), read("a", 3, 4), wrote("c", 5, 6), read("a", 7, 8)
    )
    assert not is_linearizable(wrote("a", 0), read("a", 1, 2), read(None, 3, 4))


def test_a_write_without_an_answer_does_not_happen_before_its_begin():
    assert not is_linearizable(read("a", 0, 1), wrote("a", 2))


def test_a_read_without_an_answer_says_nothing():
    assert is_linearizable(read("of nobody", 0), read(None, 1, 2))


def test_of_an_order_that_is_none_the_longest_begin_is_told():
    first, second, stale = wrote("a", 0, 1), wrote("b", 2, 3), read("a", 4, 5)

    found = check([stale, second, first])

    assert found.ordered == [first, second]
    assert found.stuck == stale
    assert str(stale) == "read a by , 4.000000 to 5.000000"
    assert "to never" in str(wrote("a", 0))


def test_the_order_that_was_found_is_given():
    write, early, late = wrote("a", 0, 10), read(None, 1, 2), read("a", 3, 4)

    assert check([write, late, early]).ordered == [early, write, late]


def test_an_operation_does_not_end_before_its_begin():
    with pytest.raises(AssertionError, match="ends before it begins"):
        check([wrote("a", 2, 1)])


def test_a_search_that_grows_too_large_is_given_up():
    many = [wrote(str(number), 0, 100) for number in range(12)]

    with pytest.raises(UndecidedError, match="13 operations, 50 states"):
        check([*many, read("of nobody", 200, 201)], states_max=50)


def test_hundreds_of_operations_with_unknown_ones_are_decided():
    chance = random.Random(5)
    operations, value = [], None
    for step in range(600):
        begin = step - chance.random() * 3
        if step % 20 == 7:
            operations.append(wrote(f"lost{step}", begin))
        if step % 20 == 9:
            value = f"lost{step - 2}"
        elif chance.random() < 0.5:
            value = f"v{step}"
            operations.append(wrote(value, begin, step + chance.random() * 3))
            continue
        operations.append(read(value, begin, step + chance.random() * 3))

    assert is_linearizable(*operations)
    last = max(one.end for one in operations if one.end != NEVER)
    assert not is_linearizable(*operations, read("v0", last + 1, last + 2))


def any_order(operations):
    """The definition itself: all orders of all sets that have what must be in them."""
    unknown = [one for one in operations if one.end == NEVER]
    certain = [one for one in operations if one.end != NEVER]
    for count in range(len(unknown) + 1):
        for chosen in itertools.combinations(unknown, count):
            for order in itertools.permutations([*certain, *chosen]):
                if _respects_time(order) and _is_a_register(order):
                    return True
    return False


def _respects_time(order):
    return all(not later.end < one.begin for one, later in itertools.combinations(order, 2))


def _is_a_register(order):
    value = None
    for one in order:
        if one.kind == WRITE:
            value = one.value
        elif one.value != value:
            return False
    return True


def drawn(chance):
    operations = []
    for _ in range(chance.randint(1, 6)):
        begin = chance.randint(0, 8)
        end = NEVER if chance.random() < 0.2 else begin + chance.randint(0, 5)
        if chance.random() < 0.5:
            operations.append(wrote(chance.choice("ab"), begin, end))
        else:
            operations.append(read(chance.choice(["a", "b", None]), begin, end))
    return operations


def test_the_search_finds_what_trying_all_orders_finds():
    chance, found = random.Random(1), {True: 0, False: 0}
    for _ in range(1500):
        operations = drawn(chance)
        expected = any_order([one for one in operations if one.kind == WRITE or one.end != NEVER])

        finding = check(operations)

        assert finding.is_linearizable == expected, operations
        found[expected] += 1
        if expected:
            assert _respects_time(finding.ordered)
            assert _is_a_register(finding.ordered)
    assert min(found.values()) > 200
