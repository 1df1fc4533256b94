"""Expressions that groups filter topics by, as a broker keeps them in consumerFilter.json."""

from codec.bodies.body import Body, kept, kept_dict
from codec.headers.fields import Int32, Int64


class BloomFilterData(Body, kw_only=True):
    """The bits of a group and topic in the bit maps that Java can store with messages."""

    bit_num: Int32 = kept(0)
    bit_pos: tuple[Int32, ...] | None = None


class ConsumerFilterData(Body, kw_only=True):
    """How a group filters a topic. Source: ConsumerFilterData.java, 5.3.3."""

    bloom_filter_data: BloomFilterData | None = None
    born_time: Int64 = kept(0)
    """When the broker first heard of it, milliseconds since 1970."""
    client_version: Int64 = kept(0)
    """The subscription's version: a higher one replaces a lower one."""
    consumer_group: str
    dead: bool = kept(False)
    """Whether ``dead_time >= born_time``: written for people, not read."""
    dead_time: Int64 = kept(0)
    """Since when no consumer wants it, milliseconds since 1970; 0 while one does."""
    expression: str
    expression_type: str
    topic: str


class FilterDataMapByTopic(Body, kw_only=True):
    """The groups that filter one topic."""

    group_filter_data: dict[str, ConsumerFilterData] = kept_dict()
    topic: str | None = None


class ConsumerFilterSerializeWrapper(Body, kw_only=True):
    """All filters of a broker, by topic; Java writes its ConsumerFilterManager itself."""

    filter_data_by_topic: dict[str, FilterDataMapByTopic] = kept_dict()
