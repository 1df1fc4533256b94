"""Tests of the soak's checker: it finds each kind of broken promise, and no other."""

from collections import defaultdict

import pytest

from scripts.soaklib import checker, plan
from scripts.soaklib.ledger import Lease, Ledger, Resumed, Stored, Violation

AT = 1_000_000
RETRY_LEVEL = 3
"""At which a message waits that comes again for the first time."""


def stored(topic, *numbers, times=0, store_ms=AT):
    """Messages as a sound broker has them."""
    offsets = defaultdict(int)
    found = []
    for number in numbers:
        queue_id = plan.queue_of(topic, number) if topic in KINDS else 0
        origin = topic if topic in KINDS else plan.WORK
        key = plan.key_of(origin, number)
        found.append(Stored(key, queue_id, offsets[queue_id], store_ms, times))
        offsets[queue_id] += 1
    return found


KINDS = {plan.SINGLE, plan.ORDERED, plan.DELAYED, plan.TRANSACTED, plan.WORK}


def rules(violations):
    return [(one.rule, one.where) for one in violations]


@pytest.fixture
def ledger():
    return Ledger()


def test_what_is_all_there_in_order_is_no_violation():
    found = stored(plan.SINGLE, *range(20))

    assert list(checker.sends(plan.SINGLE, set(range(18)), 20, found)) == []


def test_a_lost_message_is_found():
    found = stored(plan.SINGLE, *range(7), *range(8, 20))

    (lost,) = checker.sends(plan.SINGLE, set(range(20)), 20, found)

    assert (lost.rule, lost.where, lost.queue_id) == ("lost", "SOAK-SINGLE-00000007", 3)


def test_a_message_lost_before_it_was_acknowledged_is_none():
    found = stored(plan.SINGLE, *range(7), *range(8, 20))

    assert not list(checker.sends(plan.SINGLE, set(range(20)) - {7}, 20, found))


def test_reordered_messages_are_found_with_their_place():
    found = stored(plan.ORDERED, 0, 32, 16)

    assert list(checker.sends(plan.ORDERED, {0, 16, 32}, 33, found)) == [
        Violation(
            "reordered",
            "SOAK-ORDERED-00000016",
            plan.ORDERED,
            0,
            2,
            "it stands behind SOAK-ORDERED-00000032",
        )
    ]


def test_a_doubled_message_and_one_never_sent_are_found():
    found = stored(plan.SINGLE, 1, 5, 5, 9)

    assert rules(checker.sends(plan.SINGLE, {1}, 6, found)) == [
        ("doubled", "SOAK-SINGLE-00000005"),
        ("never sent there", "SOAK-SINGLE-00000009"),
    ]


def test_a_message_in_another_queue_is_found():
    found = [Stored(plan.key_of(plan.SINGLE, 1), 2, 0, AT)]

    assert rules(checker.sends(plan.SINGLE, set(), 5, found)) == [
        ("never sent there", "SOAK-SINGLE-00000001")
    ]


def test_a_batch_lies_in_the_queue_of_its_first():
    found = [Stored(plan.key_of(plan.BATCH, 10 + n), 2, n, AT) for n in range(10)]

    assert not list(checker.sends(plan.BATCH, set(range(10, 20)), 20, found))


def test_what_a_consumer_saw_and_is_gone_is_found():
    seen = {(1, 0): "SOAK-SINGLE-00000001", (1, 1): "SOAK-SINGLE-00000009"}

    assert rules(checker.sights(plan.SINGLE, seen, stored(plan.SINGLE, 1, 5))) == [
        ("changed", "SOAK-SINGLE-00000009")
    ]


def test_tags_choose_exactly_their_messages():
    found = stored(plan.SINGLE, 0, 4, 8, 12)
    keys = {(one.queue_id, one.offset): one.key for one in found}
    right = {place: keys[place] for place in [(0, 0), (0, 1), (0, 3)]}
    wrong = {place: keys[place] for place in [(0, 0), (0, 2)]}

    assert not list(checker.tags(plan.SINGLE, right, {0: 4}, found))
    assert not list(checker.tags(plan.SINGLE, {(0, 0): keys[0, 0]}, {0: 1}, found))
    assert rules(checker.tags(plan.SINGLE, wrong, {0: 3}, found)) == [
        ("tag not delivered", "SOAK-SINGLE-00000004"),
        ("another tag delivered", "SOAK-SINGLE-00000008"),
    ]


