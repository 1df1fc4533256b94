"""Transactions from their beginning to their end, through frames, time and crashes."""

import pytest

from codec.codes import RequestCode
from codec.message import properties as props
from rmq.broker.transactions.tests.scenes import (
    BATCH_MS,
    COMMIT,
    HALF,
    INTERVAL_MS,
    OPS,
    ROLLBACK,
    UNKNOWN,
    TransactionScene,
    parsed,
)


@pytest.fixture
def scene():
    return TransactionScene()


def test_committed_message_is_seen_as_java_stores_it(scene):
    half = scene.begin(b"body", queue_id=2)

    assert scene.visible() == []
    answer = scene.end(half, COMMIT)

    [record] = scene.records("T", 2)
    properties = props.parse(record.properties)
    assert answer.code == 0
    assert (record.body, record.flag, record.sys_flag) == (b"body", 7, 8)
    assert record.prepared_transaction_offset == half["commit_log_offset"]
    assert record.born_host == scene.peer.host_bytes
    assert properties["REAL_TOPIC"] == "T"
    assert properties["REAL_QID"] == "2"
    assert properties["TRAN_MSG"] == "true"
    assert scene.ops() == []
    scene.clock.advance(BATCH_MS)
    assert scene.ops() == [b"0,"]


def test_rolled_back_message_is_never_seen_nor_asked_about(scene):
    producer = scene.connected()
    half = scene.begin()

    assert scene.end(half, ROLLBACK).code == 0

    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.visible() == []
    assert producer.sent == []
    assert scene.consumed(HALF) == 1
    assert scene.consumed(OPS) == 1


def test_unknown_transaction_is_asked_about_and_committed(scene):
    producer = scene.connected()
    half = scene.begin(b"body", queue_id=3)
    assert scene.end(half, UNKNOWN) is None

    scene.clock.advance(INTERVAL_MS)

    [command] = producer.sent
    record = parsed(command)
    position = int(command.ext_fields["commitLogOffset"])
    assert command.code == RequestCode.CHECK_TRANSACTION_STATE
    assert command.ext_fields == {
        "topic": HALF,
        "tranStateTableOffset": "1",
        "commitLogOffset": str(position),
        "msgId": "K1",
        "transactionId": "K1",
        "offsetMsgId": f"{scene.send_settings.store_host.hex().upper()}{position:016X}",
        "bname": "broker-a",
    }
    assert (record.topic, record.queue_id, record.body) == (b"T", 3, b"body")
    assert (record.queue_offset, record.position) == (1, position)
    assert props.find(record.properties, b"TRANSACTION_CHECK_TIMES") == b"1"

    [question] = scene.asked(producer)
    assert scene.end(question, COMMIT).code == 0
    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.visible() == [b"body"]
    assert producer.sent == []
    assert scene.consumed(HALF) == 2
