"""Expressions: their grammar, and the tree that is made of them.

::

    expression = or                              (what follows it is ignored, as by Java)
    or         = and { OR and }
    and        = equality { AND equality }
    equality   = comparison { ( "=" | "<>" ) comparison | IS [ NOT ] NULL }
    comparison = unary { ( ">" | ">=" | "<" | "<=" ) unary
                       | [ NOT ] ( CONTAINS | STARTSWITH | ENDSWITH ) STRING
                       | [ NOT ] BETWEEN unary AND unary
                       | [ NOT ] IN "(" STRING { "," STRING } ")" }
    unary      = ( "+" | "-" | NOT ) unary | primary
    primary    = STRING | INTEGER | DECIMAL | TRUE | FALSE | NULL | NAME | "(" or ")"

So NOT binds tighter than comparisons: ``NOT a = 1`` is ``(NOT a) = 1``. All operators of one line
are taken from left to right.

Java refuses when it reads what it knows to be wrong, by its own rules:

- *conditions* are what gives TRUE, FALSE or NULL: comparisons, NOT, AND, OR, and the literals TRUE,
  FALSE, NULL. AND, OR, NOT and the whole take conditions, and names: a name by itself is never
  TRUE (its value is text), it is FALSE, or NULL without the property.
- ``> >= < <= BETWEEN`` take neither conditions nor literals that are no numbers; what a sign stands
  before is no literal any more.
- ``= <>`` take no literal NULL, and no literal TRUE or FALSE on the left of another literal kind.
- IN takes a name only; BETWEEN two literals in their order only.
- Integers fit in 64 bits; decimals are finite and greater than 0.

Source: SelectorParser.jj, ComparisonExpression.java, UnaryExpression.java, 5.3.3. The limits on
length and depth are ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from rmq.store.sql92.lexer import (
    DECIMAL,
    EOF,
    INTEGER,
    NAME,
    STRING,
    ExpressionError,
    Word,
    Words,
)

DEPTH_MAX: Final = 64
"""Levels of nesting, of signs and parentheses as of operators, at most: reading takes nine Python
calls a level, evaluating one. A chain of ANDs or ORs is one level however long."""

INT_MAX: Final = 2**31 - 1
LONG_MAX: Final = 2**63 - 1

TEXT_OPERATORS: Final = frozenset({"CONTAINS", "STARTSWITH", "ENDSWITH"})
ORDER_OPERATORS: Final = frozenset({">", ">=", "<", "<="})
NEGATABLE: Final = TEXT_OPERATORS | {"BETWEEN", "IN"}


class Kind(Enum):
    """Java's class of a value; a NULL may be of any."""

    NULL = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    LONG = auto()
    DOUBLE = auto()
    STRING = auto()


NUMBERS: Final = frozenset({Kind.INTEGER, Kind.LONG, Kind.DOUBLE})

Value: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known beforehand; ``literal`` unless a sign stood before it."""

    value: Value
    kind: Kind
    literal: bool = True


@dataclass(frozen=True, slots=True)
class Property:
    """A property's text, or NULL."""

    name: str


@dataclass(frozen=True, slots=True)
class Negated:
    """Minus a condition: evaluated, but always NULL."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Cast:
    """A name as condition."""

    operand: Property


@dataclass(frozen=True, slots=True)
class Not:
    """TRUE becomes FALSE and FALSE TRUE."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Logic:
    """Two or more conditions joined by AND, or by OR (``is_or``)."""

    is_or: bool
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Equal:
    """Whether two values are equal; IS NULL is equality with NULL."""

    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Ordered:
    """One of the ``ORDER_OPERATORS``."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Text:
    """One of the ``TEXT_OPERATORS``."""

    operator: str
    operand: "Node"
    search: str
    negated: bool


@dataclass(frozen=True, slots=True)
class In:
    """Whether a property is one of some strings."""

    operand: Property
    values: frozenset[str]
    negated: bool


Node: TypeAlias = Constant | Property | Negated | Cast | Not | Logic | Equal | Ordered | Text | In

NULL: Final = Constant(None, Kind.NULL)
_NOTHING: Final = Constant(None, Kind.NULL, literal=False)
_TRUTHS: Final = {
    "TRUE": Constant(value=True, kind=Kind.BOOLEAN),
    "FALSE": Constant(value=False, kind=Kind.BOOLEAN),
    "NULL": NULL,
}
_CONDITIONS: Final = (Cast, Not, Logic, Equal, Ordered, Text, In)


def parse(text: str) -> Node:
    """The tree of an expression, a condition.

    :raises ExpressionError: it is not one that RocketMQ takes, too long, or nested too deep.
    """
    return _Parser(text).whole()


def is_condition(node: Node) -> bool:
    """Whether a node gives TRUE, FALSE or NULL, by Java's classes."""
    if isinstance(node, Constant):
        return node.literal and node.kind in {Kind.BOOLEAN, Kind.NULL}
    return isinstance(node, _CONDITIONS)


