"""A queue of a topic on a broker."""

from msgspec import Struct

from codec.headers.fields import Int32


class MessageQueue(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """One queue; hashable, an object as key in several bodies. Source: MessageQueue.java, 5.3.3."""

    broker_name: str
    queue_id: Int32 = 0
    topic: str
