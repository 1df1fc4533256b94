"""Properties that are stored as they came: the hot path's look at them.

Most messages have no property on which the broker must act. Their text is kept, and of it only
what the store's queues and index want is read. Anything unusual, and anything not ended as Java
ends it, is not plain: then each property is looked at, see ``SendProcessor``.
"""

from collections.abc import Callable

UNIQUE_KEY = "UNIQ_KEY\x01"
TAGS = "TAGS\x01"
KEYS = "KEYS\x01"
END = "\x02"


def is_acted_on(text: str) -> bool:
    """Whether properties may hold one on which the broker must act. Never a false no."""
    return (
        "DELAY" in text
        or "TIMER_" in text
        or "TRAN_MSG\x01" in text
        or "CLUSTER\x01" in text
        or "MSG_REGION\x01" in text
        or "TRACE_ON\x01" in text
        or "POP_CK\x01" in text
    )


def unique_key_of(text: str, new_unique_key: Callable[[], str]) -> str | None:
    """The unique key of plain properties; a new one if they have none; None if in doubt."""
    start = text.rfind(UNIQUE_KEY)
    if start < 0:
        return new_unique_key()
    if start and text[start - 1] != END:
        return None
    return text[start + len(UNIQUE_KEY) : text.find(END, start)] or None


def wanted_of(text: str, unique_key: str) -> dict[bytes, bytes] | None:
    """What ``rmq.store.dispatch.wanted_properties`` finds in plain properties; None if in doubt."""
    if KEYS in text:
        return None
    start = text.rfind(TAGS)
    if start < 0:
        return {b"UNIQ_KEY": unique_key.encode()}
    tags = text[start + len(TAGS) : text.find(END, start)]
    if not tags or (start and text[start - 1] != END):
        return None
    return {b"UNIQ_KEY": unique_key.encode(), b"TAGS": tags.encode()}
