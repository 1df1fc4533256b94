"""Sent messages that are stored elsewhere first: half messages and delayed ones."""

import pytest

from codec.codes import ResponseCode
from codec.message import properties as props
from codec.message.batch import BatchItem, pack_batch
from rmq.broker.processors.tests.scene import HOST
from rmq.broker.processors.tests.test_send import (
    ADDED,
    LONG,
    PLAIN,
    SHORT,
    a_scene,
    refusal,
    send,
)


@pytest.fixture
def scene():
    return a_scene()


# half messages


def test_transaction_is_refused_where_it_is_forbidden():
    scene = a_scene(rejectTransactionMessage=True)

    code, remark = refusal(send(scene, properties=PLAIN + "TRAN_MSG\x01true\x02"))

    assert code == ResponseCode.NO_PERMISSION
    assert remark == "the broker[10.0.0.2] sending transaction message is forbidden"
    assert send(scene, properties=PLAIN + "TRAN_MSG\x01false\x02").code == 0


def test_transaction_is_stored_where_no_consumer_looks(scene):
    answer = send(
        scene,
        properties=PLAIN + "DELAY\x013\x02TRAN_MSG\x01true\x02PGROUP\x01p\x02",
        queue_id=1,
        sys_flag=1 | 4,
    )

    half = scene.stored("RMQ_SYS_TRANS_HALF_TOPIC")
    properties = scene.stored_properties("RMQ_SYS_TRANS_HALF_TOPIC")
    assert answer.ext_fields["queueId"] == "1"
    assert answer.ext_fields["queueOffset"] == "0"
    assert half.sys_flag == 1
    assert properties["REAL_TOPIC"] == "T"
    assert properties["REAL_QID"] == "1"
    assert properties["__transactionId__"] == properties["UNIQ_KEY"]
    assert properties["TRAN_MSG"] == "true"
    assert properties["PGROUP"] == "p"
    assert "DELAY" not in properties
    assert scene.store.max_offset("T", 1) == 0


def test_what_an_old_consumer_sends_back_begins_no_transaction(scene):
    answer = send(
        scene,
        properties=PLAIN + "DELAY\x013\x02TRAN_MSG\x01true\x02",
        reconsume_times=1,
    )

    assert answer.code == 0
    assert scene.store.max_offset("RMQ_SYS_TRANS_HALF_TOPIC", 0) == 0


def test_batch_begins_no_transaction(scene):
    body = pack_batch([BatchItem(b"x")])

    code, remark = refusal(send(scene, body, properties=PLAIN + "TRAN_MSG\x01true\x02", batch=True))

    assert code == ResponseCode.MESSAGE_ILLEGAL
    assert remark.startswith("a batch cannot begin a transaction")


@pytest.mark.parametrize("batch", [None, True])
@pytest.mark.parametrize("name", ["TIMER_DELAY_SEC", "TIMER_DELAY_MS", "TIMER_DELIVER_MS"])
@pytest.mark.parametrize("more", ["", "DELAY\x010\x02"])
def test_delivery_at_any_time_is_refused(scene, name, batch, more):
    body = pack_batch([BatchItem(b"x")])
    properties = PLAIN + more + f"{name}\x013\x02"
    code, remark = refusal(send(scene, body, properties=properties, batch=batch))

    assert code == ResponseCode.MESSAGE_ILLEGAL
    assert remark.endswith("use a delay level. Producer: 10.0.0.1:40000")
    assert scene.store.written_position == 0


def test_batch_is_not_delayed(scene):
    body = pack_batch([BatchItem(b"x")])
    properties = PLAIN + "DELAY\x013\x02"

    code, remark = refusal(send(scene, body, properties=properties, batch=True))

    assert code == ResponseCode.MESSAGE_ILLEGAL
    assert remark.startswith("a batch cannot be delayed")
    assert scene.store.written_position == 0


# delay levels


@pytest.mark.parametrize("code", [SHORT, LONG])
def test_delayed_message_waits_in_its_level_s_queue(scene, code):
    timers = "TIMER_DELAY_SEC\x013\x02TIMER_DELAY_MS\x013\x02TIMER_DELIVER_MS\x013\x02"
    send(scene, topic="T2", properties=PLAIN + "DELAY\x012\x02")

    answer = send(scene, b"body", code, queue_id=1, properties=PLAIN + "DELAY\x012\x02" + timers)

    record = scene.stored("SCHEDULE_TOPIC_XXXX", 1, 1)
    assert (answer.code, answer.ext_fields["queueId"], answer.ext_fields["queueOffset"]) == (
        0,
        "1",
        "1",
    )
    assert answer.ext_fields["msgId"] == HOST.hex().upper() + f"{record.position:016X}"
    assert record.body == b"body"
    assert (
        props.parse(record.properties)
        == {
            "UNIQ_KEY": "K1",
            "TAGS": "a",
            "DELAY": "2",
            "REAL_TOPIC": "T",
            "REAL_QID": "1",
        }
        | ADDED
    )
    assert scene.store.max_offset("T", 1) == 0


def test_level_beyond_the_last_is_the_last(scene):
    send(scene, properties=PLAIN + "DELAY\x0199\x02")

    assert scene.stored_properties("SCHEDULE_TOPIC_XXXX", 17)["DELAY"] == "18"


@pytest.mark.parametrize("level", ["0", "-1"])
def test_level_below_the_first_is_no_delay(scene, level):
    send(scene, properties=PLAIN + f"DELAY\x01{level}\x02")

    assert scene.stored_properties("T")["DELAY"] == level


def test_level_that_is_no_number_is_refused(scene):
    assert refusal(send(scene, properties=PLAIN + "DELAY\x01soon\x02")) == (
        ResponseCode.MESSAGE_ILLEGAL,
        "property DELAY is 'soon', expected the number of a delay level",
    )


def test_old_clients_send_a_delayed_try_to_the_retry_topic_themselves(scene):
    properties = PLAIN + "DELAY\x013\x02RETRY_TOPIC\x01T\x02TRAN_MSG\x01true\x02"

    answer = send(scene, topic="%RETRY%g", reconsume_times=1, properties=properties)

    record = scene.stored("SCHEDULE_TOPIC_XXXX", 2)
    assert answer.code == 0
    assert record.reconsume_times == 1
    assert props.parse(record.properties)["REAL_TOPIC"] == "%RETRY%g"
