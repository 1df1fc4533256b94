"""What a broker tells the name server about its topics, plain or compressed.

The compressed form is one zlib stream of: the DataVersion, the number of topics, each topic as a
line, the filter servers, and since 5.0.0 the number of queue mappings and each of them. Numbers are
4 bytes, big-endian; all else is JSON or a line in UTF-8 with its length in bytes before it.
Source: RegisterBrokerBody.java, 5.3.3.
"""

import zlib
from struct import Struct as Layout

from codec import fastjson
from codec.bodies.body import Body, decode_body, encode_body, kept_list, kept_new
from codec.bodies.data_version import DataVersion
from codec.bodies.static_topics import TopicQueueMappingInfo
from codec.bodies.topics import TopicConfig, TopicConfigAndMappingSerializeWrapper
from codec.errors import CodecError

INFLATED_MAX = 128 * 1024 * 1024
"""Bytes that a compressed body may become: a million topics with long names need about 100 MB."""

FIRST_VERSION_WITH_MAPPINGS = 413
"""The version number of 5.0.0, the first to send queue mappings in the compressed form."""

_LEVEL = 9
_INT = Layout(">i")


class RegisterBrokerBody(Body, kw_only=True):
    """All topics of a broker. Source: RegisterBrokerBody.java, 5.3.3."""

    filter_server_list: list[str] = kept_list()
    topic_config_serialize_wrapper: TopicConfigAndMappingSerializeWrapper = kept_new(
        TopicConfigAndMappingSerializeWrapper
    )


def register_crc(body: bytes) -> int:
    """The checksum of a body as it is sent: CRC-32 without its top bit. Source: UtilAll.crc32()."""
    return zlib.crc32(body) & 0x7FFFFFFF


def encode_register_body(body: RegisterBrokerBody, *, compressed: bool) -> bytes:
    """A registration as it is sent. The compressed form leaves out mapping details and more."""
    if not compressed:
        return encode_body(body)
    wrapper = body.topic_config_serialize_wrapper
    topics = wrapper.topic_config_table.values()
    mappings = wrapper.topic_queue_mapping_info_map.values()
    parts = [
        _block(encode_body(wrapper.data_version)),
        _INT.pack(len(topics)),
        *(_block(topic.to_line().encode()) for topic in topics),
        _block(fastjson.dumps(body.filter_server_list)),
        _INT.pack(len(mappings)),
        *(_block(encode_body(mapping)) for mapping in mappings),
    ]
    return zlib.compress(b"".join(parts), _LEVEL)


def decode_register_body(
    body: bytes | memoryview, *, compressed: bool, version: int
) -> RegisterBrokerBody:
    """Read a registration; ``version`` is that of the broker that sent it.

    :raises CodecError: not what it must be, or too much once inflated.
    """
    if not compressed:
        return decode_body(RegisterBrokerBody, body)
    blocks = _Blocks(_inflate(body))
    result = RegisterBrokerBody()
    wrapper = result.topic_config_serialize_wrapper
    wrapper.data_version = decode_body(DataVersion, blocks.block())
    for _ in range(blocks.number()):
        topic = TopicConfig.from_line(blocks.text())
        wrapper.topic_config_table[topic.topic_name] = topic
    result.filter_server_list = _filter_servers(blocks.block())
    if version >= FIRST_VERSION_WITH_MAPPINGS:
        for _ in range(blocks.number()):
            mapping = decode_body(TopicQueueMappingInfo, blocks.block())
            if mapping.topic is None:
                raise CodecError("queue mapping without a topic")
            wrapper.topic_queue_mapping_info_map[mapping.topic] = mapping
    return result


def _filter_servers(block: bytes) -> list[str]:
    """Java logs a list it cannot read and goes on without."""
    try:
        return decode_body(list[str], block)
    except CodecError:
        return []


def _block(content: bytes) -> bytes:
    return _INT.pack(len(content)) + content


def _inflate(body: bytes | memoryview) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(body, INFLATED_MAX + 1)
    except zlib.error as error:
        raise CodecError(f"compressed registration: {error}") from error
    if len(inflated) > INFLATED_MAX:
        raise CodecError(f"registration of more than {INFLATED_MAX} bytes once inflated")
    return inflated


class _Blocks:
    """Goes through the inflated form; every read is bounded by what is there."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    def number(self) -> int:
        return int(_INT.unpack(self._take(_INT.size))[0])

    def block(self) -> bytes:
        length = self.number()
        if length < 0:
            raise CodecError(f"registration with a block of {length} bytes")
        return self._take(length)

    def text(self) -> str:
        try:
            return self.block().decode()
        except UnicodeDecodeError as error:
            raise CodecError(f"topic line that is not UTF-8: {error}") from error

    def _take(self, length: int) -> bytes:
        end = self._position + length
        if end > len(self._content):
            raise CodecError(f"registration ends at {len(self._content)}, expected {end} bytes")
        taken = self._content[self._position : end]
        self._position = end
        return taken
