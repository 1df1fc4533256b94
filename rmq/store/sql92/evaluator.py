"""What an expression says of a message: TRUE, FALSE, NULL, or nothing since it fails.

A message matches if the answer is TRUE. Rules, as Java has them:

- A property is text, or NULL without it. A condition that fails makes the whole fail, unless AND or
  OR know their answer before they come to it: they look from left to right, AND until the first
  FALSE, OR until the first TRUE; else NULL if any is NULL.
- ``> >= < <=``: NULL if either side is. Text against a number becomes a number of that very class:
  ``a > 5`` fails for "5.5" and for "3000000000", ``a > 5.0`` does not. Text against text: both
  become doubles. What is no number fails. Doubles are in Java's total order: NaN is the greatest,
  -0.0 below 0.0.
- ``=``: NULL and NULL are equal; NULL and a value: NULL; a value and NULL: FALSE. Text against
  text letter for letter, against numbers as above; text against a condition: TRUE if it says
  "true" in any case and so does the condition; a condition against text fails; other classes
  are never equal.
- CONTAINS, STARTSWITH, ENDSWITH and their negations: FALSE for what is no text, and for ''.
- IN: NULL for NULL.

Each node becomes a function of the properties' bytes; only named properties are looked up.
Source: ComparisonExpression.java, UnaryExpression.java, LogicExpression.java,
ExpressionMessageFilter.java, 5.3.3.
"""

import operator
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import copysign, inf
from typing import Any, Final, NoReturn, TypeAlias

from codec.message.properties import find
from rmq.store.sql92.parser import (
    INT_MAX,
    LONG_MAX,
    NUMBERS,
    Cast,
    Constant,
    Equal,
    In,
    Kind,
    Logic,
    Negated,
    Node,
    Not,
    Ordered,
    Property,
    Text,
    Value,
    parse,
)

EXPRESSIONS_KEPT: Final = 256
"""Compiled expressions kept for the next who says the same (up to some 300 KB each)."""

Function: TypeAlias = Callable[[bytes], Value]
"""Of the properties' bytes. Raises only ``EvaluationError``."""
Compare: TypeAlias = Callable[[Any, Any], bool]
"""Of two values whose classes are known when it is chosen, which types cannot say."""

ORDERS: Final[dict[str, Compare]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

_INTEGER: Final = re.compile(r"[+-]?\d+")
_DECIMAL: Final = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)"
)
_HEXADECIMAL: Final = re.compile(
    r"([+-]?0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)[fFdD]?"
)
_BLANKS: Final = "".join(map(chr, range(33)))
_DIGITS_MAX: Final = 4_000
"""Digits of an integer without leading zeros; Python reads no more than 4,300."""


class EvaluationError(Exception):
    """An expression cannot be evaluated for these properties: they are not what it compares."""


class Expression:
    """One expression, ready to judge messages."""

    __slots__ = ("cost", "evaluate", "text")

    def __init__(self, text: str) -> None:
        """Reads and compiles it.

        :raises rmq.store.sql92.lexer.ExpressionError: it is none.
        """
        tree = parse(text)
        self.text = text
        self.evaluate: Function = _function(tree)
        self.cost = _cost(tree)

    evaluate: Function
    """Its answer: True, False or None (NULL); raises EvaluationError if it fails."""
    cost: int
    """How many comparisons it takes at most, 1 or more."""

    def matches(self, properties: bytes) -> bool:
        """Whether a message with these properties (as stored) is wanted."""
        try:
            return self.evaluate(properties) is True
        except EvaluationError:
            return False


@lru_cache(maxsize=EXPRESSIONS_KEPT)
def compile_expression(text: str) -> Expression:
    """The expression of a text.

    :raises rmq.store.sql92.lexer.ExpressionError: it is none.
    """
    return Expression(text)


def _cost(node: Node) -> int:
    if isinstance(node, Logic):
        return sum(map(_cost, node.operands))
    if isinstance(node, (Equal, Ordered)):
        return max(1, _cost(node.left) + _cost(node.right) - 1)
    if isinstance(node, (Not, Negated, Text)):
        return _cost(node.operand)
    return 1


def _function(node: Node) -> Function:
    match node:
        case Constant():
            return _constant(node.value)
        case Property():
            return _property(node.name)
        case Negated():
            return _negated(_function(node.operand))
        case Cast():
            return _cast(_function(node.operand))
        case Not():
            return _not(_function(node.operand))
        case Logic():
            functions = [_function(one) for one in node.operands]
            return _or(functions) if node.is_or else _and(functions)
        case Equal():
            return _equal(node)
        case Ordered():
            return _ordered(node)
        case Text():
            return _text(node)
    return _in(node)


def _constant(value: Value) -> Function:
    return lambda properties: value  # noqa: ARG005 - a Function


def _property(name: str) -> Function:
    wanted = name.encode()

    def text(properties: bytes) -> str | None:
        value = find(properties, wanted)
        return None if value is None else value.decode(errors="replace")

    return text


def _negated(operand: Function) -> Function:
    def nothing(properties: bytes) -> None:
        operand(properties)

    return nothing


def _cast(operand: Function) -> Function:
    return lambda properties: None if operand(properties) is None else False


def _not(operand: Function) -> Function:
    def opposite(properties: bytes) -> bool | None:
        value = operand(properties)
        return None if value is None else not value

    return opposite


def _and(operands: Sequence[Function]) -> Function:
    def all_of(properties: bytes) -> bool | None:
        answer: bool | None = True
        for operand in operands:
            value = operand(properties)
            if value is False:
                return False
            if value is None:
                answer = None
        return answer

    return all_of


