"""The reader of fastjson's dialect: for what msgspec refuses, hence slow and lax.

Time and memory are linear in the length of the text: each character is looked at a bounded number
of times, depth is bounded, and references may not blow the value up.
"""

import re
from dataclasses import dataclass

from codec.errors import CodecError

DEPTH_MAX = 100
"""Levels of objects and lists in each other; no body has more than ten."""

NUMBER_CHARS_MAX = 40
"""Characters of a number; 64 bits need 20, a double 25."""

EXPANSION_MAX = 4
"""Values after references were replaced, as a multiple of the characters read."""

REFERENCE_KEY = "$ref"

_BLANKS = re.compile(r"[ \t\r\n\f\b]*")
_COMMAS = re.compile(r"[ \t\r\n\f\b,]*")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_INTEGER_KEY = re.compile(r"-?[0-9]+")
_NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_PLAIN = {'"': re.compile(r'[^"\\]*'), "'": re.compile(r"[^'\\]*")}
_PATH_STEP = re.compile(r"\[([0-9]{1,9})\]|\.((?:[^.\[\\]|\\.)+)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")

_WORDS = {"true": True, "false": False, "null": None, "NaN": None, "undefined": None}
_ESCAPES = {
    '"': '"', "'": "'", "\\": "\\", "/": "/",
    "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "0": "\0", "1": "\1", "2": "\2", "3": "\3", "4": "\4", "5": "\5", "6": "\6", "7": "\7",
}  # fmt: skip
_HEX_DIGITS = {"u": 4, "x": 2}


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """An object that stood as a key: its members in order."""

    items: tuple[tuple[str, object], ...]


class _Reference:
    """The place of a reference until all is read."""

    def __init__(self, path: str) -> None:
        self.path = path


def read(body: bytes) -> object:
    """Read one value in fastjson's dialect.

    :raises CodecError: it is something else, or beyond a bound of this module.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise CodecError(f"JSON that is not UTF-8: {error}") from error
    reader = _Reader(text)
    value = reader.whole()
    if reader.referred:
        return _Resolver(value, EXPANSION_MAX * len(text)).resolve(value)
    return value


class _Reader:
    """One pass over the text; ``_position`` is where it goes on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.referred = False

    def whole(self) -> object:
        self._skip(_BLANKS)
        value = self._value(0)
        self._skip(_BLANKS)
        if self._position != len(self._text):
            raise self._refusal("the end")
        return value

    def _refusal(self, expected: str) -> CodecError:
        found = self._text[self._position : self._position + 20]
        return CodecError(f"JSON at character {self._position}: expected {expected}, not {found!r}")

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._position)
        assert match is not None  # it matches nothing, too
        self._position = match.end()

    def _here(self) -> str:
        return self._text[self._position : self._position + 1]

    def _value(self, depth: int) -> object:
        first = self._here()
        if first in ("{", "["):
            if depth >= DEPTH_MAX:
                raise self._refusal(f"at most {DEPTH_MAX} levels")
            self._position += 1
            return self._object(depth + 1) if first == "{" else self._list(depth + 1)
        if first in ('"', "'"):
            return self._string()
        number = _NUMBER.match(self._text, self._position)
        if number is not None:
            return self._number(number)
        name = _NAME.match(self._text, self._position)
        if name is None or name.group() not in _WORDS:
            raise self._refusal("a value")
        self._position = name.end()
        return _WORDS[name.group()]

    def _number(self, match: re.Match[str]) -> int | float:
        if match.end() - match.start() > NUMBER_CHARS_MAX:
            raise self._refusal(f"a number of at most {NUMBER_CHARS_MAX} characters")
        self._position = match.end()
        text = match.group()
        return int(text) if text.lstrip("-").isdigit() else float(text)

    def _list(self, depth: int) -> list[object]:
        items: list[object] = []
        self._skip(_COMMAS)
        while self._here() != "]":
            items.append(self._value(depth))
            self._end_member("]")
        self._position += 1
        return items

    def _object(self, depth: int) -> object:
        members: dict[object, object] = {}
        self._skip(_COMMAS)
        while self._here() != "}":
            key = self._key(depth)
            self._skip(_BLANKS)
            if self._here() != ":":
                raise self._refusal("a colon")
            self._position += 1
            self._skip(_BLANKS)
            members[key] = self._value(depth)
            self._end_member("}")
        self._position += 1
        path = members.get(REFERENCE_KEY)
        if len(members) == 1 and isinstance(path, str):
            self.referred = True
            return _Reference(path)
        return members

    def _end_member(self, closing: str) -> None:
        self._skip(_BLANKS)
        if self._here() not in (",", closing) or not self._here():
            raise self._refusal(f"a comma or {closing}")
        self._skip(_COMMAS)

    def _key(self, depth: int) -> object:
        first = self._here()
        if first in ('"', "'"):
            return self._string()
        if first == "{":
            return self._object_key(depth)
        number = _INTEGER_KEY.match(self._text, self._position)
        if number is not None:
            return self._number(number)
        name = _NAME.match(self._text, self._position)
        if name is None:
            raise self._refusal("a key")
        self._position = name.end()
        return name.group()

    def _object_key(self, depth: int) -> ObjectKey:
        start = self._position
        members = self._value(depth)
        if not isinstance(members, dict) or not all(
            isinstance(name, str) and (item is None or isinstance(item, str | int | float))
            for name, item in members.items()
        ):
            self._position = start
            raise self._refusal("an object of plain members as key")
        return ObjectKey(tuple(members.items()))

    def _string(self) -> str:
        quote = self._here()
        plain = _PLAIN[quote]
        self._position += 1
        parts: list[str] = []
        escaped = False
        while True:
            start = self._position
            self._skip(plain)
            parts.append(self._text[start : self._position])
            if self._here() == quote:
                self._position += 1
                text = "".join(parts)
                return _joined_surrogates(text) if escaped else text
            parts.append(self._escape())
            escaped = True

    def _escape(self) -> str:
        start = self._position
        letter = self._text[start + 1 : start + 2]
        if letter in _ESCAPES:
            self._position = start + 2
            return _ESCAPES[letter]
        digits = _HEX_DIGITS.get(letter, 0)
        code = self._text[start + 2 : start + 2 + digits]
        if not digits or len(code) < digits or not all(c in "0123456789abcdefABCDEF" for c in code):
            raise self._refusal("the rest of a string")
        self._position = start + 2 + digits
        return chr(int(code, 16))


