import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.clients import (
    CMResult,
    Connection,
    ConsumeMessageDirectlyResult,
    ConsumerConnection,
    ConsumerRunningInfo,
    ConsumeStatus,
    GetConsumerListByGroupResponseBody,
    PopProcessQueueInfo,
    ProcessQueueInfo,
    ProducerConnection,
    ProducerInfo,
    ProducerTableInfo,
    QuerySubscriptionResponseBody,
)
from codec.bodies.heartbeat import ConsumeFromWhere, ConsumeType, MessageModel
from codec.bodies.message_queue import MessageQueue
from codec.bodies.tests.recorded import ODD, read_recorded
from codec.errors import CodecError

QUEUE = MessageQueue(broker_name="broker-a", queue_id=1, topic="t1")


def test_the_clients_of_a_consumer_group_are_java_s() -> None:
    body = read_recorded(ConsumerConnection)

    assert body.connection_set == [
        Connection(
            client_addr=f"clientAddr{ODD}",
            client_id=f"clientId{ODD}",
            language="NODE_JS",
            version=21,
        )
    ]
    assert body.consume_from_where is ConsumeFromWhere.CONSUME_FROM_TIMESTAMP
    assert body.consume_type is ConsumeType.CONSUME_POP
    assert body.message_model is MessageModel.CLUSTERING
    assert sorted(body.subscription_table) == ["subscriptionTable1", "subscriptionTable2"]


def test_the_clients_of_a_producer_group_are_java_s() -> None:
    assert len(read_recorded(ProducerConnection).connection_set) == 1


def test_producers_are_java_s_by_group() -> None:
    assert read_recorded(ProducerTableInfo).data["data1"] == [
        ProducerInfo(
            client_id=f"clientId{ODD}",
            language="NODE_JS",
            last_update_timestamp=1700000000019,
            remote_ip=f"remoteIP{ODD}",
            version=21,
        )
    ]


def test_members_of_a_group_are_java_s() -> None:
    assert read_recorded(GetConsumerListByGroupResponseBody).consumer_id_list == [
        f"consumerIdList{ODD}"
    ]


def test_a_group_s_subscription_is_java_s() -> None:
    assert read_recorded(QuerySubscriptionResponseBody).subscription_data is not None


def test_a_consumer_s_own_account_is_java_s() -> None:
    body = read_recorded(ConsumerRunningInfo)

    assert body.mq_pop_table[QUEUE] == PopProcessQueueInfo(
        droped=True, last_pop_timestamp=1700000000016, wait_ack_count=36
    )
    assert body.mq_table[QUEUE].cached_msg_size_in_mib == 54
    assert isinstance(next(iter(body.status_table.values())), ConsumeStatus)


def test_irregular_names_are_written_as_java_does() -> None:
    assert encode_body(ConsumeStatus(consume_rt=1.5)) == (
        b'{"consumeFailedMsgs":0,"consumeFailedTPS":0.0,"consumeOKTPS":0.0,"consumeRT":1.5,'
        b'"pullRT":0.0,"pullTPS":0.0}'
    )
    assert b'"cachedMsgSizeInMiB":7' in encode_body(ProcessQueueInfo(cached_msg_size_in_mib=7))


def test_what_became_of_a_message_is_java_s() -> None:
    body = read_recorded(ConsumeMessageDirectlyResult)

    assert (body.consume_result, body.auto_commit) == (CMResult.CR_RETURN_NULL, True)


def test_a_version_that_is_no_number_is_refused() -> None:
    with pytest.raises(CodecError, match="version"):
        decode_body(Connection, b'{"version":"new"}')
