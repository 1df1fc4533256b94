"""docs/protocol.md from the tables of ``codec`` and the marks on handlers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo, fields

from codec.codes import LanguageCode, RequestCode, ResponseCode
from scripts.markdown import code, table
from scripts.sources import Handler

INT_MAX = 2**31 - 1
ROLES = {"namesrv": "NameServer", "broker": "Broker"}

INTRODUCTION = """\
# Protocol

<!-- Generated from codec and the handlers' marks by python -m scripts.generate_docs. -->

A request is a frame with a code and header fields (ext fields), all of which travel as text, and a
body. A response carries the request's `opaque` number, its own code, a remark and header fields of
its own. This is what rmq reads and writes of them; the names are Apache RocketMQ 5.3.3's. A code
that no role answers is refused with REQUEST_CODE_NOT_SUPPORTED (3).
"""


class Pair(Protocol):
    """The header classes of one request code."""

    @property
    def request(self) -> type[msgspec.Struct] | None:
        """Of the request, if it has header fields."""

    @property
    def response(self) -> type[msgspec.Struct] | None:
        """Of the response, if it has header fields."""


def text(headers: Mapping[int, Pair], handlers: Iterable[Handler]) -> str:
    """The whole document."""
    answered: dict[str, list[Handler]] = defaultdict(list)
    for handler in handlers:
        answered[handler.code].append(handler)
    rows = [_request_row(request, headers, answered) for request in RequestCode]
    head = ("code", "name", "request header", "response header", "who answers")
    lines = [INTRODUCTION, "## Requests", "", *table(head, rows), ""]
    lines += ["## Header fields", "", "A field without *optional* must be there.", ""]
    for struct in _structs(headers):
        lines += _struct_section(struct)
    for title, codes in (("Response codes", ResponseCode), ("Languages", LanguageCode)):
        rows_of_codes = [(str(member.value), member.name) for member in codes]
        lines += [f"## {title}", "", *table(("code", "name"), rows_of_codes), ""]
    return "\n".join(lines)


def _request_row(
    request: RequestCode, headers: Mapping[int, Pair], answered: Mapping[str, list[Handler]]
) -> tuple[str, ...]:
    pair = headers.get(request)
    who = [
        f"{ROLES.get(handler.role, handler.role)}: {code(handler.name)}"
        for handler in answered.get(request.name, [])
    ]
    return (
        str(request.value),
        request.name,
        _link(pair.request if pair else None),
        _link(pair.response if pair else None),
        "; ".join(sorted(who)),
    )


def _link(struct: type[msgspec.Struct] | None) -> str:
    if struct is None or not fields(struct):
        return ""
    return f"[{struct.__name__}](#{struct.__name__.lower()})"


def _structs(headers: Mapping[int, Pair]) -> list[type[msgspec.Struct]]:
    """Each header class that has fields once, in order of name."""
    found = {
        struct.__name__: struct
        for pair in headers.values()
        for struct in (pair.request, pair.response)
        if struct is not None and fields(struct)
    }
    return [found[name] for name in sorted(found)]


def _struct_section(struct: type[msgspec.Struct]) -> list[str]:
    listed = ", ".join(_field_text(field) for field in fields(struct))
    return [f"### {struct.__name__}", "", listed, ""]


def _field_text(field: FieldInfo) -> str:
    optional = "" if field.required else ", optional"
    return f"{code(field.encode_name)} ({java_type(field.type)}{optional})"


def java_type(annotation: Any) -> str:  # what msgspec gives is an annotation of any kind
    """The name that Java has for the type of a field.

    An ``Int32`` is an int, an ``Int64`` a long.
    """
    origin = get_origin(annotation)
    if origin in (UnionType, Union):
        inner = [one for one in get_args(annotation) if one is not type(None)]
        return java_type(inner[0])
    if origin is Annotated:
        kind, *metas = get_args(annotation)
        bounds = [meta.le for meta in metas if isinstance(meta, msgspec.Meta)]
        return "int" if kind is int and bounds == [INT_MAX] else java_type(kind)
    return {int: "long", bool: "boolean", str: "String"}.get(annotation, "String")