def delayed(ledger, *store_ms):
    """Message 0, of 1 s, waiting since ``AT``, delivered at the given times."""
    ledger.sent[plan.DELAYED] = 1
    key = plan.key_of(plan.DELAYED, 0)
    copies = [Stored(key, 0, offset, at) for offset, at in enumerate(store_ms)]
    waiting = checker.waiting_of([Stored(key, 0, 0, AT)])
    return checker.delays(plan.DELAYED, ledger, copies, waiting)


def test_a_delayed_message_is_due_to_the_millisecond(ledger):
    assert not list(delayed(ledger, AT + 1000))
    (early,) = delayed(ledger, AT + 999)
    assert (early.rule, early.detail) == ("early", "by 1 ms")


def test_a_delayed_message_that_never_waited_is_early(ledger):
    ledger.sent[plan.DELAYED] = 1

    found = checker.delays(plan.DELAYED, ledger, stored(plan.DELAYED, 0), {})

    assert [one.detail for one in found] == ["it never waited"]


def test_a_delayed_message_comes_again_only_after_a_kill(ledger):
    ledger.kills_ms = [AT + 1500]
    ledger.acknowledged[plan.DELAYED] = {0}

    assert not list(delayed(ledger, AT + 1000, AT + 2000))
    (doubled,) = delayed(ledger, AT + 1000, AT + 1400)
    assert (doubled.rule, doubled.offset) == ("doubled", 1)


def test_a_delayed_message_lost_or_never_sent_is_found(ledger):
    ledger.acknowledged[plan.DELAYED] = {3}
    waiting = {(plan.key_of(plan.DELAYED, 7), 0): [(0, 1)]}

    found = checker.delays(plan.DELAYED, ledger, stored(plan.DELAYED, 7), waiting)

    assert rules(found) == [
        ("lost", "SOAK-DELAYED-00000003"),
        ("never sent there", "SOAK-DELAYED-00000007"),
    ]


def test_each_transaction_has_one_end(ledger):
    ledger.sent[plan.TRANSACTED] = 10
    ledger.acknowledged[plan.TRANSACTED] = set(range(10)) - {9}

    # 1, 4 and 7 are rolled back; the half message of 9 was not acknowledged
    found = checker.transactions(ledger, stored(plan.TRANSACTED, 0, 2, 3, 5, 6, 8))

    assert not list(found)


@pytest.mark.parametrize(
    ("visible", "rule"),
    [
        ((0, 2, 3, 3), ("committed twice", 3)),
        ((0, 1, 2, 3), ("rolled back and visible", 1)),
        ((0, 3), ("commit lost", 2)),
        ((0, 2, 3, 15), ("never sent there", 15)),
    ],
)
def test_a_transaction_with_another_end_is_found(ledger, visible, rule):
    ledger.sent[plan.TRANSACTED] = 10
    ledger.acknowledged[plan.TRANSACTED] = {0, 1, 2, 3}

    found = checker.transactions(ledger, stored(plan.TRANSACTED, *visible))

    assert rules(found) == [(rule[0], plan.key_of(plan.TRANSACTED, rule[1]))]


def sent_back(ledger, number, *times):
    key = plan.key_of(plan.WORK, number)
    ledger.acknowledged[plan.WORK].add(number)
    ledger.sent_back.update((key, time) for time in times)
    ledger.sent_back_surely.update((key, time) for time in times)


def tries(number, *times):
    """Retries and what waited for them."""
    retried = [
        one
        for time in times
        for one in stored(plan.RETRY, number, times=time, store_ms=AT + time * 10_000)
    ]
    waiting = {(one.key, one.reconsume_times): [(AT, RETRY_LEVEL)] for one in retried}
    return retried, waiting


def test_what_is_sent_back_comes_again_and_is_dead_at_last(ledger):
    sent_back(ledger, 1, 0)
    sent_back(ledger, 10, 0, 1, 2, 3)
    once, once_waiting = tries(1, 1)
    often, often_waiting = tries(10, 1, 2, 3)
    dead = stored(plan.DEAD, 10, times=4)

    assert not list(checker.retries(ledger, once + often, dead, once_waiting | often_waiting))