class _Parser:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._words = Words(text)
        self._depth = 0

    def whole(self) -> Node:
        at = self._words.peek()
        tree = _condition(self._or(), at)
        if _is_too_deep(tree):
            raise _too_deep(at)
        return tree

    def _expect(self, kind: str, what: str) -> Word:
        word = self._words.take()
        if word.kind != kind:
            raise _unexpected(word, what)
        return word

    def _nested(self, at: Word, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise _too_deep(at)
        node = read()
        self._depth -= 1
        return node

    def _or(self) -> Node:
        return self._joined("OR", self._and)

    def _and(self) -> Node:
        return self._joined("AND", self._equality)

    def _joined(self, keyword: str, read: Callable[[], Node]) -> Node:
        at = self._words.peek()
        first = read()
        if self._words.peek().kind != keyword:
            return first
        operands = [_condition(first, at)]
        while self._words.peek().kind == keyword:
            self._words.take()
            at = self._words.peek()
            operands.append(_condition(read(), at))
        return Logic(keyword == "OR", tuple(operands))

    def _equality(self) -> Node:
        at = self._words.peek()
        left = self._comparison()
        while (word := self._words.peek()).kind in {"=", "<>", "IS"}:
            self._words.take()
            if word.kind == "IS":
                negated = self._words.peek().kind == "NOT"
                if negated:
                    self._words.take()
                self._expect("NULL", "NULL" if negated else "NULL or NOT NULL")
                left = Equal(left, NULL)
            else:
                right_at = self._words.peek()
                right = self._comparison()
                _check_equal(left, at, right, right_at)
                left = Equal(left, right)
                negated = word.kind == "<>"
            if negated:
                left = Not(left)
        return left

    def _comparison(self) -> Node:
        at = self._words.peek()
        left = self._unary()
        while (word := self._words.peek()).kind in ORDER_OPERATORS | NEGATABLE | {"NOT"}:
            self._words.take()
            if word.kind in ORDER_OPERATORS:
                left = self._ordered(word.kind, left, at)
                continue
            negated = word.kind == "NOT"
            if negated:
                word = self._words.take()
            if word.kind in TEXT_OPERATORS:
                search = _string(self._expect(STRING, "a string"))
                left = Text(word.kind, left, search, negated)
            elif word.kind == "BETWEEN":
                left = self._between(left, at, negated=negated)
            elif word.kind == "IN":
                left = self._in(left, at, negated=negated)
            else:
                raise _unexpected(word, "CONTAINS, STARTSWITH, ENDSWITH, BETWEEN or IN after NOT")
        return left

    def _ordered(self, operator: str, left: Node, at: Word) -> Node:
        right_at = self._words.peek()
        right = self._unary()
        _check_ordered(left, at)
        _check_ordered(right, right_at)
        return Ordered(operator, left, right)

    def _between(self, value: Node, at: Word, *, negated: bool) -> Node:
        low_at = self._words.peek()
        low = self._unary()
        self._expect("AND", "AND between the limits of BETWEEN")
        high_at = self._words.peek()
        high = self._unary()
        for limit, limit_at in ((value, at), (low, low_at), (high, high_at)):
            _check_ordered(limit, limit_at)
        if negated:
            return Logic(True, (Ordered("<", value, low), Ordered(">", value, high)))
        if _is_number(low) and _is_number(high) and _below(high, low):
            raise ExpressionError(low_at.position, "the limits of BETWEEN are in wrong order")
        return Logic(False, (Ordered(">=", value, low), Ordered("<=", value, high)))

    def _in(self, left: Node, at: Word, *, negated: bool) -> Node:
        self._expect("(", "'(' after IN")
        values = [_string(self._expect(STRING, "a string"))]
        while (word := self._words.take()).kind == ",":
            values.append(_string(self._expect(STRING, "a string")))
        if word.kind != ")":
            raise _unexpected(word, "',' or ')'")
        if not isinstance(left, Property):
            raise ExpressionError(at.position, "expected the name of a property before IN")
        return In(left, frozenset(values), negated)

    def _unary(self) -> Node:
        word = self._words.peek()
        if word.kind == "+":
            self._words.take()
            return self._nested(word, self._unary)
        if word.kind == "-":
            self._words.take()
            return _negative(self._nested(word, self._unary))
        if word.kind == "NOT":
            self._words.take()
            at = self._words.peek()
            return Not(_condition(self._nested(word, self._unary), at))
        return self._primary()

    def _primary(self) -> Node:
        word = self._words.take()
        if word.kind == NAME:
            return Property(word.text)
        if word.kind == STRING:
            return Constant(_string(word), Kind.STRING)
        if word.kind == INTEGER:
            return _integer(word)
        if word.kind == DECIMAL:
            return _decimal(word)
        if word.kind == "(":
            inner = self._nested(word, self._or)
            self._expect(")", "')'")
            return inner
        if word.kind in _TRUTHS:
            return _TRUTHS[word.kind]
        raise _unexpected(word, "a name, a value, or '('")


def _unexpected(word: Word, what: str) -> ExpressionError:
    return ExpressionError(word.position, f"expected {what}, found {word.shown}")


def _too_deep(at: Word) -> ExpressionError:
    return ExpressionError(at.position, f"nested deeper than {DEPTH_MAX} levels")


def _is_too_deep(tree: Node) -> bool:
    """Chains of comparisons nest without parentheses, and are seen only here."""
    level: list[Node] = [tree]
    for _ in range(DEPTH_MAX + 1):
        level = [child for node in level for child in _children(node)]
    return bool(level)


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Logic():
            return node.operands
        case Equal() | Ordered():
            return node.left, node.right
        case Negated() | Not() | Cast() | Text() | In():
            return (node.operand,)
        case _:
            return ()


def _condition(node: Node, at: Word) -> Node:
    if isinstance(node, Property):
        return Cast(node)
    if not is_condition(node):
        what = at.shown if at.kind != EOF else "this"
        raise ExpressionError(at.position, f"expected a condition, but {what} begins a value")
    return node


def _check_ordered(node: Node, at: Word) -> None:
    """Source: ComparisonExpression.java, checkLessThanOperand(), 5.3.3."""
    if is_condition(node) or (isinstance(node, Constant) and node.literal and not _is_number(node)):
        raise ExpressionError(
            at.position,
            f"expected a number or a name to compare by order, found what begins with {at.shown}",
        )


def _check_equal(left: Node, left_at: Word, right: Node, right_at: Word) -> None:
    """Source: ComparisonExpression.java, checkEqualOperandCompatability(), 5.3.3."""
    for node, at in ((left, left_at), (right, right_at)):
        if node == NULL:
            raise ExpressionError(at.position, "nothing equals NULL; say IS NULL or IS NOT NULL")
    if (
        isinstance(left, Constant)
        and isinstance(right, Constant)
        and is_condition(left)
        and right.literal
        and not is_condition(right)
    ):
        raise ExpressionError(left_at.position, f"{left_at.shown} cannot equal {right_at.shown}")


def _is_number(node: Node) -> bool:
    return isinstance(node, Constant) and node.literal and node.kind in NUMBERS


def _below(left: Node, right: Node) -> bool:
    """Whether a number is less than another, as Java promotes them."""
    assert isinstance(left, Constant)
    assert isinstance(right, Constant)
    assert isinstance(left.value, (int, float))
    assert isinstance(right.value, (int, float))
    if Kind.DOUBLE in {left.kind, right.kind}:
        return float(left.value) < float(right.value)
    return left.value < right.value


def _negative(node: Node) -> Node:
    if isinstance(node, Constant) and isinstance(node.value, (int, float)) and node.kind in NUMBERS:
        return Constant(-node.value, node.kind, literal=False)
    if isinstance(node, (Constant, Property)):
        return _NOTHING
    return Negated(node)


def _string(word: Word) -> str:
    return word.text[1:-1].replace("''", "'")


def _integer(word: Word) -> Constant:
    digits = word.text.rstrip("lL")
    value = int(digits) if len(digits) <= len(str(LONG_MAX)) else LONG_MAX + 1
    if value > LONG_MAX:
        raise ExpressionError(word.position, f"expected an integer of {LONG_MAX} at most")
    return Constant(value, Kind.INTEGER if value <= INT_MAX else Kind.LONG)


def _decimal(word: Word) -> Constant:
    value = float(word.text)
    if not 0 < value < float("inf"):
        raise ExpressionError(
            word.position, "expected a decimal that is finite and greater than 0 as a double"
        )
    return Constant(value, Kind.DOUBLE)
