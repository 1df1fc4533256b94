import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.heartbeat import (
    SUBSCRIBE_ALL,
    TAG,
    CheckClientRequestBody,
    ConsumeFromWhere,
    ConsumerData,
    ConsumeType,
    HeartbeatData,
    MessageModel,
    ProducerData,
    SubscriptionData,
)
from codec.bodies.tests.recorded import ODD, read_recorded
from codec.errors import CodecError


def test_a_heartbeat_is_java_s() -> None:
    assert read_recorded(HeartbeatData) == HeartbeatData(
        client_id=f"clientID{ODD}",
        consumer_data_set=[
            ConsumerData(
                consume_from_where=ConsumeFromWhere.CONSUME_FROM_TIMESTAMP,
                consume_type=ConsumeType.CONSUME_POP,
                group_name=f"groupName{ODD}",
                message_model=MessageModel.CLUSTERING,
                subscription_data_set=[
                    SubscriptionData(
                        code_set={21},
                        expression_type=f"expressionType{ODD}",
                        sub_string=f"subString{ODD}",
                        sub_version=1700000000010,
                        tags_set={f"tagsSet{ODD}"},
                        topic=f"topic{ODD}",
                    )
                ],
                unit_mode=True,
            )
        ],
        heartbeat_fingerprint=60,
        producer_data_set=[ProducerData(group_name=f"groupName{ODD}")],
        without_sub=True,
    )


def test_a_subscription_to_be_judged_is_java_s() -> None:
    body = read_recorded(CheckClientRequestBody)

    assert (body.group, body.namespace) == (f"group{ODD}", f"namespace{ODD}")


def test_a_subscription_is_by_tag_unless_said() -> None:
    body = decode_body(SubscriptionData, b'{"topic":"T","subString":"*"}')

    assert (body.expression_type, body.sub_string) == (TAG, SUBSCRIBE_ALL)
    assert encode_body(body) == (
        b'{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*",'
        b'"subVersion":0,"tagsSet":[],"topic":"T"}'
    )


def test_modes_may_be_numbers_and_unknown_names_are_none() -> None:
    body = decode_body(
        ConsumerData,
        b'{"groupName":"g","consumeType":1,"messageModel":1,"consumeFromWhere":"SOME_DAY"}',
    )

    assert body.consume_type is ConsumeType.CONSUME_PASSIVELY
    assert body.message_model is MessageModel.CLUSTERING
    assert body.consume_from_where is None


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"clientID":"c","consumerDataSet":[{"unitMode":true}]}',
        b'{"clientID":"c","producerDataSet":[{}]}',
    ],
)
def test_a_heartbeat_without_its_names_is_refused(body: bytes) -> None:
    with pytest.raises(CodecError, match="HeartbeatData"):
        decode_body(HeartbeatData, body)
