import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.locks import LockBatchRequestBody, LockBatchResponseBody, UnlockBatchRequestBody
from codec.bodies.message_queue import MessageQueue
from codec.bodies.tests.recorded import ODD, read_recorded
from codec.errors import CodecError


@pytest.mark.parametrize("cls", [LockBatchRequestBody, UnlockBatchRequestBody])
def test_a_request_is_java_s(
    cls: type[LockBatchRequestBody] | type[UnlockBatchRequestBody],
) -> None:
    assert read_recorded(cls) == cls(
        client_id=f"clientId{ODD}",
        consumer_group=f"consumerGroup{ODD}",
        mq_set=[MessageQueue(broker_name="broker-a", queue_id=3, topic="topicmqSet")],
        only_this_broker=True,
    )


def test_an_answer_is_java_s() -> None:
    assert len(read_recorded(LockBatchResponseBody).lock_ok_mq_set) == 1


def test_no_lock_is_an_empty_list() -> None:
    assert encode_body(LockBatchResponseBody()) == b'{"lockOKMQSet":[]}'


def test_a_request_without_a_client_is_refused() -> None:
    with pytest.raises(CodecError, match="clientId"):
        decode_body(LockBatchRequestBody, b'{"consumerGroup":"g"}')