def _or(operands: Sequence[Function]) -> Function:
    def any_of(properties: bytes) -> bool | None:
        answer: bool | None = False
        for operand in operands:
            value = operand(properties)
            if value is True:
                return True
            if value is None:
                answer = None
        return answer

    return any_of


def _ordered(node: Ordered) -> Function:
    rule = _rule(_kind(node.left), _kind(node.right), ORDERS[node.operator], by_order=True)
    return _compared(_function(node.left), _function(node.right), rule)


def _equal(node: Equal) -> Function:
    left, right = _function(node.left), _function(node.right)
    rule = _rule(_kind(node.left), _kind(node.right), operator.eq, by_order=False)
    if isinstance(node.right, Constant) and node.right.value is not None:
        return _compared(left, right, rule)  # the right is never NULL: no more to ask

    def equal(properties: bytes) -> bool | None:
        left_value, right_value = left(properties), right(properties)
        if left_value is None:
            return True if right_value is None else None
        return False if right_value is None else rule(left_value, right_value)

    return equal


def _compared(left: Function, right: Function, rule: Compare) -> Function:
    """NULL if either side is, else what the rule says of them."""

    def compared(properties: bytes) -> bool | None:
        left_value = left(properties)
        if left_value is None:
            return None
        right_value = right(properties)
        if right_value is None:
            return None
        return rule(left_value, right_value)

    return compared


def _rule(left: Kind, right: Kind, holds: Compare, *, by_order: bool) -> Compare:
    """How values of two classes are compared, neither being NULL.

    Source: ComparisonExpression.java, __compare(), evaluate(), 5.3.3.
    """
    kinds = {left, right}
    if kinds == {Kind.STRING} and by_order:
        return lambda a, b: holds(_order(_double(a)), _order(_double(b)))
    if left is right or Kind.NULL in kinds:
        return holds
    if kinds <= NUMBERS:
        return holds if Kind.DOUBLE not in kinds else lambda a, b: holds(float(a), float(b))
    if Kind.DOUBLE in kinds and Kind.STRING in kinds:
        if left is Kind.STRING:
            return lambda a, b: holds(_order(_double(a)), _order(b))
        return lambda a, b: holds(_order(a), _order(_double(b)))
    if left is Kind.STRING and right in NUMBERS:
        from_left = NUMBERS_OF_TEXT[right]
        return lambda a, b: holds(from_left(a), b)
    if right is Kind.STRING and left in NUMBERS:
        from_right = NUMBERS_OF_TEXT[left]
        return lambda a, b: holds(a, from_right(b))
    if (left, right) == (Kind.STRING, Kind.BOOLEAN):
        return lambda a, b: (a.lower() == "true") is b
    if (left, right) == (Kind.BOOLEAN, Kind.STRING):
        return _refuse
    return lambda a, b: False  # noqa: ARG005 - a Compare


def _refuse(left: Value, right: Value) -> NoReturn:
    raise EvaluationError(f"a condition ({left}) is compared with text ({right!r})")


def _kind(node: Node) -> Kind:
    match node:
        case Constant():
            return node.kind
        case Property():
            return Kind.STRING
        case Negated():
            return Kind.NULL
        case _:
            return Kind.BOOLEAN


def _order(value: float) -> tuple[bool, float, float]:
    """A double's place in Java's total order. Source: Double.java, compareTo()."""
    if value != value:  # noqa: PLR0124 - NaN
        return True, 0.0, 1.0
    return False, value, copysign(1.0, value)


def _text(node: Text) -> Function:
    search, negated = node.search, node.negated
    if not search:
        return _constant(value=False)
    operand = _function(node.operand)
    holds: Callable[[str, str], bool] = TEXT_RULES[node.operator]

    def judged(properties: bytes) -> bool:
        value = operand(properties)
        return isinstance(value, str) and holds(value, search) is not negated

    return judged


def _in(node: In) -> Function:
    operand, values, negated = _property(node.operand.name), node.values, node.negated

    def judged(properties: bytes) -> bool | None:
        value = operand(properties)
        return None if value is None else (value in values) is not negated

    return judged


def _int(text: str) -> int:
    """Source: Integer.java, valueOf()."""
    value = _long(text)
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise EvaluationError(f"{text!r} is no integer of 32 bits")
    return value


def _long(text: str) -> int:
    """Source: Long.java, valueOf(). Digits of all scripts count, those beyond U+FFFF do not."""
    if _INTEGER.fullmatch(text) and len(digits := text.lstrip("+-0")) <= _DIGITS_MAX:
        sign = -1 if text[0] == "-" else 1
        value = sign * int(digits or "0")
        if -LONG_MAX - 1 <= value <= LONG_MAX and max(text) <= "\uffff":
            return value
    raise EvaluationError(f"{text[:40]!r} is no integer of 64 bits")


def _double(text: str) -> float:
    """Source: Double.java, valueOf()."""
    trimmed = text.strip(_BLANKS)
    if _DECIMAL.fullmatch(trimmed):
        return float(trimmed if trimmed[-1] in "yN" else trimmed.rstrip("fFdD"))
    hexadecimal = _HEXADECIMAL.fullmatch(trimmed)
    if hexadecimal is None:
        raise EvaluationError(f"{text[:40]!r} is no number")
    try:
        return float.fromhex(hexadecimal[1])
    except OverflowError:
        return -inf if trimmed[0] == "-" else inf


NUMBERS_OF_TEXT: Final[dict[Kind, Callable[[str], int]]] = {
    Kind.INTEGER: _int,
    Kind.LONG: _long,
}
TEXT_RULES: Final[dict[str, Callable[[str, str], bool]]] = {
    "CONTAINS": operator.contains,
    "STARTSWITH": str.startswith,
    "ENDSWITH": str.endswith,
}
