"""Which client takes which queue, when the broker decides; and whether it pulls or pops."""

from enum import StrEnum

from codec.bodies.body import Body, kept, kept_dict
from codec.bodies.heartbeat import MessageModel
from codec.bodies.message_queue import MessageQueue
from codec.headers.fields import Int32


class MessageRequestMode(StrEnum):
    """How a group gets the messages of a topic."""

    PULL = "PULL"
    POP = "POP"


class QueryAssignmentRequestBody(Body, kw_only=True):
    """A client's question which queues it is to take."""

    client_id: str | None = None
    consumer_group: str | None = None
    message_model: MessageModel | None = None
    strategy_name: str | None = None
    """Name of the way to share queues: ``AVG``, ``AVG_BY_CIRCLE``."""
    topic: str | None = None


class MessageQueueAssignment(Body, kw_only=True):
    """A queue to take; queue id -1 is any queue of the broker."""

    attachments: dict[str, str] | None = None
    message_queue: MessageQueue | None = None
    mode: MessageRequestMode = kept(MessageRequestMode.PULL)


class QueryAssignmentResponseBody(Body, kw_only=True):
    """The queues to take; None: go on with those taken before."""

    message_queue_assignments: list[MessageQueueAssignment] | None = None


class SetMessageRequestModeRequestBody(Body, kw_only=True):
    """The mode of a group for a topic."""

    consumer_group: str | None = None
    mode: MessageRequestMode = kept(MessageRequestMode.PULL)
    pop_share_queue_num: Int32 = kept(0)
    """How many clients share a queue when popping; 0 or less: all share all."""
    topic: str | None = None


class MessageRequestModeSerializeWrapper(Body, kw_only=True):
    """All modes of a broker, also its file messageRequestMode.json."""

    message_request_mode_map: dict[str, dict[str, SetMessageRequestModeRequestBody]] = kept_dict()
    """By topic, then group."""
