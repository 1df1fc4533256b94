import contextlib
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.bodies import register
from codec.bodies.data_version import DataVersion
from codec.bodies.register import (
    RegisterBrokerBody,
    decode_register_body,
    encode_register_body,
    register_crc,
)
from codec.bodies.static_topics import TopicQueueMappingDetail, TopicQueueMappingInfo
from codec.bodies.topics import TopicConfig, TopicConfigAndMappingSerializeWrapper
from codec.errors import CodecError


def registration(**more: Any) -> Any:
    wrapper = TopicConfigAndMappingSerializeWrapper(
        data_version=DataVersion(counter=3, timestamp=9),
        topic_config_table={
            "A": TopicConfig(topic_name="A", attributes={"message.type": "FIFO"}, perm=4),
            "é": TopicConfig(topic_name="é"),
        },
        topic_queue_mapping_info_map={
            "S": TopicQueueMappingInfo(topic="S", bname="b", curr_id_map={0: 3}, total_queues=2)
        },
        **more,
    )
    return RegisterBrokerBody(filter_server_list=["f:1"], topic_config_serialize_wrapper=wrapper)


def block(content: Any) -> Any:
    return struct.pack(">i", len(content)) + content


@pytest.mark.parametrize("compressed", [False, True])
def test_a_registration_goes_there_and_back(compressed: Any) -> None:
    body = encode_register_body(registration(), compressed=compressed)

    assert decode_register_body(body, compressed=compressed, version=479) == registration()


def test_the_plain_form_has_the_details_too() -> None:
    sent = registration(topic_queue_mapping_detail_map={"S": TopicQueueMappingDetail(topic="S")})
    body = encode_register_body(sent, compressed=False)

    assert decode_register_body(body, compressed=False, version=300) == sent


def test_the_compressed_form_is_one_zlib_stream_of_blocks() -> None:
    body = encode_register_body(registration(), compressed=True)

    assert body[:2] == b"\x78\xda"
    assert zlib.decompress(body) == b"".join(
        [
            block(b'{"counter":3,"stateVersion":0,"timestamp":9}'),
            struct.pack(">i", 2),
            block(b'A 16 16 4 SINGLE_TAG {"message.type":"FIFO"}'),
            block("é 16 16 6 SINGLE_TAG {}".encode()),
            block(b'["f:1"]'),
            struct.pack(">i", 1),
            block(
                b'{"bname":"b","currIdMap":{"0":3},"dirty":false,"epoch":0,"scope":"__global__",'
                b'"topic":"S","totalQueues":2}'
            ),
        ]
    )


def test_brokers_before_5_send_no_mappings() -> None:
    content = block(b"{}") + struct.pack(">i", 0) + block(b"[]")

    body = decode_register_body(zlib.compress(content), compressed=True, version=412)
    assert body == RegisterBrokerBody()
    with pytest.raises(CodecError, match="ends at"):
        decode_register_body(zlib.compress(content), compressed=True, version=413)


def test_filter_servers_that_cannot_be_read_are_none() -> None:
    content = block(b"{}") + struct.pack(">i", 0) + block(b"oops")

    body = decode_register_body(zlib.compress(content), compressed=True, version=412)
    assert body.filter_server_list == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "ends at 0, expected 4"),
        (struct.pack(">i", -1), "block of -1 bytes"),
        (struct.pack(">i", 2**31 - 1), "ends at 4"),
        (block(b"[]"), "DataVersion"),
        (block(b"{}") + struct.pack(">i", 1) + block(b"a 1"), "at least 5"),
        (block(b"{}") + struct.pack(">i", 1) + block(b"\xff"), "UTF-8"),
        (
            block(b"{}")
            + struct.pack(">i", 0)
            + block(b"[]")
            + struct.pack(">i", 1)
            + block(b"{}"),
            "without a topic",
        ),
    ],
)
def test_a_broken_registration_is_refused(content: Any, reason: Any) -> None:
    with pytest.raises(CodecError, match=reason):
        decode_register_body(zlib.compress(content), compressed=True, version=479)


def test_what_is_not_zlib_is_refused() -> None:
    with pytest.raises(CodecError, match="compressed registration"):
        decode_register_body(b"no zlib", compressed=True, version=479)


def test_a_zlib_bomb_is_refused_before_it_grows(monkeypatch: Any) -> None:
    monkeypatch.setattr(register, "INFLATED_MAX", 1000)

    with pytest.raises(CodecError, match="more than 1000 bytes"):
        decode_register_body(zlib.compress(bytes(10_000_000)), compressed=True, version=479)


def test_the_checksum_has_31_bits() -> None:
    assert register_crc(b"123456789") == 0xCBF43926 & 0x7FFFFFFF


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_refused(content: Any, deflated: Any) -> None:
    body = zlib.compress(content) if deflated else content
    with contextlib.suppress(CodecError):
        decode_register_body(body, compressed=True, version=479)
