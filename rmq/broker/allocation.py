"""Which queues of a topic a member of a group takes, when all count the same way.

Source: AllocateMessageQueueAveragely.java, AllocateMessageQueueAveragelyByCircle.java, 5.3.3.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from codec.bodies.message_queue import MessageQueue

Strategy: TypeAlias = Callable[[Sequence[MessageQueue], int, int], list[MessageQueue]]
"""Gives the share of member ``index`` (from 0) of ``count``; queues and members are sorted."""


def averagely(queues: Sequence[MessageQueue], index: int, count: int) -> list[MessageQueue]:
    """Neighbours stay together; the first members have one more if it does not come out even."""
    size, rest = divmod(len(queues), count)
    start = index * size + min(index, rest)
    return list(queues[start : start + size + (index < rest)])


def by_circle(queues: Sequence[MessageQueue], index: int, count: int) -> list[MessageQueue]:
    """One after the other, around and around."""
    return list(queues[index::count])


STRATEGIES: Mapping[str, Strategy] = {"AVG": averagely, "AVG_BY_CIRCLE": by_circle}
"""The ways to share that a client can name."""
