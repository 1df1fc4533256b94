"""The promises that a soak checks, each a function of facts to violations.

- A send that was acknowledged is in its queue, and no message is in a topic twice.
- A producer's messages are in each queue in the order in which it sent them.
- What a consumer once saw at an offset stays there; tags choose exactly their messages.
- A delayed message is delivered at least once, never before its store time plus its delay, and
  again only if a kill came between, as only a crash loses how far a level had got.
- A transaction that is to commit is visible exactly once if its half message was acknowledged, and
  at most once if not; one that is to be rolled back never is. Kills excuse nothing.
- A send-back that was acknowledged comes again with one reconsumeTimes more, not early, or after
  ``TRIES_MAX`` among the dead letters; a consumer that was killed may send back twice, so copies
  may repeat, but none comes without an attempt.
- Stored offsets are neither beyond what was committed nor behind what must have been saved.
- No two clients have one queue's lock at once in one life of the broker.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from scripts.soaklib import plan
from scripts.soaklib.ledger import Lease, Ledger, Resumed, Sight, Stored, Violation

Waiting = Mapping[tuple[str, int], Sequence[tuple[int, int]]]
"""(key, reconsumeTimes) to store time and level of what waited in the schedule topic."""


def check(ledger: Ledger, read: Callable[[str], Sequence[Stored]]) -> Iterator[Violation]:
    """All promises; ``read`` gives a topic's messages by queue and offset."""
    yield from ledger.violations
    waiting = waiting_of(read(plan.SCHEDULE))
    for topic in (plan.SINGLE, plan.ONEWAY, plan.BATCH, plan.PIPELINED, plan.ORDERED, plan.WORK):
        stored = read(topic)
        yield from sends(topic, ledger.acknowledged[topic], ledger.sent[topic], stored)
        for (group, of), seen in ledger.seen.items():
            if of == topic:
                yield from sights(topic, seen, stored)
                if group == plan.TAG_GROUP:
                    yield from tags(topic, seen, ledger.reached[group, of], stored)
    yield from delays(plan.DELAYED, ledger, read(plan.DELAYED), waiting)
    yield from transactions(ledger, read(plan.TRANSACTED))
    for half in read(plan.GIVEN_UP):
        yield Violation("transaction given up", half.key, plan.GIVEN_UP, half.queue_id, half.offset)
    yield from retries(ledger, read(plan.RETRY), read(plan.DEAD), waiting)
    yield from offsets(ledger.resumed)
    yield from leases(ledger.leases)


def waiting_of(stored: Iterable[Stored]) -> Waiting:
    """What waited, of the messages in the schedule topic."""
    waiting = defaultdict(list)
    for one in stored:
        waiting[one.key, one.reconsume_times].append((one.store_ms, one.queue_id + 1))
    return waiting


def sends(
    topic: str, acknowledged: set[int], sent: int, stored: Sequence[Stored]
) -> Iterator[Violation]:
    """None lost, none twice, none unknown, each queue in the order of sending."""
    last: dict[int, int] = {}
    seen: set[int] = set()
    for one in stored:
        number = plan.number_of(one.key)
        if number in seen:
            yield _of("doubled", topic, one)
        elif number >= sent or one.queue_id != _queue(topic, number):
            yield _of("never sent there", topic, one)
        elif number < last.get(one.queue_id, -1):
            before = plan.key_of(topic, last[one.queue_id])
            yield _of("reordered", topic, one, f"it stands behind {before}")
        seen.add(number)
        last[one.queue_id] = max(number, last.get(one.queue_id, -1))
    for number in sorted(acknowledged - seen):
        yield _lost(topic, number)


def _queue(topic: str, number: int) -> int:
    first = number - number % plan.BATCH_COUNT if topic == plan.BATCH else number
    return plan.queue_of(topic, first)


def sights(topic: str, seen: Sight, stored: Sequence[Stored]) -> Iterator[Violation]:
    """What consumers saw is still there."""
    keys = {(one.queue_id, one.offset): one.key for one in stored}
    for place, key in seen.items():
        if keys.get(place) != key:
            yield Violation("changed", key, topic, *place, f"now it is {keys.get(place)}")


def tags(
    topic: str, seen: Sight, reached: Mapping[int, int], stored: Sequence[Stored]
) -> Iterator[Violation]:
    """Up to where it got, the consumer saw all messages with its tags and no other."""
    for one in stored:
        is_wanted = plan.tag_of(plan.number_of(one.key)) in plan.WANTED_TAGS
        is_seen = (one.queue_id, one.offset) in seen
        if is_seen and not is_wanted:
            yield _of("another tag delivered", topic, one)
        if is_wanted and not is_seen and one.offset < reached.get(one.queue_id, 0):
            yield _of("tag not delivered", topic, one)


