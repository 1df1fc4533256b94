"""Reading configuration text: Java's properties and YAML, both into plain keys and texts.

The text is given; opening the file is the caller's. In both formats keys are RocketMQ's own, flat.
"""

import re
from collections.abc import Iterator, Mapping

import yaml

from rmq.base.errors import ConfigError

_BLANKS = " \t\f"
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_LINE_END = re.compile(r"\r\n|\r|\n")
_HEX = re.compile(r"[0-9a-fA-F]{4}")


def parse(text: str, file_name: str = "") -> dict[str, str]:
    """Keys and values of a configuration file; YAML if its name ends in .yaml or .yml.

    :raises ConfigError: the text is not in its format.
    """
    if file_name.lower().endswith((".yaml", ".yml")):
        return parse_yaml(text)
    return parse_properties(text)


def parse_properties(text: str) -> dict[str, str]:
    r"""Keys and values of Java properties text; the last of equal keys counts.

    Source: java.util.Properties, load(Reader), Java 17.

    :raises ConfigError: a ``\u`` escape without four hexadecimal digits.
    """
    return dict(_split(line) for line in _logical_lines(text))


def _logical_lines(text: str) -> Iterator[str]:
    """Lines without comments and blank ones, continued lines joined."""
    collected = ""
    continued = False
    for line in _LINE_END.split(text):
        rest = line.lstrip(_BLANKS)
        if not continued and (not rest or rest[0] in "#!"):
            continue
        backslashes = len(rest) - len(rest.rstrip("\\"))
        continued = backslashes % 2 == 1
        collected += rest[:-1] if continued else rest
        if not continued:
            if collected:
                yield collected
            collected = ""
    if collected:
        yield collected


def _split(line: str) -> tuple[str, str]:
    """Key and value, parted by the first bare ``=``, ``:`` or blank."""
    end = 0
    while end < len(line) and line[end] not in "=:" + _BLANKS:
        end += 2 if line[end] == "\\" else 1
    rest = line[end:].lstrip(_BLANKS)
    if rest[:1] in ("=", ":"):
        rest = rest[1:].lstrip(_BLANKS)
    return _unescape(line[:end]), _unescape(rest)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    parts: list[str] = []
    at = 0
    while (backslash := text.find("\\", at)) >= 0:
        parts.append(text[at:backslash])
        letter = text[backslash + 1 : backslash + 2]
        at = backslash + 2
        if letter == "u":
            digits = text[at : at + 4]
            if not _HEX.fullmatch(digits):
                raise ConfigError(
                    f"\\u{digits} in {text!r}: expected four hexadecimal digits after \\u; "
                    "write \\\\ for one backslash"
                )
            parts.append(chr(int(digits, 16)))
            at += 4
        else:
            parts.append(_ESCAPES.get(letter, letter))
    return "".join(parts) + text[at:]


def parse_yaml(text: str) -> dict[str, str]:
    """Keys and values of a YAML mapping; a list becomes its items joined by ``;``.

    Values are taken as they are written: ``04`` is the text ``04``, not a number.

    :raises ConfigError: not YAML, not a mapping, or a value within a value.
    """
    loader = yaml.BaseLoader(text)
    try:
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {error}; correct it, or write key=value lines") from None
    finally:
        loader.dispose()
    if document is None or document == "":
        return {}
    if not isinstance(document, dict):
        raise ConfigError("expected a YAML mapping of keys to values, like 'brokerName: broker-a'")
    return {_scalar(key, "a key"): _value(key, value) for key, value in document.items()}


def _value(key: object, value: object) -> str:
    if isinstance(value, list):
        return ";".join(_scalar(item, f"an item of {key}") for item in value)
    return _scalar(value, str(key))


def _scalar(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(
            f"{what}: expected a plain value, found {type(value).__name__}; keys are flat, "
            "as in RocketMQ's own files"
        )
    return value


def build_properties(values: Mapping[str, str]) -> str:
    """Properties text of ``values``, one line each, that ``parse_properties`` reads back."""
    return "".join(
        f"{_escape(key, ' =:#!')}={_escape_value(value)}\n" for key, value in values.items()
    )


def _escape(text: str, marks: str) -> str:
    escaped = text.replace("\\", "\\\\")
    for mark in marks:
        escaped = escaped.replace(mark, "\\" + mark)
    for letter, character in _ESCAPES.items():
        escaped = escaped.replace(character, "\\" + letter)
    return escaped


def _escape_value(value: str) -> str:
    escaped = _escape(value, "")
    return "\\" + escaped if escaped.startswith(" ") else escaped
