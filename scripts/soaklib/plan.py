"""What each message of the soak is and what shall become of it, by its number alone.

Nothing of this is remembered: a producer that answers a check-back, a consumer that sends back and
the checker each work it out anew.
"""

SINGLE, ONEWAY, BATCH, PIPELINED = "SOAK-SINGLE", "SOAK-ONEWAY", "SOAK-BATCH", "SOAK-PIPELINED"
ORDERED, DELAYED, TRANSACTED, WORK = "SOAK-ORDERED", "SOAK-DELAYED", "SOAK-TX", "SOAK-WORK"
SCHEDULE, GIVEN_UP = "SCHEDULE_TOPIC_XXXX", "TRANS_CHECK_MAX_TIME_TOPIC"

BROKER = "soak-broker"
WORK_GROUP, ORDERED_GROUP, TAG_GROUP = "soak-work", "soak-ordered", "soak-tags"
PRODUCERS = "soak-producers"
RETRY, DEAD = f"%RETRY%{WORK_GROUP}", f"%DLQ%{WORK_GROUP}"

QUEUES = 4
BATCH_COUNT = 10
KEYS = 16
"""Keys whose messages are kept in order, each in one queue."""
DELAYS_S = (1, 2, 5, 2, 3)
"""Of levels 1, 2, ...; a first try again has level 3, and one more each time, at most the last."""
LEVELS_SENT = 3
TRIES_MAX = 3
TAGS = ("A", "B", "C")
WANTED_TAGS = ("A", "B")

COMMIT, ROLLBACK, UNKNOWN = 8, 12, 0
"""Ends of a transaction, as in the header of END_TRANSACTION."""


def key_of(topic: str, number: int) -> str:
    """The unique key of a message."""
    return f"{topic}-{number:08d}"


def number_of(key: str) -> int:
    """The number in a key. :raises ValueError: it is none of ours."""
    return int(key.rpartition("-")[2])


def body_of(topic: str, number: int) -> bytes:
    """The one body that a message may have: 30 to 330 bytes."""
    return f"{topic} {number} ".encode().ljust(30 + number * 7919 % 300, b".")


def tag_of(number: int) -> str:
    """The tag of a single message."""
    return TAGS[number % len(TAGS)]


def queue_of(topic: str, number: int) -> int:
    """The queue a message is sent to; in the ordered topic that of its key."""
    return (number % KEYS if topic == ORDERED else number) % QUEUES


def level_of(number: int) -> int:
    """The delay level of a delayed message."""
    return number % LEVELS_SENT + 1


def is_committed(number: int) -> bool:
    """How a transaction ends, whoever says so and when."""
    return number % 10 not in {1, 4, 7}


def first_answer(number: int) -> int | None:
    """What the producer does after the half message; None: it is gone then."""
    if number % 10 in {3, 4}:
        return UNKNOWN
    if number % 50 in {5, 7}:
        return None
    return COMMIT if is_committed(number) else ROLLBACK


def failures(number: int) -> int:
    """How often the consumer of work sends a message back; over TRIES_MAX it dies."""
    return {0: TRIES_MAX + 1, 1: 1, 2: 2}.get(number % 10, 0)