def _joined_surrogates(text: str) -> str:
    """Pairs of escaped UTF-16 units become characters, lone ones what Java writes for them."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class _Resolver:
    """Puts what is meant in the place of references.

    A reference to what contains it (``$``, ``@``, ``..``, or any path there) would make a value
    without end, and is None like one to nowhere.
    """

    def __init__(self, root: object, budget: int) -> None:
        self._root = root
        self._budget = budget
        self._open: set[int] = set()
        self._names: dict[int, dict[str, object]] = {}

    def resolve(self, value: object) -> object:
        self._budget -= 1
        if self._budget < 0:
            raise CodecError(f"JSON with references that grow it more than {EXPANSION_MAX} times")
        if isinstance(value, _Reference):
            value = self._target(value.path)
        if not isinstance(value, dict | list):
            return value if not isinstance(value, _Reference) else None
        if id(value) in self._open or len(self._open) >= DEPTH_MAX:
            return None
        self._open.add(id(value))
        resolved: object
        if isinstance(value, dict):
            resolved = {key: self.resolve(item) for key, item in value.items()}
        else:
            resolved = [self.resolve(item) for item in value]
        self._open.remove(id(value))
        return resolved

    def _target(self, path: str) -> object:
        """What a path leads to, None if nowhere; a path is never followed through references."""
        value: object = self._root
        position = 1
        if not path.startswith("$"):
            return None
        while position < len(path):
            step = _PATH_STEP.match(path, position)
            if step is None:
                return None
            position = step.end()
            index, name = step.groups()
            if isinstance(value, list) and index is not None:
                value = value[int(index)] if int(index) < len(value) else None
            elif isinstance(value, dict) and name is not None:
                value = self._member(value, _ESCAPED.sub(r"\1", name))
            else:
                return None
        return value

    def _member(self, holder: dict[object, object], name: str) -> object:
        if name in holder:
            return holder[name]
        names = self._names.get(id(holder))
        if names is None:
            names = self._names[id(holder)] = {
                _java_text(key): item for key, item in holder.items() if not isinstance(key, str)
            }
        return names.get(name)


def _java_text(key: object) -> str:
    """How Java names a key in a path: a number by its digits, a MessageQueue by toString()."""
    if not isinstance(key, ObjectKey):
        return str(key)
    parts = dict(key.items)
    return (
        f"MessageQueue [topic={parts.get('topic')}, brokerName={parts.get('brokerName')},"
        f" queueId={parts.get('queueId')}]"
    )
