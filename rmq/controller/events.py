"""What the Controllers' log holds: the changes of their tables, as Apache's Controllers write them.

An entry is a 16-bit type and a JSON object whose keys are sorted. Events are facts: who reads one
from the log applies it, whether it would be decided so again or not.
"""

import re
from typing import TypeAlias

from codec.bodies.body import Body, decode_body, encode_body, kept, kept_list
from codec.errors import CodecError
from codec.headers.fields import Int64

TYPE_SIZE = 2

_ESCAPED = re.compile(r"\\(?:u[0-9a-f]{4}|.)|[()<>\x7f-\x9f\u2028\u2029]")
"""What Java writes otherwise than we do: it escapes more, and with capital digits."""


class AlterSyncStateSetEvent(Body, kw_only=True):
    """A set's in-sync replicas are others. Source: AlterSyncStateSetEvent.java, 5.3.3."""

    broker_name: str
    event_type: str = kept("ALTER_SYNC_STATE_SET_EVENT")
    new_sync_state_set: list[Int64] = kept_list()


class ApplyBrokerIdEvent(Body, kw_only=True):
    """A broker has an id in its set. Source: ApplyBrokerIdEvent.java, 5.3.3."""

    broker_address: str | None = None
    broker_name: str
    cluster_name: str | None = None
    event_type: str = kept("APPLY_BROKER_ID_EVENT")
    new_broker_id: Int64 = kept(0)
    register_check_code: str | None = None
    """What the broker made up to know its own id again: its address, ``;`` and a time."""


class ElectMasterEvent(Body, kw_only=True):
    """A set has another master, or none. Source: ElectMasterEvent.java, 5.3.3."""

    broker_name: str
    event_type: str = kept("ELECT_MASTER_EVENT")
    new_master_broker_id: Int64 | None = None
    new_master_elected: bool = kept(False)


class CleanBrokerDataEvent(Body, kw_only=True):
    """Brokers of a set are forgotten. Source: CleanBrokerDataEvent.java, 5.3.3."""

    broker_id_set_to_clean: list[Int64] | None = None
    """None or empty: the whole set."""
    broker_name: str
    event_type: str = kept("CLEAN_BROKER_DATA_EVENT")


class UpdateBrokerAddressEvent(Body, kw_only=True):
    """A broker has another address. Source: UpdateBrokerAddressEvent.java, 5.3.3."""

    broker_address: str | None = None
    broker_id: Int64 | None = None
    broker_name: str
    cluster_name: str | None = None
    event_type: str = kept("UPDATE_BROKER_ADDRESS")


Event: TypeAlias = (
    AlterSyncStateSetEvent
    | ApplyBrokerIdEvent
    | ElectMasterEvent
    | CleanBrokerDataEvent
    | UpdateBrokerAddressEvent
)

_CLASSES: dict[int, type[Event]] = {
    1: AlterSyncStateSetEvent,
    2: ApplyBrokerIdEvent,
    3: ElectMasterEvent,
    5: CleanBrokerDataEvent,
    6: UpdateBrokerAddressEvent,
}
_TYPES = {cls: number for number, cls in _CLASSES.items()}


def build_event(event: Event) -> bytes:
    """The entry for ``event``, letter for letter Java's.

    Source: EventSerializer.java, serialize(), 5.3.3.
    """
    text = _ESCAPED.sub(_escape, encode_body(event).decode())
    return _TYPES[type(event)].to_bytes(TYPE_SIZE, "big") + text.encode()


def parse_event(entry: bytes) -> Event:
    """The event of an entry that is not empty.

    Source: EventSerializer.java, deserialize(), 5.3.3.

    :raises CodecError: it is none.
    """
    cls = _CLASSES.get(int.from_bytes(entry[:TYPE_SIZE], "big"))
    if cls is None:
        raise CodecError(f"event of type {entry[:TYPE_SIZE].hex()}, expected 1, 2, 3, 5 or 6")
    return decode_body(cls, entry[TYPE_SIZE:])


def _escape(match: re.Match[str]) -> str:
    found = match.group()
    if found[0] == "\\":
        return found[:2] + found[2:].upper()
    return f"\\u{ord(found):04X}"
