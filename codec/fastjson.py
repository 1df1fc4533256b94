"""JSON as Java's fastjson 1.2 writes and reads it, which is not all JSON.

Its dialect has bare numbers as keys (``{0:"a"}``), objects as keys (``{{"topic":"t"}:1}``),
references to what came before (``{"$ref":"$.a"}``), single quotes, names without quotes and commas
to spare.
Standard JSON goes through msgspec; ``fastjson_reader`` reads the rest.

Written is compact JSON without blanks, for the Go client splits some bodies at ``,`` and ``:`` by
hand. Numbers as keys are quoted, which every client reads; objects as keys have no standard form,
so they are written as Java does. NaN and infinities are null. None fields of a Struct are left out
if None is their default.
"""

from typing import Any

import msgspec

from codec.fastjson_reader import REFERENCE_KEY, ObjectKey, read

__all__ = ["ObjectKey", "dumps", "dumps_bare", "dumps_pretty", "loads"]

_REFERENCE_NAME = REFERENCE_KEY.encode()
_encode = msgspec.json.Encoder().encode


def loads(body: bytes | memoryview) -> Any:
    """Read one value: dicts (keys str, int or ObjectKey), lists, str, int, float, bool, None.

    References are replaced by what they refer to, by None if that cannot be had.

    :raises CodecError: it is not even fastjson's dialect, or beyond the bounds of the reader.
    """
    body = bytes(body)
    if _REFERENCE_NAME not in body:
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError):  # what msgspec and UTF-8 raise; judged again below
            pass
    return read(body)


def dumps(value: object) -> bytes:
    """``value`` as compact JSON. Dict keys are str, int, Struct or ObjectKey.

    :raises TypeError: something in it has no JSON form.
    """
    try:
        return _encode(value)
    except TypeError:  # objects as keys, which msgspec does not know; their neighbours it does
        return _parts(value, dumps, bare=False)


def dumps_bare(value: object) -> bytes:
    """The same with numbers as keys unquoted, letter for letter what Java writes.

    :raises TypeError: something in it has no JSON form.
    """
    if isinstance(value, msgspec.Struct | dict | list | tuple | set | frozenset):
        return _parts(value, dumps_bare, bare=True)
    return _encode(value)


def dumps_pretty(value: object) -> str:
    """``value`` as Java writes configuration files: a line each, indented by tabs, bare numbers.

    Lists (Java's List) take a line for each item; tuples and sets (arrays and Set) take one line.

    :raises TypeError: something in it has no JSON form.
    """
    return _pretty(value, 0)


def _parts(value: object, write: Any, *, bare: bool) -> bytes:
    match value:
        case msgspec.Struct():
            members = [_encode(name) + b":" + write(item) for name, item in _fields(value)]
            return b"{" + b",".join(members) + b"}"
        case dict():
            members = [_key(key, bare=bare) + b":" + write(item) for key, item in value.items()]
            return b"{" + b",".join(members) + b"}"
        case list() | tuple() | set() | frozenset():
            return b"[" + b",".join([write(item) for item in value]) + b"]"
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


def _fields(value: msgspec.Struct) -> list[tuple[str, object]]:
    """Wire names and values of the fields to write."""
    kind = type(value)
    names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
    items = [(name, getattr(value, field)) for name, field in names]
    return [(name, item) for name, item in items if item is not None]


def _key(key: object, *, bare: bool) -> bytes:
    match key:
        case int():
            return b"%d" % key if bare else b'"%d"' % key
        case str():
            return _encode(key)
        case ObjectKey():
            return _encode(dict(key.items))
        case msgspec.Struct():
            return dumps(key)
        case _:
            raise TypeError(f"{type(key).__name__} cannot be a key")


def _pretty(value: object, level: int) -> str:
    line = "\n" + "\t" * (level + 1)
    end = "\n" + "\t" * level
    match value:
        case msgspec.Struct():
            members = [
                f"{line}{_encode(name).decode()}:{_pretty(item, level + 1)}"
                for name, item in _fields(value)
            ]
            return "{" + ",".join(members) + end + "}" if members else "{}"
        case dict():
            members = [
                f"{line if isinstance(key, str) else ''}{_key(key, bare=True).decode()}"
                f":{_pretty(item, level + 1)}"
                for key, item in value.items()
            ]
            return "{" + ",".join(members) + end + "}" if members else "{}"
        case list():
            items = [line + _pretty(item, level + 1) for item in value]
            return "[" + ",".join(items) + end + "]" if items else "[]"
        case tuple() | set() | frozenset():
            return "[" + ",".join([_pretty(item, level) for item in value]) + "]"
        case _:
            return _encode(value).decode()
