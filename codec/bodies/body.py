"""What all JSON bodies share: how they are declared, read and written.

A body class declares its fields in alphabetical order, the order in which Java writes them. A field
that Java leaves out when it is null has the default None; any other default is ``kept(...)``,
``kept_list()`` or ``kept_dict()``, which is always written. Fields without a default must come.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
from msgspec import Struct, field
from msgspec import inspect as shape

from codec import fastjson
from codec.errors import CodecError

T = TypeVar("T")


class Body(Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A JSON object: snake_case here, camelCase on the wire; unknown keys are ignored."""


def kept(value: T) -> T:
    """A default for an immutable ``value`` that is written nevertheless."""
    return field(default_factory=lambda: value)


def kept_list(name: str | None = None) -> Any:
    """An empty list by default, written nevertheless; ``name`` if irregular on the wire."""
    return field(default_factory=_new_list, name=name)


def kept_dict() -> Any:
    """An empty dict by default, written nevertheless."""
    return field(default_factory=_new_dict)


def kept_set() -> Any:
    """An empty set by default, written nevertheless."""
    return field(default_factory=_new_set)


def kept_new(make: Callable[[], T]) -> T:
    """What ``make`` makes by default, written nevertheless."""
    return field(default_factory=make)


def decode_body(cls: type[T], body: bytes | memoryview) -> T:
    """Read a body as ``cls``, standard JSON at full speed, fastjson's dialect otherwise.

    As lax as fastjson where clients need it: numbers and booleans may be text and the reverse,
    null is as absent, and so is empty text for a number; enums may be given by their number,
    unknown enum names are as absent.

    :raises CodecError: it is no JSON, or a value does not fit; the text names the place.
    """
    reader = _READERS.get(cls) or _new_reader(cls)
    try:
        return cast("T", reader.decoder.decode(body))
    except (ValueError, RecursionError):  # what msgspec and UTF-8 raise; judged again below
        pass
    value = _fit(fastjson.loads(body), reader.shape)
    try:
        return msgspec.convert(value, cls, strict=False)
    except msgspec.ValidationError as error:
        raise CodecError(f"{cls.__name__}: {error}") from error


def encode_body(body: Struct | list[Any]) -> bytes:
    """A body as compact JSON. None fields are left out, keys are quoted but for objects."""
    return fastjson.dumps(body)


def _new_list() -> list[Any]:
    return []


def _new_dict() -> dict[Any, Any]:
    return {}


def _new_set() -> set[Any]:
    return set()


class _Reader(NamedTuple):
    """How a class is read."""

    decoder: msgspec.json.Decoder[Any]
    """Refuses objects as keys, which no standard JSON has."""
    shape: shape.Type


_READERS: dict[type[Any], _Reader] = {}
"""Made when first needed, one for each class."""


def _new_reader(cls: type[Any]) -> _Reader:
    reader = _READERS[cls] = _Reader(msgspec.json.Decoder(cls, strict=False), shape.type_info(cls))
    return reader


_ABSENT = object()


def _fit(value: object, kind: shape.Type) -> object:
    """``value`` bent to ``kind`` as fastjson would; ``_ABSENT`` for what fastjson makes null.

    What cannot be bent is given back unchanged for ``convert`` to refuse by name.
    """
    if value is None:
        return None if isinstance(kind, shape.AnyType) else _ABSENT
    match kind:
        case shape.UnionType(types=kinds):
            return _fit(value, next(kind for kind in kinds if not isinstance(kind, shape.NoneType)))
        case shape.StructType(fields=declared) if isinstance(value, dict):
            return _fit_struct(value, declared)
        case shape.DictType(key_type=key_kind, value_type=value_kind) if isinstance(value, dict):
            fitted = {
                _fit_key(key, key_kind): _fit(item, value_kind) for key, item in value.items()
            }
            return {key: item for key, item in fitted.items() if item is not _ABSENT}
        case (
            shape.ListType(item_type=item_kind)
            | shape.SetType(item_type=item_kind)
            | shape.VarTupleType(item_type=item_kind)
        ) if isinstance(value, list):
            items = [_fit(item, item_kind) for item in value]
            return [item for item in items if item is not _ABSENT]
        case shape.EnumType(cls=enum):
            return _fit_enum(value, list(enum))
        case shape.IntType() | shape.FloatType() | shape.BoolType() if value in ("", "null"):
            return _ABSENT
        case shape.StrType():
            return _fit_text(value)
        case _:
            return value


def _fit_struct(value: dict[object, object], declared: tuple[shape.Field, ...]) -> object:
    fitted = {}
    for part in declared:
        item = _fit(value.get(part.encode_name), part.type)
        if item is not _ABSENT:
            fitted[part.encode_name] = item
    return fitted


def _fit_key(key: object, kind: shape.Type) -> object:
    if isinstance(kind, shape.StructType):
        if isinstance(key, str):  # newer fastjson writes and reads object keys also as text
            key = fastjson.loads(key.encode())
        elif isinstance(key, fastjson.ObjectKey):
            key = dict(key.items)
        try:
            return msgspec.convert(_fit(key, kind), kind.cls, strict=False)
        except msgspec.ValidationError as error:
            raise CodecError(f"object as key: {error}") from error
    if isinstance(key, fastjson.ObjectKey):
        raise CodecError("an object where a text or number is expected as key")
    return _fit_text(key) if isinstance(kind, shape.StrType) else key


def _fit_enum(value: object, members: list[Any]) -> object:
    if type(value) is int:
        return members[value].value if 0 <= value < len(members) else value
    return value if any(value == member.value for member in members) else _ABSENT


def _fit_text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
