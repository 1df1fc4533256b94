import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.message_queue import MessageQueue
from codec.bodies.offsets import (
    ConsumerOffsetSerializeWrapper,
    ConsumeStats,
    ConsumeStatsList,
    DelayOffsetSerializeWrapper,
    GetConsumerStatusBody,
    MessageQueueForC,
    OffsetMovedEvent,
    OffsetWrapper,
    QueryConsumeTimeSpanBody,
    QueryCorrectionOffsetBody,
    ResetOffsetBody,
    ResetOffsetBodyForC,
)
from codec.bodies.tests.recorded import ODD, read_recorded
from codec.errors import CodecError

QUEUES = [
    MessageQueue(broker_name="broker-a", queue_id=number, topic=f"t{number}") for number in (1, 2)
]
VERSION = DataVersion(counter=7, state_version=1700000000012, timestamp=1700000000009)


def test_consumers_offsets_are_java_s() -> None:
    assert read_recorded(ConsumerOffsetSerializeWrapper) == ConsumerOffsetSerializeWrapper(
        data_version=VERSION,
        offset_table={
            "offsetTable1": {1: 1700000000011, 2: 1700000000011},
            "offsetTable2": {1: 1700000000011, 2: 1700000000011},
        },
    )


def test_delivery_of_delayed_messages_is_java_s() -> None:
    assert read_recorded(DelayOffsetSerializeWrapper) == DelayOffsetSerializeWrapper(
        data_version=VERSION, offset_table={1: 1700000000011, 2: 1700000000011}
    )


def test_offsets_to_set_are_java_s_in_both_forms() -> None:
    assert read_recorded(ResetOffsetBody).offset_table == dict.fromkeys(QUEUES, 1700000000011)
    assert read_recorded(ResetOffsetBodyForC).offset_table == [
        MessageQueueForC(
            broker_name=f"brokerName{ODD}", offset=1700000000006, queue_id=21, topic=f"topic{ODD}"
        )
    ]


def test_objects_as_keys_may_be_text() -> None:
    body = b'{"offsetTable":{"{\\"brokerName\\":\\"b\\",\\"queueId\\":1,\\"topic\\":\\"T\\"}":5}}'

    table = decode_body(ResetOffsetBody, body).offset_table

    assert table == {MessageQueue(broker_name="b", queue_id=1, topic="T"): 5}


def test_what_clients_consumed_is_java_s() -> None:
    body = read_recorded(GetConsumerStatusBody)

    assert body.message_queue_table == dict.fromkeys(QUEUES, 1700000000017)
    assert body.consumer_table["consumerTable1"] == dict.fromkeys(QUEUES, 1700000000013)


def test_how_far_groups_are_is_java_s() -> None:
    stats = read_recorded(ConsumeStats)
    everyone = read_recorded(ConsumeStatsList)

    assert stats == ConsumeStats(
        consume_tps=2.5,
        offset_table={
            queue: OffsetWrapper(
                broker_offset=1700000000012,
                consumer_offset=1700000000014,
                last_timestamp=1700000000013,
                pull_offset=1700000000010,
            )
            for queue in QUEUES
        },
    )
    assert stats in everyone.consume_stats_list[0]["consumeStatsList2"]


def test_corrected_offsets_are_java_s() -> None:
    assert read_recorded(QueryCorrectionOffsetBody).correction_offsets == {
        1: 1700000000017,
        2: 1700000000017,
    }


def test_time_spans_are_java_s() -> None:
    (span,) = read_recorded(QueryConsumeTimeSpanBody).consume_time_span_set

    assert (span.min_time_stamp, span.min_time_stamp_str) == (
        1700000000012,
        "2023-11-14#22:13:20:012",
    )


def test_a_group_sent_back_is_java_s() -> None:
    body = read_recorded(OffsetMovedEvent)

    assert (body.offset_new, body.offset_request) == (1700000000009, 1700000000013)


def test_a_group_without_queues_is_written_with_every_key() -> None:
    assert encode_body(ConsumeStats()) == b'{"consumeTps":0.0,"offsetTable":{}}'


@pytest.mark.parametrize("offset", [b"9223372036854775808", b'"x"', b"{}"])
def test_an_offset_that_is_no_64_bit_number_is_refused(offset: bytes) -> None:
    with pytest.raises(CodecError, match="DelayOffsetSerializeWrapper"):
        decode_body(DelayOffsetSerializeWrapper, b'{"offsetTable":{1:' + offset + b"}}")
