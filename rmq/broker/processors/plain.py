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
UNIQUE_KEY_SIZE, TAGS_SIZE = len(UNIQUE_KEY), len(TAGS)


def read(
    text: str, new_unique_key: Callable[[], str]
) -> tuple[bytes, dict[bytes, bytes] | None, bool] | None:
    """What there is to know of plain properties; None if they are not plain, or in doubt.

    The unique key, which is a new one if they have none, whether it is new, and, second, what
    ``rmq.store.dispatch.wanted_properties`` finds in them, None if that is in doubt. ``text`` is
    empty or ends a property.
    """
    if (
        "DELAY" in text
        or "TIMER_" in text
        or "TRAN_MSG\x01" in text
        or "CLUSTER\x01" in text
        or "MSG_REGION\x01" in text
        or "TRACE_ON\x01" in text
        or "POP_CK\x01" in text
    ):
        return None
    at = text.rfind(UNIQUE_KEY)
    if at < 0:
        unique_key = new_unique_key().encode()
    else:
        unique_key = text[at + UNIQUE_KEY_SIZE : text.find(END, at)].encode(errors="replace")
        if not unique_key or (at and text[at - 1] != END):
            return None
    if KEYS in text:
        return unique_key, None, at < 0
    tags_at = text.rfind(TAGS)
    if tags_at < 0:
        return unique_key, {b"UNIQ_KEY": unique_key}, at < 0
    tags = text[tags_at + TAGS_SIZE : text.find(END, tags_at)].encode(errors="replace")
    if not tags or (tags_at and text[tags_at - 1] != END):
        return unique_key, None, at < 0
    return unique_key, {b"UNIQ_KEY": unique_key, b"TAGS": tags}, at < 0
