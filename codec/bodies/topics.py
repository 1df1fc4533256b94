"""Topics: their settings, their lists, where their queues begin and end."""

from contextlib import suppress
from enum import StrEnum
from typing import Self

from codec import fastjson
from codec.bodies.body import Body, decode_body, kept, kept_dict, kept_list, kept_new
from codec.bodies.data_version import DataVersion
from codec.bodies.message_queue import MessageQueue
from codec.bodies.static_topics import TopicQueueMappingDetail, TopicQueueMappingInfo
from codec.errors import CodecError
from codec.headers.fields import Int32, Int64

PERM_PRIORITY = 8
PERM_READ = 4
PERM_WRITE = 2
PERM_INHERIT = 1
"""Bits of ``perm``; a topic to create on demand inherits from the default topic."""

DEFAULT_QUEUE_NUMS = 16
MESSAGE_TYPE_ATTRIBUTE = "message.type"


class TopicFilterType(StrEnum):
    """Whether a message has one tag or several; only the first is in use."""

    SINGLE_TAG = "SINGLE_TAG"
    MULTI_TAG = "MULTI_TAG"


class TopicConfig(Body, kw_only=True):
    """The settings of a topic on one broker. Source: TopicConfig.java, 5.3.3."""

    attributes: dict[str, str] = kept_dict()
    """Without the signs that requests give them, e.g. ``message.type``."""
    order: bool = kept(False)
    perm: Int32 = kept(PERM_READ | PERM_WRITE)
    read_queue_nums: Int32 = kept(DEFAULT_QUEUE_NUMS)
    topic_filter_type: TopicFilterType = kept(TopicFilterType.SINGLE_TAG)
    topic_name: str
    topic_sys_flag: Int32 = kept(0)
    """Bits: 1 unit, 2 subscribed by a unit."""
    write_queue_nums: Int32 = kept(DEFAULT_QUEUE_NUMS)

    @property
    def message_type(self) -> str:
        """Its kind of messages, ``NORMAL`` if none is set. Source: getTopicMessageType()."""
        return self.attributes.get(MESSAGE_TYPE_ATTRIBUTE, "NORMAL")

    def to_line(self) -> str:
        """Its form in compressed registrations; ``order`` and ``topic_sys_flag`` are not in it.

        Source: encode().
        """
        attributes = fastjson.dumps(self.attributes).decode()
        return (
            f"{self.topic_name} {self.read_queue_nums} {self.write_queue_nums} {self.perm} "
            f"{self.topic_filter_type} {attributes}"
        )

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read ``to_line``; attributes may be absent, broken ones are left out as Java does.

        Source: decode().

        :raises CodecError: fewer than five words, or one is not what it must be.
        """
        words = line.split(" ")
        if len(words) < 5:
            raise CodecError(f"topic line of {len(words)} words, expected at least 5")
        attributes: dict[str, str] = {}
        if len(words) > 5:
            with suppress(CodecError):
                attributes = decode_body(dict[str, str], words[5].encode())
        try:
            filter_type = TopicFilterType(words[4])
        except ValueError as error:
            raise CodecError(f"topic line with filter type {words[4]!r}") from error
        return cls(
            attributes=attributes,
            perm=_line_number("perm", words[3]),
            read_queue_nums=_line_number("readQueueNums", words[1]),
            topic_filter_type=filter_type,
            topic_name=words[0],
            write_queue_nums=_line_number("writeQueueNums", words[2]),
        )


def _line_number(name: str, text: str) -> int:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        raise CodecError(f"topic line with {name} {text[:40]!r}, expected a number")
    number = int(text)
    if not -(2**31) <= number < 2**31:
        raise CodecError(f"topic line with {name} {number}, beyond 32 bits")
    return number


class TopicConfigAndQueueMapping(TopicConfig, kw_only=True):
    """A topic's settings with its mapping if it is static, the answer to GET_TOPIC_CONFIG."""

    mapping_detail: TopicQueueMappingDetail | None = None


class TopicConfigSerializeWrapper(Body, kw_only=True):
    """All topics of a broker, also its file topics.json."""

    data_version: DataVersion = kept_new(DataVersion)
    topic_config_table: dict[str, TopicConfig] = kept_dict()


class TopicConfigAndMappingSerializeWrapper(Body, kw_only=True):
    """All topics of a broker with the mappings of the static ones."""

    data_version: DataVersion = kept_new(DataVersion)
    mapping_data_version: DataVersion = kept_new(DataVersion)
    topic_config_table: dict[str, TopicConfig] = kept_dict()
    topic_queue_mapping_detail_map: dict[str, TopicQueueMappingDetail] = kept_dict()
    topic_queue_mapping_info_map: dict[str, TopicQueueMappingInfo] = kept_dict()


class CreateTopicListRequestBody(Body, kw_only=True):
    """Topics to create or change together."""

    topic_config_list: list[TopicConfig] = kept_list()


class TopicList(Body, kw_only=True):
    """Names of topics, each once."""

    broker_addr: str | None = None
    topic_list: list[str] = kept_list()


class TopicOffset(Body, kw_only=True):
    """Where a queue begins and ends."""

    last_update_timestamp: Int64 = kept(0)
    """When its last message was stored, milliseconds since 1970; 0 unknown."""
    max_offset: Int64 = kept(0)
    """Exclusive."""
    min_offset: Int64 = kept(0)


class TopicStatsTable(Body, kw_only=True):
    """Where each queue of a topic begins and ends."""

    offset_table: dict[MessageQueue, TopicOffset] = kept_dict()
    topic_put_tps: float = kept(0.0)
