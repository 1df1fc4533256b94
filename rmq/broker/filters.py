"""Which messages a subscription wants, by tag.

The broker compares hashes of whole tags only; the client compares the text again. An expression is
``*`` (all) or tags joined by ``||``. Source: FilterAPI.java, ExpressionMessageFilter.java, 5.3.3.
"""

from functools import lru_cache

from codec.message.java_hash import java_hash

TAG = "TAG"
SUBSCRIBE_ALL = "*"
EXPRESSIONS_KEPT = 4_096
"""Parsed expressions kept for the next pull that sends one."""


def is_tag_type(expression_type: str | None) -> bool:
    """Whether an expression is one of tags; so is one without a type."""
    return not expression_type or expression_type == TAG


@lru_cache(maxsize=EXPRESSIONS_KEPT)
def tag_codes(expression: str | None) -> frozenset[int] | None:
    """The hashes wanted; None for all. Tags that are blank count as none: they match nothing.

    :raises ValueError: nothing but separators: no tag at all.
    """
    if not expression or expression == SUBSCRIBE_ALL:
        return None
    tags = [tag.strip() for tag in expression.split("||")]
    if not any(expression.split("||")):
        raise ValueError(f"subscription {expression!r} names no tag, expected '*' or 'a || b'")
    return frozenset(java_hash(tag) for tag in tags if tag)
