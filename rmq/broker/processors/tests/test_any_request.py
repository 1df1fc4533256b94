"""Whatever a client sends: an answer, and no failure of our own."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode
from codec.frame import JSON, ROCKETMQ
from codec.headers.clients import (
    GetConsumerListByGroupRequestHeader,
    HeartbeatRequestHeader,
    LockBatchMqRequestHeader,
    UnlockBatchMqRequestHeader,
    UnregisterClientRequestHeader,
)
from codec.headers.fields import RequestHeader, plan_of
from codec.headers.offsets import (
    GetEarliestMsgStoretimeRequestHeader,
    GetMaxOffsetRequestHeader,
    GetMinOffsetRequestHeader,
    QueryConsumerOffsetRequestHeader,
    SearchOffsetRequestHeader,
    UpdateConsumerOffsetRequestHeader,
)
from codec.headers.pull import (
    PullMessageRequestHeader,
    QueryMessageRequestHeader,
    ViewMessageRequestHeader,
)
from codec.headers.send import SendMessageRequestHeader, SendMessageRequestHeaderV2
from codec.message.batch import BatchItem, pack_batch
from rmq.broker.processors.tests.scene import Scene

HEADERS = {
    RequestCode.SEND_MESSAGE: SendMessageRequestHeader,
    RequestCode.SEND_MESSAGE_V2: SendMessageRequestHeaderV2,
    RequestCode.SEND_BATCH_MESSAGE: SendMessageRequestHeaderV2,
    RequestCode.PULL_MESSAGE: PullMessageRequestHeader,
    RequestCode.LITE_PULL_MESSAGE: PullMessageRequestHeader,
    RequestCode.HEART_BEAT: HeartbeatRequestHeader,
    RequestCode.UNREGISTER_CLIENT: UnregisterClientRequestHeader,
    RequestCode.CHECK_CLIENT_CONFIG: RequestHeader,
    RequestCode.GET_CONSUMER_LIST_BY_GROUP: GetConsumerListByGroupRequestHeader,
    RequestCode.LOCK_BATCH_MQ: LockBatchMqRequestHeader,
    RequestCode.UNLOCK_BATCH_MQ: UnlockBatchMqRequestHeader,
    RequestCode.QUERY_CONSUMER_OFFSET: QueryConsumerOffsetRequestHeader,
    RequestCode.UPDATE_CONSUMER_OFFSET: UpdateConsumerOffsetRequestHeader,
    RequestCode.GET_MAX_OFFSET: GetMaxOffsetRequestHeader,
    RequestCode.GET_MIN_OFFSET: GetMinOffsetRequestHeader,
    RequestCode.SEARCH_OFFSET_BY_TIMESTAMP: SearchOffsetRequestHeader,
    RequestCode.GET_EARLIEST_MSG_STORETIME: GetEarliestMsgStoretimeRequestHeader,
    RequestCode.QUERY_MESSAGE: QueryMessageRequestHeader,
    RequestCode.VIEW_MESSAGE_BY_ID: ViewMessageRequestHeader,
}

SUBSCRIBING = (
    b'{"clientID":"c","consumerDataSet":[{"groupName":"g","subscriptionDataSet":'
    b'[{"topic":"T","subString":"||"}]}]}'
)

numbers = st.sampled_from(
    [*(-1, 0, 0, 0, 0, 1, 1, 2, 3, 4, 6, 7) * 4, -(2**63), -(2**31), 2**31 - 1, 2**63 - 1, 2**63]
).map(str)
texts = st.sampled_from(
    [
        *(
            "T",
            "T",
            "T",
            "g",
            "g",
            "",
            " ",
            "%RETRY%g",
            "%DLQ%g",
            "%RETRY%",
            "TBW102",
            "*",
            "a||b",
            "||",
            "null",
        ),
        *("Z" * 127, "Z" * 300, "\u00e9", "SQL92", "TAG", "T/x", "..", "a@b"),
        "UNIQ_KEY\x01K\x02KEYS\x01a b\x02",
        "UNIQ_KEY\x01\x02",
        "\x01\x02\x01",
        "\x02",
        "TAGS\x01" + "t" * 40_000,
        "WAIT\x01false\x02",
    ]
) | st.text(max_size=8).filter(lambda text: text.isprintable())
flags = st.sampled_from(["true", "false", "maybe"])
bodies = st.sampled_from(
    [
        b"",
        b"hello",
        b"{}",
        b"[]",
        b"null",
        b'{"clientID":"c","consumerDataSet":[{"groupName":"g"}],"heartbeatFingerprint":7}',
        b'{"clientID":"c","producerDataSet":[{"groupName":""}]}',
        SUBSCRIBING,
        b'{"clientID":"c","consumerDataSet":null}',
        b'{"clientId":"c","consumerGroup":"g","mqSet":[{"topic":"T","brokerName":"b"}]}',
        b'{"clientId":"c","consumerGroup":"g","mqSet":null}',
        b'{"subscriptionData":{"topic":"T","expressionType":"SQL92"}}',
        pack_batch([BatchItem(b"x", b"UNIQ_KEY\x01U\x02")]),
        pack_batch([BatchItem(b"")] * 3),
    ]
) | st.binary(max_size=40)


@st.composite
def requests(draw):
    code = draw(st.sampled_from(sorted(HEADERS)))
    fields = {}
    for field in plan_of(HEADERS[code]):
        if not field.required and draw(st.booleans()):
            continue
        kinds = {int: numbers, bool: flags}
        fields[field.wire_name] = draw(kinds.get(field.kind, texts))
    return code, fields, draw(bodies), draw(st.sampled_from([JSON, ROCKETMQ]))


def a_scene():
    scene = Scene(
        chance=iter(range(10**9)),
        store={"commit_log_file_size": 1 << 20, "message_size_max": 1 << 16},
    )
    scene.topics.update(TopicConfig(topic_name="T"))
    return scene


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.lists(requests(), min_size=1, max_size=4))
def test_any_request_is_answered_without_a_failure_of_our_own(asked):
    scene = a_scene()
    failures = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: failures.append(record.getMessage())
    logging.getLogger("rmq").addHandler(handler)
    try:
        for code, fields, body, encoding in asked:
            answer = scene.ask(code, None, body, encoding=encoding, **fields)
            assert answer is not None or len(scene.waiting) > 0
        scene.clock.advance(700_000)
    finally:
        logging.getLogger("rmq").removeHandler(handler)

    assert failures == []
    assert len(scene.waiting) == 0


@pytest.mark.parametrize("code", sorted(HEADERS))
def test_request_without_any_field_is_answered(code):
    scene = a_scene()

    assert scene.ask(code) is not None
