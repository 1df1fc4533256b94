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
ROLES = {
    "namesrv": "NameServer",
    "broker": "Broker",
    "controller": "Controller",
    "dledger": "DLedger member",
}

INTRODUCTION = """\
# Protocol

<!-- Generated from codec and the handlers' marks by python -m scripts.generate_docs. -->

A request is a frame with a code and header fields (ext fields), all of which travel as text, and a
body. A response carries the request's `opaque` number, its own code, a remark and header fields of
its own. This is what rmq reads and writes of them; the names are Apache RocketMQ 5.3.3's. A code
that no role answers is refused with REQUEST_CODE_NOT_SUPPORTED (3).
"""

REPLICATION = """\
## Between brokers

Replication has a port of its own (`haListenPort`) and frames of its own, numbers big-endian. The
master sends its commit log as it lies there, in pieces that need not end with a record. Classic:
`codec/ha/default.py`; under Controllers, where states are int32: `codec/ha/autoswitch.py`.
"""

REPLICATION_FRAMES = (
    ("classic", "slave", "end of its log int64; again and again"),
    ("classic", "master", "position int64, size int32, bytes; a size of 0 is a heartbeat"),
    (
        "under Controllers, first",
        "slave",
        "state 1, from-last-file int16, learner int16, broker id int64",
    ),
    (
        "under Controllers, first",
        "master",
        "state 1, size int32, end of its log int64, last epoch int32, epochs (int32, start int64)",
    ),
    ("under Controllers, then", "slave", "state 2, end of its log int64"),
    (
        "under Controllers, then",
        "master",
        "state 2, size int32, position int64, epoch int32, its start int64, confirmed int64, bytes",
    ),
)

ELECTIONS = """
Where masters are elected:

- Brokers ask Controllers, and propose to them, by the requests 1001 to 1013; they send a heartbeat
  (904) to each Controller, and a Controller tells them of a new role by 1008.
- Controllers, and the brokers of a DLedger group, are members of a Raft group in the flavour of
  DLedger 0.3.1.2. They talk at the ports of `controllerDLegerPeers` and `dLegerPeers` by requests
  50000 to 51005, without header fields: all is in a JSON body, entries in base64
  (`codec/bodies/dledger.py`).
- An entry has 48 bytes before its body: magic, size, index, term, position, channel, two checksums,
  size of the body (`codec/disk/dledger.py`). A Controller's entry holds an event: a 16-bit type and
  JSON (`rmq/controller/events.py`). A broker's holds a record of the commit log; the record's
  position is its own, 48 bytes behind the entry's.
- What must be known before a leader or a master answers:
  [ADR 7](adr/0007-raft-in-dledgers-flavour.md), [ADR
  8](adr/0008-the-whole-set-has-what-is-acknowledged.md).
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
    lines += [REPLICATION, *table(("mode", "from", "frame"), REPLICATION_FRAMES), ELECTIONS]
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
