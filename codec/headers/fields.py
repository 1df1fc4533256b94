"""How a typed header becomes ext fields, the text map inside a command, and back.

A header class declares each field once: its Python name, from which the wire's camelCase follows,
its type, and its default if it may be left out. Java decides what text means:

=========  =====================================================================================
type       text
=========  =====================================================================================
``str``    itself
``int``    a sign or none, decimal digits, within 32 or 64 bits. Java refuses ``1.0`` and ``1e3``;
           here a whole number written so is taken, since the JSON library takes it at full speed
``bool``   ``true`` in any case is true, everything else is false
=========  =====================================================================================

For int and bool fields that may be absent the text ``null`` in any case means absent. A field that
is missing or cannot be read is a HeaderError, also where Java logs it and goes on with null: the
handler would fail there with a NullPointerException, a refusal by name is kinder.

``decode_header`` reads fast; what it cannot read, or could read otherwise than Java, goes to
``judge_fields``, the exact reader.
Source: RemotingCommand.java, decodeCommandCustomHeader() and makeCustomHeaderToNet(), 5.3.3.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import NoneType
from typing import Annotated, Any, TypeVar, cast, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields as fields_of

from codec.errors import HeaderError

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""Java's int."""

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Java's long."""

H = TypeVar("H", bound=Struct)


