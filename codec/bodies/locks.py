"""Locks of queues, for consuming in order."""

from codec.bodies.body import Body, kept, kept_list
from codec.bodies.message_queue import MessageQueue


class LockBatchRequestBody(Body, kw_only=True):
    """Queues that a client wants to have alone."""

    client_id: str
    consumer_group: str
    mq_set: list[MessageQueue] = kept_list()
    only_this_broker: bool = kept(False)
    """Whether this broker alone decides, without asking its replicas."""


class LockBatchResponseBody(Body, kw_only=True):
    """Queues that it has now; the name on the wire is irregular."""

    lock_ok_mq_set: list[MessageQueue] = kept_list(name="lockOKMQSet")


class UnlockBatchRequestBody(Body, kw_only=True):
    """Queues that a client gives back."""

    client_id: str
    consumer_group: str
    mq_set: list[MessageQueue] = kept_list()
    only_this_broker: bool = kept(False)
