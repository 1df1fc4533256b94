"""What every command of an operator is checked for."""

from codec.bodies.topics import TopicConfig
from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.broker import names
from rmq.broker.topics import Topics

QUEUE_NUMS_MAX = 65_535
"""Most queues of one topic here; where they all begin and end must fit into one frame."""


def check_topic_name(topic: str) -> None:
    """Refuse what no topic can be called.

    :raises CommandError: INVALID_PARAMETER, in Java's words.
    """
    fault = names.topic_fault(topic)
    if fault is not None:
        raise CommandError(ResponseCode.INVALID_PARAMETER, fault)


def check_group_name(group: str) -> None:
    """Refuse what no consumer group can be called.

    :raises CommandError: INVALID_PARAMETER, in Java's words.
    """
    fault = names.group_fault(group)
    if fault is not None:
        raise CommandError(ResponseCode.INVALID_PARAMETER, fault)


def check_range(name: str, value: int, maximum: int) -> None:
    """Refuse a number that is not from 0 to ``maximum``.

    :raises CommandError: INVALID_PARAMETER.
    """
    if not 0 <= value <= maximum:
        raise CommandError(
            ResponseCode.INVALID_PARAMETER, f"{name} {value}, expected 0 to {maximum}"
        )


def known_topic(topics: Topics, topic: str) -> TopicConfig:
    """The settings of a topic.

    :raises CommandError: TOPIC_NOT_EXIST.
    """
    config = topics.get(topic)
    if config is None:
        raise CommandError(ResponseCode.TOPIC_NOT_EXIST, f"topic[{topic}] not exist")
    return config
