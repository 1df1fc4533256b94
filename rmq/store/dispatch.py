"""What of a record the queues and the index want to know."""

from codec.disk.index import key_hash
from codec.message.java_hash import extend_hash, tags_code
from codec.message.properties import (
    DELAY_TIME_LEVEL,
    KEY_SEPARATOR,
    KEYS,
    TAGS,
    UNIQ_CLIENT_MESSAGE_ID_KEYIDX,
    find,
)

SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX"


def key_hashes(topic_hash: int, properties: bytes) -> list[int]:
    """What the index keeps of UNIQ_KEY, then of each of KEYS; ``topic_hash`` is of ``topic#``.

    Source: IndexService.java, buildIndex(), 5.3.3.
    """
    hashes = []
    unique_key = find(properties, UNIQ_CLIENT_MESSAGE_ID_KEYIDX)
    if unique_key is not None:
        hashes.append(key_hash(extend_hash(topic_hash, unique_key)))
    keys = find(properties, KEYS)
    if keys is not None:
        for key in keys.split(KEY_SEPARATOR):
            if key:
                hashes.append(key_hash(extend_hash(topic_hash, key)))
    return hashes


def queue_tags_code(
    topic: str, properties: bytes, store_timestamp: int, delay_levels_ms: tuple[int, ...]
) -> int:
    """What the consume queue keeps: the hash of TAGS; of a delayed message its delivery time (ms).

    Source: CommitLog.java, checkMessageAndReturnSize(), 5.3.3.
    """
    if topic == SCHEDULE_TOPIC:
        level = find(properties, DELAY_TIME_LEVEL)
        if level is not None and level.isdigit():
            number = min(int(level), len(delay_levels_ms))
            if number > 0:
                return store_timestamp + delay_levels_ms[number - 1]
    return tags_code(find(properties, TAGS))
