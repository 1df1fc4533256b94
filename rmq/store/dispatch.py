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

WANTED = re.compile(rb"\x02(TAGS|KEYS|UNIQ_KEY)\x01([^\x02]+)")
"""Finds what ``wanted_properties`` gives, in properties with a separator before them."""
_MASK = 0xFFFFFFFF
_SHORT_MAX = 64
"""Bytes of a key that is hashed in one go."""
_POWERS = tuple(pow(31, n, 1 << 32) for n in range(_SHORT_MAX + 1))
_UNIQUE_KEY_SIZE = 32
"""UNIQ_KEY of an IPv4 client: 20 digits of the process, 8 of the time in ms, 4 of a counter."""
_COUNTER = 4
MOMENTS_MAX = 4096
"""UNIQ_KEYs without counter whose hash is remembered: a busy client sends several in one ms."""
_moments: dict[bytes, int] = {}


def wanted_properties(properties: bytes) -> dict[bytes, bytes]:
    """TAGS, KEYS and UNIQ_KEY, those that are there."""
    return dict(WANTED.findall(PROPERTY_SEPARATOR + properties))


def key_hashes(topic_hash: int, wanted: dict[bytes, bytes]) -> list[int]:
    """What the index keeps of UNIQ_KEY, then of each of KEYS; ``topic_hash`` is of ``topic#``.

    Source: IndexService.java, buildIndex(), 5.3.3.
    """
    hashes = []
    key = wanted.get(b"UNIQ_KEY")
    if key is not None:
        if len(key) == _UNIQUE_KEY_SIZE and key.isascii():
            # extend_hash(topic_hash, key), of which all but the counter may be known
            known = _moments.get(key[:-_COUNTER])
            if known is None:
                known = _remember(key[:-_COUNTER])
            a, b, c, d = key[-_COUNTER:]
            code = topic_hash * _POWERS[32] + known + a * 29791 + b * 961 + c * 31 + d & _MASK
            hashes.append(code if code < 0x80000000 else 0x100000000 - code & 0x7FFFFFFF)
        else:
            hashes.append(key_hash(extend_hash(topic_hash, key)))
    keys = wanted.get(b"KEYS")
    if keys is not None:
        for key in keys.split(KEY_SEPARATOR):
            size = len(key)
            if size <= _SHORT_MAX and key.isascii():
                if size:
                    code = topic_hash * _POWERS[size] + sum(map(mul, key[::-1], _POWERS)) & _MASK
                    hashes.append(code if code < 0x80000000 else 0x100000000 - code & 0x7FFFFFFF)
            else:
                hashes.append(key_hash(extend_hash(topic_hash, key)))
    return hashes


def _remember(beginning: bytes) -> int:
    """The hash of a UNIQ_KEY's beginning, as a summand of the whole key's."""
    if len(_moments) >= MOMENTS_MAX:
        _moments.clear()
    known = extend_hash(0, beginning) * _POWERS[_COUNTER]
    _moments[beginning] = known
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
    code = tags_code(wanted.get(b"TAGS"))
    if topic == SCHEDULE_TOPIC:
        return delivery_time(properties, store_timestamp, delay_levels_ms) or code
    return code


def delivery_time(properties: bytes, store_timestamp: int, delay_levels_ms: tuple[int, ...]) -> int:
    """When a message of the schedule topic is due, 0 if its properties name no level."""
    level = find(properties, DELAY_TIME_LEVEL)
    if level is None or not level.isdigit():
        return 0
    number = min(int(level), len(delay_levels_ms))
    return store_timestamp + delay_levels_ms[number - 1] if number > 0 else 0