class RequestHeader(Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The ext fields of one kind of request. A bare one declares none.

    What is set here but ``frozen`` and ``kw_only`` is inherited.
    """


class ResponseHeader(Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """The ext fields of one kind of response. A bare one declares none."""


class RpcRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """What 5.x clients may add to most requests. Source: RpcRequestHeader.java, 5.3.3."""

    ns: str | None = None
    """Namespace, if it is not part of topic and group names."""
    nsd: bool | None = None
    """Whether names already carry their namespace."""
    bname: str | None = None
    """Name of the broker that is meant; a broker container serves several."""
    oway: bool | None = None
    """Whether the sender wants no answer."""


class TopicRequestHeader(RpcRequestHeader, frozen=True, kw_only=True):
    """The same for requests about a topic. Source: TopicRequestHeader.java, 5.3.3."""

    lo: bool | None = None
    """Whether a static topic's queue id is meant logically."""


class _Field(Struct, frozen=True):
    """How one declared field is read and written."""

    name: str
    wire_name: str
    kind: type
    checked: Any
    required: bool
    nullable: bool


_PLANS: dict[type[Struct], tuple[_Field, ...]] = {}
_CONVERTERS: dict[type[Struct], Callable[[Any], dict[str, str]]] = {}
_FLAGS: dict[type[Struct], Callable[[Any], tuple[bool | None, ...]]] = {}


def plan_of(header_class: type[Struct]) -> tuple[_Field, ...]:
    """Give how each field of a header class is read, worked out once a class."""
    plan = _PLANS.get(header_class)
    if plan is None:
        plan = _PLANS[header_class] = tuple(_plan_field(f) for f in fields_of(header_class))
    return plan


def _plan_field(declared: msgspec.structs.FieldInfo) -> _Field:
    choices = get_args(declared.type) if _is_union(declared.type) else (declared.type,)
    checked = next(choice for choice in choices if choice is not NoneType)
    kind = checked if isinstance(checked, type) else get_args(checked)[0]
    if kind not in (str, int, bool):
        raise TypeError(f"header field {declared.name} is a {kind}, expected str, int or bool")
    return _Field(
        name=declared.name,
        wire_name=declared.encode_name,
        kind=kind,
        checked=checked,
        required=declared.required,
        nullable=NoneType in choices,
    )


def _is_union(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


def decode_header(header_class: type[H], ext_fields: Mapping[str, str] | None) -> H:
    """Make a typed header of a command's ext fields; ``None`` means none were sent.

    :raises HeaderError: a field is missing or cannot be read.
    """
    if ext_fields is None:
        ext_fields = {}
    try:
        header = msgspec.convert(ext_fields, header_class, strict=False)
    except msgspec.ValidationError:
        return judge_fields(header_class, ext_fields)
    if True in flags_of(header_class)(header):
        return judge_fields(header_class, ext_fields)
    return header


def judge_fields(header_class: type[H], ext_fields: Mapping[str, str]) -> H:
    """Read every field exactly as the table at the head of this module says.

    :raises HeaderError: a field is missing or cannot be read.
    """
    values: dict[str, Any] = {}
    for field in plan_of(header_class):
        text = ext_fields.get(field.wire_name)
        if text is None:
            if field.required:
                raise HeaderError(f"field {field.wire_name} is missing", field=field.wire_name)
        elif field.kind is str:
            values[field.name] = text
        elif field.nullable and len(text) == 4 and text.lower() == "null":
            values[field.name] = None
        elif field.kind is bool:
            values[field.name] = len(text) == 4 and text.lower() == "true"
        else:
            values[field.name] = _whole_number(field, text)
    return header_class(**values)


def _whole_number(field: _Field, text: str) -> int:
    """Read an int field.

    :raises HeaderError: the text is not a whole number or out of bounds.
    """
    digits = text[1:] if text[:1] in ("+", "-") else text
    try:
        if digits.isascii() and digits.isdecimal() and len(digits) < 100:
            return cast("int", msgspec.convert(int(text), field.checked))
        return cast("int", msgspec.convert(text, field.checked, strict=False))
    except msgspec.ValidationError as wrong:
        shown = text if len(text) <= 40 else text[:40] + "..."
        raise HeaderError(
            f"field {field.wire_name} is {shown!r}: {wrong}", field=field.wire_name
        ) from None


def flags_of(header_class: type[Struct]) -> Callable[[Any], tuple[bool | None, ...]]:
    """Give what lists the bool fields of a header of this class.

    msgspec reads ``"1"`` as true and Java as false, so a true one is for the judge to confirm.
    """
    flags = _FLAGS.get(header_class)
    if flags is None:
        names = [field.name for field in plan_of(header_class) if field.kind is bool]
        # One name is asked for twice, as attrgetter gives a tuple only for several.
        flags = attrgetter(*names, *names[:1]) if names else lambda _header: ()
        _FLAGS[header_class] = flags
    return flags


def ext_fields_of(header: Struct) -> dict[str, str]:
    """Write a header as ext fields: in the order declared, what is None left out, Java's text."""
    convert = _CONVERTERS.get(type(header))
    if convert is None:
        convert = _CONVERTERS[type(header)] = _converter(type(header))
    return convert(header)


def _converter(header_class: type[Struct]) -> Callable[[Any], dict[str, str]]:
    plan = plan_of(header_class)
    if not plan:
        return lambda _header: {}
    names = tuple(field.wire_name for field in plan)
    getter = attrgetter(*(field.name for field in plan))
    values_of = getter if len(plan) > 1 else lambda header: (getter(header),)
    if any(field.kind is bool for field in plan):
        return lambda header: {
            name: value if value.__class__ is str else java_text(value)
            for name, value in zip(names, values_of(header), strict=True)
            if value is not None
        }

    def convert(header: Struct) -> dict[str, str]:
        values = values_of(header)
        if None in values:
            return {
                name: str(value)
                for name, value in zip(names, values, strict=True)
                if value is not None
            }
        return dict(zip(names, map(str, values), strict=True))

    return convert


def java_text(value: str | int) -> str:
    """Write a value as Java's ``toString`` would: ``true`` and ``false`` are lower case."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


__all__ = [
    "Int32",
    "Int64",
    "RequestHeader",
    "ResponseHeader",
    "RpcRequestHeader",
    "TopicRequestHeader",
    "decode_header",
    "ext_fields_of",
    "flags_of",
    "java_text",
    "judge_fields",
    "plan_of",
]
