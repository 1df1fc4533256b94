"""Tests of what is drawn."""

import itertools
import random

import pytest

from scripts.failoverlib.network import HUB_NUMBER
from scripts.faultlib import menu
from scripts.faultlib.menu import KINDS, Fault, Menu, draw, ring


def draws(kind, brokers=3, leader=1, count=60):
    chance = random.Random(7)
    return [draw(kind, brokers, leader, chance) for _ in range(count)]


def hears(drops, brokers):
    """Of each broker: whom it hears and who hears it, itself included."""
    return [
        {other for other in range(brokers) if not {(one, other), (other, one)} & drops}
        for one in range(brokers)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_faults_again(kind):
    assert draws(kind) == draws(kind)
    assert all(fault.kind == kind and 0 < fault.seconds <= 5 for fault in draws(kind))


@pytest.mark.parametrize("kind", ["kill-leader", "pause-leader", "isolated"])
def test_the_leader_is_hit_if_there_is_one(kind):
    assert {fault.victims for fault in draws(kind)} == {(1,)}
    assert {fault.victims for fault in draws(kind, leader=None)} == {(0,), (1,), (2,)}


@pytest.mark.parametrize("kind", ["kill-any", "pause-any", "slow-disk", "clock", "outgoing"])
def test_anybody_may_be_hit(kind):
    assert {fault.victims for fault in draws(kind)} == {(0,), (1,), (2,)}


@pytest.mark.parametrize(("brokers", "killed"), [(3, 2), (5, 3)])
def test_a_majority_is_killed(brokers, killed):
    for fault in draws("kill-majority", brokers):
        assert len(set(fault.victims)) == killed


@pytest.mark.parametrize(("brokers", "smaller"), [(3, 1), (5, 2)])
def test_a_part_hears_itself_and_nobody_else(brokers, smaller):
    for fault in draws("halves", brokers):
        part = set(fault.victims)
        assert len(part) == smaller
        for one, heard in enumerate(hears(fault.drops, brokers)):
            assert heard == (part if one in part else set(range(brokers)) - part)
    with_clients = [any(HUB_NUMBER in pair for pair in one.drops) for one in draws("halves")]
    assert set(with_clients) == {True, False}


@pytest.mark.parametrize("brokers", [3, 5])
def test_in_a_ring_each_hears_a_majority_and_no_two_the_same(brokers):
    for fault in draws("ring", brokers):
        views = hears(fault.drops, brokers)
        assert all(len(view) > brokers // 2 for view in views)
        assert all(one != other for one, other in itertools.combinations(views, 2))
    assert ring([4, 0, 2]) == {(4, 2), (2, 4)}


def test_one_way_is_one_way():
    for fault in draws("outgoing"):
        assert {sender for sender, _ in fault.drops} == set(fault.victims)
    for fault in draws("incoming"):
        assert {receiver for _, receiver in fault.drops} == set(fault.victims)
    assert {len(fault.drops) for fault in draws("incoming")} == {2, 3}


def test_who_is_isolated_hears_nobody():
    assert {fault.drops for fault in draws("isolated")} == {
        menu.both_ways([(1, 0), (1, 2)]),
        menu.both_ways([(1, 0), (1, 2), (1, HUB_NUMBER)]),
    }


def test_disks_are_slow_and_clocks_are_wrong_in_several_ways():
    assert {fault.delay_ms for fault in draws("slow-disk")} == set(menu.DELAYS_MS)
    assert {fault.clock for fault in draws("clock")} == set(menu.CLOCKS)


def test_each_kind_comes_as_often_as_any_other():
    drawn = Menu(KINDS, random.Random(3))

    kinds = [drawn.next(3, 0).kind for _ in range(3 * len(KINDS))]

    assert {kinds.count(kind) for kind in KINDS} == {3}
    assert kinds[: len(KINDS)] != kinds[len(KINDS) : 2 * len(KINDS)]


def test_a_fault_is_told_in_a_line():
    assert str(Fault("kill-majority", (0, 2), 1.5)) == "kill-majority n0,n2 for 1.5 s"
    lost = frozenset({(0, 1), (0, HUB_NUMBER)})
    assert str(Fault("outgoing", (0,), 1.0, lost)).endswith("lost: n0>clients n0>n1")
    assert str(Fault("slow-disk", (0,), 1.0, delay_ms=50)).endswith("each call 50 ms")
    assert str(Fault("clock", (0,), 1.0, clock="+90")).endswith("clock +90")
