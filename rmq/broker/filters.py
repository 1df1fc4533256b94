"""Which messages a subscription wants, by tag or by SQL92.

Of tags, the broker compares hashes of whole tags only; the client compares the text again. An
expression is ``*`` (all) or tags joined by ``||``. SQL92 is read and judged in ``rmq.store.sql92``.
Source: FilterAPI.java, ExpressionMessageFilter.java, 5.3.3.
"""

from functools import lru_cache

from codec.message.java_hash import java_hash
from rmq.store.sql92 import Expression, ExpressionError, compile_expression

TAG = "TAG"
SQL92 = "SQL92"
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


def compile_filter(expression_type: str | None, expression: str | None) -> Expression:
    """What judges messages by an expression that is not one of tags.

    :raises ExpressionError: the type is unknown, or the expression cannot be used.
    """
    if expression_type != SQL92:
        raise ExpressionError(1, f"expression type {expression_type!r}, expected TAG or SQL92")
    return compile_expression(expression or "")
