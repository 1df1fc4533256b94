import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.message_queue import MessageQueue
from codec.errors import CodecError

QUEUE = MessageQueue(broker_name="b", queue_id=2, topic="T")


def test_a_queue_is_written_in_java_s_order() -> None:
    assert encode_body(QUEUE) == b'{"brokerName":"b","queueId":2,"topic":"T"}'
    assert encode_body(MessageQueue(broker_name="b", topic="T")) == (
        b'{"brokerName":"b","queueId":0,"topic":"T"}'
    )


def test_a_queue_is_read_in_any_order() -> None:
    assert decode_body(MessageQueue, b'{"topic":"T","brokerName":"b","queueId":"2"}') == QUEUE


def test_equal_queues_are_one_key() -> None:
    assert {QUEUE: 1}[MessageQueue(broker_name="b", queue_id=2, topic="T")] == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"brokerName":"b"}',
        b'{"topic":"T"}',
        b'{"brokerName":"b","topic":"T","queueId":4294967296}',
    ],
)
def test_a_queue_without_names_or_beyond_32_bits_is_refused(body: bytes) -> None:
    with pytest.raises(CodecError, match="MessageQueue"):
        decode_body(MessageQueue, body)