def test_a_retry_or_a_dead_letter_that_is_missing_is_found(ledger):
    sent_back(ledger, 1, 0)
    sent_back(ledger, 10, 0, 1, 2, 3)
    retried, waiting = tries(10, 1, 2, 3)

    found = [str(one) for one in checker.retries(ledger, retried, [], waiting)]

    assert found == [
        (
            "lost: SOAK-WORK-00000001 topic=%RETRY%soak-work queue=-1 offset=-1"
            " sent back at reconsumeTimes=0"
        ),
        (
            "lost: SOAK-WORK-00000010 topic=%DLQ%soak-work queue=-1 offset=-1"
            " sent back at reconsumeTimes=3"
        ),
        "try missing: SOAK-WORK-00000001 topic=%RETRY%soak-work queue=-1 offset=-1 number 1",
        "try missing: SOAK-WORK-00000010 topic=%DLQ%soak-work queue=-1 offset=-1 number 4",
    ]


def test_retries_early_unasked_or_in_the_wrong_place_are_found(ledger):
    sent_back(ledger, 10, 0, 1, 2, 3)
    retried, waiting = tries(10, 1, 2, 3)
    early = [Stored(retried[0].key, 0, 0, AT + 4999, 1)]
    dead = stored(plan.DEAD, 10, times=4) + stored(plan.DEAD, 10, times=2)
    unasked = stored(plan.DEAD, 20, times=4)

    found = checker.retries(ledger, early + retried[1:], dead + unasked, waiting)

    assert rules(found) == [
        ("early", "SOAK-WORK-00000010"),
        ("wrong number of tries", "SOAK-WORK-00000010"),
        ("never sent back", "SOAK-WORK-00000020"),
    ]


@pytest.mark.parametrize(("offset", "is_right"), [(9, False), (10, True), (20, True), (21, False)])
def test_offsets_stay_between_saved_and_committed(offset, is_right):
    found = list(checker.offsets([Resumed("group", "T", 0, offset, 10, 20)]))

    assert (not found) == is_right


def test_a_queue_has_one_holder_at_a_time():
    first = Lease(0, "a", 0, 1.0, 5.0)

    assert not list(checker.leases([first, Lease(0, "b", 0, 5.0, 6.0)]))
    assert not list(checker.leases([first, Lease(0, "b", 1, 2.0, 6.0), Lease(1, "b", 0, 2.0, 3.0)]))
    assert not list(checker.leases([first, Lease(0, "a", 0, 2.0, 3.0)]))
    (twice,) = checker.leases([first, Lease(0, "a", 0, 2.0, 3.0), Lease(0, "b", 0, 4.0, 6.0)])
    assert (twice.rule, twice.where) == ("locked twice", "a and b in life 0")


def test_all_promises_are_checked(ledger):
    ledger.violations.append(Violation("client failed", "one"))
    ledger.acknowledged.update({topic: {0} for topic in KINDS | {plan.ONEWAY, plan.BATCH}})
    ledger.seen[plan.TAG_GROUP, plan.SINGLE][0, 0] = "gone"
    ledger.reached[plan.TAG_GROUP, plan.SINGLE][0] = 1
    ledger.seen["soak-all", plan.BATCH].clear()
    ledger.sent_back_surely.add((plan.key_of(plan.WORK, 0), 0))
    ledger.resumed.append(Resumed("group", "T", 0, 5, 10, 20))
    ledger.leases = [Lease(0, "a", 0, 1.0, 5.0), Lease(0, "b", 0, 2.0, 5.0)]
    given_up = stored(plan.GIVEN_UP, 3)

    found = checker.check(ledger, lambda topic: given_up if topic == plan.GIVEN_UP else [])

    assert [one.rule for one in found] == [
        "client failed",
        "lost",
        "changed",
        "lost",
        "lost",
        "lost",
        "lost",
        "lost",
        "commit lost",
        "transaction given up",
        "lost",
        "try missing",
        "group moved",
        "locked twice",
    ]
