import pytest

from rmq.sim.dice import Dice


def numbers(dice, count=20):
    return [dice.below(1_000) for _ in range(count)]


def test_same_seed_and_name_give_the_same_numbers():
    assert numbers(Dice(7, "a")) == numbers(Dice(7, "a"))
    assert numbers(Dice(7, "a")) != numbers(Dice(7, "b"))
    assert numbers(Dice(7, "a")) != numbers(Dice(8, "a"))


def test_splitting_does_not_throw_the_dice():
    dice, other = Dice(7), Dice(7)

    numbers(other.split("network"))

    assert numbers(dice) == numbers(other)
    assert numbers(dice.split("x")) == numbers(other.split("x"))


def test_numbers_lie_within_their_limits():
    dice = Dice(1)

    assert {dice.between(3, 5) for _ in range(100)} == {3, 4, 5}
    assert {dice.pick("ab") for _ in range(100)} == {"a", "b"}
    assert {dice.below(1) for _ in range(9)} == {0}


@pytest.mark.parametrize(("count", "least", "most"), [(0, 0, 0), (1, 100, 100), (4, 10, 45)])
def test_one_in_some_is_as_often_as_that(count, least, most):
    dice = Dice(1)

    assert least <= sum(dice.one_in(count) for _ in range(100)) <= most