def delays(
    topic: str, ledger: Ledger, stored: Sequence[Stored], waiting: Waiting
) -> Iterator[Violation]:
    """Delayed messages: none lost, none early, again only after a kill."""
    copies = _by_key(stored)
    for number in sorted(ledger.acknowledged[topic]):
        if plan.key_of(topic, number) not in copies:
            yield _lost(topic, number)
    for key, several in copies.items():
        yield from _early(topic, several, waiting)
        if plan.number_of(key) >= ledger.sent[topic]:
            yield _of("never sent there", topic, several[0])
        several = sorted(several, key=lambda one: one.store_ms)
        for first, second in pairwise(several):
            if not any(first.store_ms <= kill <= second.store_ms for kill in ledger.kills_ms):
                yield _of("doubled", topic, second, f"no kill since offset {first.offset}")


def _early(topic: str, stored: Iterable[Stored], waiting: Waiting) -> Iterator[Violation]:
    for one in stored:
        waited = waiting.get((one.key, one.reconsume_times))
        if not waited:
            yield _of("early", topic, one, "it never waited")
            continue
        due_ms = min(at + plan.DELAYS_S[level - 1] * 1000 for at, level in waited)
        if one.store_ms < due_ms:
            yield _of("early", topic, one, f"by {due_ms - one.store_ms} ms")


def transactions(ledger: Ledger, stored: Sequence[Stored]) -> Iterator[Violation]:
    """Each transaction is committed or rolled back, as its producer wants, and once."""
    topic = plan.TRANSACTED
    copies = _by_key(stored)
    for key, several in copies.items():
        number = plan.number_of(key)
        if number >= ledger.sent[topic]:
            yield _of("never sent there", topic, several[0])
        elif not plan.is_committed(number):
            yield _of("rolled back and visible", topic, several[0])
        for one in several[1:]:
            yield _of("committed twice", topic, one, f"first at offset {several[0].offset}")
    for number in sorted(ledger.acknowledged[topic]):
        key = plan.key_of(topic, number)
        if plan.is_committed(number) and key not in copies:
            yield Violation("commit lost", key, topic, plan.queue_of(topic, number))


def retries(
    ledger: Ledger, retried: Sequence[Stored], dead: Sequence[Stored], waiting: Waiting
) -> Iterator[Violation]:
    """What was sent back comes again, or is dead after its last try."""
    yield from _early(plan.RETRY, retried, waiting)
    found: set[tuple[str, int]] = set()
    for topic, stored in ((plan.RETRY, retried), (plan.DEAD, dead)):
        for one in stored:
            times = one.reconsume_times
            found.add((one.key, times - 1))
            if (one.key, times - 1) not in ledger.sent_back:
                yield _of("never sent back", topic, one, f"reconsumeTimes={times}")
            elif (times > plan.TRIES_MAX) != (topic == plan.DEAD):
                yield _of("wrong number of tries", topic, one, f"reconsumeTimes={times}")
    for key, times in sorted(ledger.sent_back_surely - found):
        topic = plan.RETRY if times < plan.TRIES_MAX else plan.DEAD
        yield Violation("lost", key, topic, detail=f"sent back at reconsumeTimes={times}")
    for number in sorted(ledger.acknowledged[plan.WORK]):
        count = plan.failures(number)
        key = plan.key_of(plan.WORK, number)
        if count and (key, count - 1) not in found:
            where = plan.DEAD if count > plan.TRIES_MAX else plan.RETRY
            yield Violation("try missing", key, where, detail=f"number {count}")


def offsets(resumed: Iterable[Resumed]) -> Iterator[Violation]:
    """Groups go on where they were."""
    for one in resumed:
        if not one.saved_min <= one.offset <= one.asked_max:
            bounds = f"expected {one.saved_min} to {one.asked_max}"
            yield Violation("group moved", one.group, one.topic, one.queue_id, one.offset, bounds)


def leases(held: Iterable[Lease]) -> Iterator[Violation]:
    """One holder at a time."""
    by_queue: dict[tuple[int, int], list[Lease]] = defaultdict(list)
    for lease in held:
        by_queue[lease.life, lease.queue_id].append(lease)
    for (life, queue_id), several in by_queue.items():
        several.sort(key=lambda lease: lease.since)
        longest = several[0]
        for lease in several[1:]:
            if lease.since < longest.until and lease.client != longest.client:
                both = f"{longest.client} and {lease.client} in life {life}"
                yield Violation("locked twice", both, plan.ORDERED, queue_id)
            longest = max(longest, lease, key=lambda one: one.until)


def _by_key(stored: Iterable[Stored]) -> dict[str, list[Stored]]:
    copies = defaultdict(list)
    for one in stored:
        copies[one.key].append(one)
    return copies


def _of(rule: str, topic: str, one: Stored, detail: str = "") -> Violation:
    return Violation(rule, one.key, topic, one.queue_id, one.offset, detail)


def _lost(topic: str, number: int) -> Violation:
    return Violation("lost", plan.key_of(topic, number), topic, _queue(topic, number))
