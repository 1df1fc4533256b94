from codec.bodies import decode_body, encode_body
from codec.bodies.assignment import (
    MessageQueueAssignment,
    MessageRequestMode,
    MessageRequestModeSerializeWrapper,
    QueryAssignmentRequestBody,
    QueryAssignmentResponseBody,
    SetMessageRequestModeRequestBody,
)
from codec.bodies.heartbeat import MessageModel
from codec.bodies.message_queue import MessageQueue
from codec.bodies.tests.recorded import ODD, read_recorded


def test_a_question_is_java_s() -> None:
    body = read_recorded(QueryAssignmentRequestBody)

    assert body.message_model is MessageModel.CLUSTERING
    assert body.strategy_name == f"strategyName{ODD}"


def test_an_answer_is_java_s() -> None:
    assert read_recorded(QueryAssignmentResponseBody).message_queue_assignments == [
        MessageQueueAssignment(
            attachments={"attachments1": f"attachments{ODD}", "attachments2": f"attachments{ODD}"},
            message_queue=MessageQueue(
                broker_name="broker-a", queue_id=3, topic="topicmessageQueue"
            ),
            mode=MessageRequestMode.POP,
        )
    ]


def test_no_queues_and_no_answer_are_told_apart() -> None:
    assert encode_body(QueryAssignmentResponseBody()) == b"{}"
    assert encode_body(QueryAssignmentResponseBody(message_queue_assignments=[])) == (
        b'{"messageQueueAssignments":[]}'
    )


def test_the_mode_to_set_is_java_s() -> None:
    body = read_recorded(SetMessageRequestModeRequestBody)

    assert (body.mode, body.pop_share_queue_num) == (MessageRequestMode.POP, 48)


def test_the_modes_of_a_broker_are_java_s_by_topic_then_group() -> None:
    by_topic = read_recorded(MessageRequestModeSerializeWrapper).message_request_mode_map

    assert by_topic["messageRequestModeMap1"]["messageRequestModeMap2"] == (
        SetMessageRequestModeRequestBody(
            consumer_group=f"consumerGroup{ODD}",
            mode=MessageRequestMode.POP,
            pop_share_queue_num=48,
            topic=f"topic{ODD}",
        )
    )


def test_pulling_is_the_mode_unless_said() -> None:
    assert decode_body(SetMessageRequestModeRequestBody, b"{}").mode is MessageRequestMode.PULL
    assert decode_body(MessageQueueAssignment, b'{"mode":1}').mode is MessageRequestMode.POP
