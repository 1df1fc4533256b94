"""Reading a whole broker at the end of a soak."""

from collections.abc import Iterator

import wire

from scripts.soaklib import plan
from scripts.soaklib.ledger import Stored, Violation

COUNT = 2000
NOT_THERE = 17
QUEUES = {plan.SCHEDULE: len(plan.DELAYS_S), plan.RETRY: 1, plan.DEAD: 1, plan.GIVEN_UP: 1}
"""Topics that have not ``plan.QUEUES``."""


def ends(peer: wire.Peer, topics: list[str]) -> list[int]:
    """The ends of all queues of the topics."""
    return [
        int(peer.call(wire.MAX_OFFSET, {"topic": topic, "queueId": queue}).fields.get("offset", 0))
        for topic in topics
        for queue in range(QUEUES.get(topic, plan.QUEUES))
    ]


def read_topic(peer: wire.Peer, topic: str, violations: list[Violation]) -> list[Stored]:
    """All messages of a topic by queue and offset; what does not fit together is noted."""
    found: list[Stored] = []
    for queue_id in range(QUEUES.get(topic, plan.QUEUES)):
        found.extend(_read_queue(peer, topic, queue_id, violations))
    return found


def _read_queue(
    peer: wire.Peer, topic: str, queue_id: int, violations: list[Violation]
) -> Iterator[Stored]:
    offset = 0
    while True:
        answer = peer.call(wire.PULL, wire.pull_fields(topic, queue_id, offset, COUNT))
        if answer.code in {wire.NOT_FOUND, NOT_THERE}:
            return
        if answer.code != wire.SUCCESS:
            detail = f"pull answered {answer.code} {answer.remark}"
            violations.append(Violation("unreadable", topic, topic, queue_id, offset, detail))
            return
        for message in wire.messages(answer.body):
            key = message.properties["UNIQ_KEY"]
            origin = key.rpartition("-")[0]
            if (message.queue_id, message.queue_offset) != (queue_id, offset):
                violations.append(Violation("hole", key, topic, queue_id, offset))
            if message.body != plan.body_of(origin, plan.number_of(key)):
                violations.append(Violation("another body", key, topic, queue_id, offset))
            offset = message.queue_offset + 1
            yield Stored(
                key, queue_id, message.queue_offset, message.store_ms, message.reconsume_times
            )
