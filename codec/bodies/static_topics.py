"""Static topics: logical queues that stay while they move from broker to broker."""

from codec.bodies.body import Body, kept, kept_dict, kept_new
from codec.bodies.data_version import DataVersion
from codec.headers.fields import Int32, Int64

GLOBAL_SCOPE = "__global__"
"""The scope of a mapping that is not tied to a part of the brokers."""


class LogicQueueMappingItem(Body, kw_only=True):
    """A stretch of a logical queue on one broker. Source: LogicQueueMappingItem.java, 5.3.3."""

    bname: str | None = None
    end_offset: Int64 = kept(-1)
    """Exclusive; -1 while it is written."""
    gen: Int32 = kept(0)
    logic_offset: Int64 = kept(0)
    """Logical offset of ``start_offset``; -1 not decided yet."""
    queue_id: Int32 = kept(0)
    start_offset: Int64 = kept(0)
    """Inclusive, in the physical queue."""
    time_of_end: Int64 = kept(-1)
    time_of_start: Int64 = kept(-1)


class TopicQueueMappingInfo(Body, kw_only=True):
    """Which logical queues a broker hosts. Source: TopicQueueMappingInfo.java, 5.3.3."""

    bname: str | None = None
    curr_id_map: dict[Int32, Int32] = kept_dict()
    """Logical queue id to physical queue id."""
    dirty: bool = kept(False)
    epoch: Int64 = kept(0)
    scope: str | None = kept(GLOBAL_SCOPE)
    topic: str | None = None
    total_queues: Int32 = kept(0)


class TopicQueueMappingDetail(Body, kw_only=True):
    """The same with the history of each queue. Source: TopicQueueMappingDetail.java, 5.3.3."""

    bname: str | None = None
    curr_id_map: dict[Int32, Int32] = kept_dict()
    dirty: bool = kept(False)
    epoch: Int64 = kept(0)
    hosted_queues: dict[Int32, list[LogicQueueMappingItem]] = kept_dict()
    """By logical queue id, oldest stretch first."""
    scope: str | None = kept(GLOBAL_SCOPE)
    topic: str | None = None
    total_queues: Int32 = kept(0)


class TopicQueueMappingSerializeWrapper(Body, kw_only=True):
    """All mappings of a broker, also its file topicQueueMapping.json."""

    data_version: DataVersion = kept_new(DataVersion)
    topic_queue_mapping_info_map: dict[str, TopicQueueMappingDetail] = kept_dict()
