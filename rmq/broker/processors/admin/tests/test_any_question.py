"""Whatever operators and repliers send: an answer, and no failure of our own."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codec.bodies.heartbeat import ConsumerData
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode
from codec.frame import JSON, ROCKETMQ
from codec.headers.clients import (
    ConsumeMessageDirectlyResultRequestHeader,
    GetConsumerRunningInfoRequestHeader,
)
from codec.headers.fields import plan_of
from codec.headers.offsets import GetConsumerStatusRequestHeader, ResetOffsetRequestHeader
from codec.headers.send import SendMessageRequestHeader, SendMessageRequestHeaderV2
from rmq.base.manual import FixedChance
from rmq.broker.clients import Client
from rmq.broker.processors.admin.relays import RelayProcessor
from rmq.broker.processors.admin.resets import ResetProcessor
from rmq.broker.processors.admin.tests.scene import AdminScene
from rmq.broker.processors.reply import ReplyProcessor
from rmq.broker.processors.tests.test_any_request import bodies, flags, numbers, texts
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeChannel

HEADERS = {
    RequestCode.SEND_REPLY_MESSAGE: SendMessageRequestHeader,
    RequestCode.SEND_REPLY_MESSAGE_V2: SendMessageRequestHeaderV2,
    RequestCode.INVOKE_BROKER_TO_RESET_OFFSET: ResetOffsetRequestHeader,
    RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: GetConsumerStatusRequestHeader,
    RequestCode.GET_CONSUMER_RUNNING_INFO: GetConsumerRunningInfoRequestHeader,
    RequestCode.CONSUME_MESSAGE_DIRECTLY: ConsumeMessageDirectlyResultRequestHeader,
}

REPLY = "REPLY_TO_CLIENT\x01c\x02"
LIKELY = {
    "topic": "T",
    "group": "g",
    "consumerGroup": "g",
    "clientId": "c",
    "clientAddr": "c",
    "queueId": "0",
    "properties": REPLY,
    "b": "T",
    "e": "0",
    "i": REPLY,
    "msgId": "00" * 16,
}
"""What makes sense in a field, so that not every question is refused at its first."""


@st.composite
def questions(draw):
    code = draw(st.sampled_from(sorted(HEADERS)))
    fields = {}
    for field in plan_of(HEADERS[code]):
        name = field.wire_name
        if name in LIKELY and draw(st.integers(0, 5)):
            fields[name] = LIKELY[name]
        elif field.required or draw(st.booleans()):
            fields[name] = draw({int: numbers, bool: flags}.get(field.kind, texts))
    return code, fields, draw(bodies), draw(st.sampled_from([JSON, ROCKETMQ]))


class AnyScene(AdminScene):
    def __init__(self, *, recorded):
        super().__init__(useServerSideResetOffset=recorded)
        self.channel = FakeChannel()
        client = Client(self.channel, "c", version=479)
        self.topics.update(TopicConfig(topic_name="T", read_queue_nums=2, write_queue_nums=2))
        self.put("T")
        self.consumers.register(client, ConsumerData(group_name="g"))
        self.producers.register("p", client)
        self.groups.find("g")
        for queue_id in range(2):
            self.offsets.commit("g", "T", queue_id, 0)
        processors = [
            ReplyProcessor(
                self.config,
                self.send_settings,
                self.sending.checked_topic,
                self.producers,
                self.store,
                None,
                self.clock,
                FixedChance((0,) * 9),
            ),
            ResetProcessor(
                self.config,
                self.topics,
                self.groups,
                self.consumers,
                self.offsets,
                self.store,
                self.role,
            ),
            RelayProcessor("broker-a", self.topics, self.groups, self.consumers, self.store),
        ]
        self._dispatcher = Dispatcher(handler_table(processors))


@pytest.mark.parametrize("recorded", [True, False])
@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(questions(), min_size=1, max_size=4), st.binary(max_size=8))
def test_any_question_is_answered_without_a_failure_of_our_own(recorded, asked, told):
    scene = AnyScene(recorded=recorded)
    failures = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: failures.append(record.getMessage())
    logging.getLogger("rmq").addHandler(handler)
    try:
        for code, fields, body, encoding in asked:
            answer = scene.ask(code, None, body, encoding=encoding, **fields)
            if answer is None:
                scene.channel.calls.pop().succeed(body=told)
                answer = scene.peer.replies.pop()
            assert answer.code >= 0
    finally:
        logging.getLogger("rmq").removeHandler(handler)
    assert failures == []
