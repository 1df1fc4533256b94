r"""The words of an expression.

============  ======================================================================
word          text
============  ======================================================================
keyword       NOT AND OR BETWEEN IN TRUE FALSE NULL IS CONTAINS STARTSWITH ENDSWITH,
              in any case
NAME          ``[A-Za-z_$][A-Za-z0-9_$]*`` that is no keyword
STRING        ``'`` any characters, ``''`` for one ``'`` ``'``
INTEGER       ``0`` or ``[1-9][0-9]*`` with or without ``l`` or ``L``
DECIMAL       digits with a point, an exponent, or both: ``5.`` ``.5`` ``5E-1``
sign          ``= <> > >= < <= ( ) , + -``
EOF           the end
============  ======================================================================

Between words there may be blanks, ``/* comments */``, and ``-- comments`` that end with their line;
at the end of the text ``--`` is two signs. The longest word wins; so ``007`` is three integers
(there are no octal and no hexadecimal numbers).

Words are read one by one, as the parser asks for them: Java never looks at what follows the word
behind the expression, whatever it is. Source: SelectorParser.jj, 5.3.3.
"""

import re
from typing import Final, NamedTuple

EXPRESSION_MAX: Final = 8_192
"""Characters of an expression, at most: so that reading one takes milliseconds."""

NAME, STRING, INTEGER, DECIMAL, EOF = "name", "string", "integer", "decimal", "end"
KEYWORDS: Final = frozenset(
    {"NOT", "AND", "OR", "BETWEEN", "IN", "TRUE", "FALSE", "NULL", "IS"}
    | {"CONTAINS", "STARTSWITH", "ENDSWITH"}
)

_SKIPPED: Final = re.compile(r"(?:[ \t\n\r\f]|--[^\n\r]*[\n\r]|/\*.*?\*/)*", re.DOTALL)
_WORD: Final = re.compile(
    r"""(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    | (?P<string>'(?:''|[^'])*')
    | (?P<decimal>(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)
    | (?P<integer>0|[1-9][0-9]*[lL]?)
    | (?P<sign><>|>=|<=|[=<>(),+-])""",
    re.VERBOSE,
)


class ExpressionError(ValueError):
    """An expression that cannot be used: where, counted in characters from 1, and why."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"character {position}: {reason}")
        self.position = position
        self.reason = reason


class Word(NamedTuple):
    """One word; ``kind`` of keywords and signs is their own text, keywords in capitals."""

    kind: str
    text: str
    position: int

    @property
    def shown(self) -> str:
        """As errors name it."""
        return "the end" if self.kind == EOF else repr(self.text)


class Words:
    """The words of a text, one by one."""

    def __init__(self, text: str) -> None:
        """Reads nothing yet.

        :raises ExpressionError: the text is too long.
        """
        if len(text) > EXPRESSION_MAX:
            raise ExpressionError(
                EXPRESSION_MAX + 1,
                f"the expression has {len(text)} characters, expected {EXPRESSION_MAX} at most",
            )
        self._text = text
        self._at = 0
        self._next: Word | None = None

    def peek(self) -> Word:
        """The next word, not taken.

        :raises ExpressionError: no word begins here.
        """
        if self._next is None:
            self._next = self._read()
        return self._next

    def take(self) -> Word:
        """The next word; at the end that is EOF again and again.

        :raises ExpressionError: no word begins here.
        """
        word = self.peek()
        self._next = None
        return word

    def _read(self) -> Word:
        skipped = _SKIPPED.match(self._text, self._at)
        assert skipped is not None, "nothing is enough to match"
        at = skipped.end()
        position = at + 1
        if at == len(self._text):
            return Word(EOF, "", position)
        found = _WORD.match(self._text, at)
        if found is None:
            raise ExpressionError(position, _cause(self._text[at]))
        self._at = found.end()
        text = found.group()
        kind = found.lastgroup
        assert kind is not None, "each alternative has a name"
        if kind == "sign":
            kind = text
        elif kind == NAME and text.upper() in KEYWORDS:
            kind = text.upper()
        return Word(kind, text, position)


def _cause(character: str) -> str:
    if character == "'":
        return "a string begins here and does not end"
    return f"{character!r} begins no word; names and strings in '', numbers and operators do"
