"""What of a record the queues and the index want to know.

The hot path reads TAGS, KEYS and UNIQ_KEY in one pass of a compiled pattern (0.5 us for all three,
``properties.find`` takes 0.6 for each); a test holds it against ``properties.parse``.
"""

import re
from operator import mul

from codec.disk.index import key_hash
from codec.message.java_hash import extend_hash, tags_code
from codec.message.properties import DELAY_TIME_LEVEL, KEY_SEPARATOR, PROPERTY_SEPARATOR, find

SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX"

_WANTED = re.compile(rb"\x02(TAGS|KEYS|UNIQ_KEY)\x01([^\x02]+)")
_UNIQUE_KEY_SIZE = 32
_TAIL = 12
"""Bytes at the end of a UNIQ_KEY that differ from message to message: time and counter."""
_POWERS = tuple(31**n & 0xFFFFFFFF for n in range(_TAIL))
_KEY_POWER = 31**_UNIQUE_KEY_SIZE
_TAIL_POWER = 31**_TAIL
PREFIXES_MAX = 4096
"""Beginnings of UNIQ_KEYs (one for each client process) whose hash is remembered."""
_prefixes: dict[bytes, int] = {}


def wanted_properties(properties: bytes) -> dict[bytes, bytes]:
    """TAGS, KEYS and UNIQ_KEY, those that are there."""
    return dict(_WANTED.findall(PROPERTY_SEPARATOR + properties))


def key_hashes(topic_hash: int, wanted: dict[bytes, bytes]) -> list[int]:
    """What the index keeps of UNIQ_KEY, then of each of KEYS; ``topic_hash`` is of ``topic#``.

    Source: IndexService.java, buildIndex(), 5.3.3.
    """
    hashes = []
    unique_key = wanted.get(b"UNIQ_KEY")
    if unique_key is not None:
        if len(unique_key) == _UNIQUE_KEY_SIZE and unique_key.isascii():
            # extend_hash(topic_hash, unique_key), without its general cases
            known = _prefixes.get(unique_key[:-_TAIL])
            if known is None:
                known = _remember(unique_key[:-_TAIL])
            hashed = (
                topic_hash * _KEY_POWER
                + known
                + sum(map(mul, unique_key[: -_TAIL - 1 : -1], _POWERS))
            ) & 0xFFFFFFFF
            if hashed >= 0x80000000:
                hashed = 0x100000000 - hashed & 0x7FFFFFFF
            hashes.append(hashed)
        else:
            hashes.append(key_hash(extend_hash(topic_hash, unique_key)))
    keys = wanted.get(b"KEYS")
    if keys is not None:
        for key in keys.split(KEY_SEPARATOR):
            if key:
                hashed = extend_hash(topic_hash, key)
                hashes.append(hashed if hashed >= 0 else key_hash(hashed))
    return hashes


def _remember(prefix: bytes) -> int:
    if len(_prefixes) >= PREFIXES_MAX:
        _prefixes.clear()
    known = _prefixes[prefix] = extend_hash(0, prefix) * _TAIL_POWER
    return known


def queue_tags_code(
    topic: str,
    properties: bytes,
    wanted: dict[bytes, bytes],
    store_timestamp: int,
    delay_levels_ms: tuple[int, ...],
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
    return tags_code(wanted.get(b"TAGS"))
