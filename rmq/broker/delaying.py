"""Putting off: where a message waits until its delay level lets it be delivered.

A message with the property DELAY, a level from 1 on, is stored in the schedule topic, whose queue
``n - 1`` belongs to level ``n``; REAL_TOPIC and REAL_QID say where it goes then.
"""

from typing import Final

from codec.codes import ResponseCode
from codec.message.sysflag import TRANSACTION_COMMIT, TRANSACTION_MASK
from rmq.base.errors import CommandError
from rmq.broker import names

TIMER_PROPERTIES: Final = ("TIMER_DELIVER_MS", "TIMER_DELAY_SEC", "TIMER_DELAY_MS")
"""They ask for a delivery at any time; of a message with a delay level they do not count."""

LEVEL_SIZE_MAX: Final = 11
"""Characters of a level: those of a Java int."""


def queue_of(level: int) -> int:
    """The schedule topic's queue for a level. Source: delayLevel2QueueId(), 5.3.3."""
    return level - 1


def delay_level(properties: dict[str, str]) -> int:
    """What DELAY says; 0 without it, and 0 or less is no delay.

    Java fails with a stack trace in the remark where it is no number.

    :raises CommandError: MESSAGE_ILLEGAL, it is no number.
    """
    text = properties.get("DELAY")
    if text is None:
        return 0
    digits = text[1:] if text[0] in "+-" else text
    if len(text) > LEVEL_SIZE_MAX or not (digits.isascii() and digits.isdigit()):
        raise CommandError(
            ResponseCode.MESSAGE_ILLEGAL,
            f"property DELAY is {text[:40]!r}, expected the number of a delay level",
        )
    return int(text)


def put_off(
    topic: str, queue_id: int, sys_flag: int, properties: dict[str, str], level_max: int
) -> tuple[str, int]:
    """The topic and queue to store a message in; ``properties`` get what delivery will need.

    A level above ``level_max`` (1 or more) is that one. Half messages, and ends of transactions
    that are no commit, are never put off.
    Source: HookUtils.java, handleScheduleMessage(), 5.3.3.

    :raises CommandError: as ``delay_level``.
    """
    level = delay_level(properties)
    if level <= 0 or sys_flag & TRANSACTION_MASK not in (0, TRANSACTION_COMMIT):
        return topic, queue_id
    for name in TIMER_PROPERTIES:
        properties.pop(name, None)
    if level > level_max:
        level = level_max
        properties["DELAY"] = str(level)
    properties["REAL_TOPIC"] = topic
    properties["REAL_QID"] = str(queue_id)
    return names.SCHEDULE_TOPIC, queue_of(level)
