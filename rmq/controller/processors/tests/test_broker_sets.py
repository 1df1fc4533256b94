import pytest

from codec.bodies import decode_body
from codec.bodies.controller import BrokerReplicasInfo
from codec.codes import RequestCode, ResponseCode
from codec.errors import CodecError
from codec.headers.controller import (
    AlterSyncStateSetRequestHeader,
    ApplyBrokerIdRequestHeader,
    CleanControllerBrokerDataRequestHeader,
    ElectMasterRequestHeader,
    GetNextBrokerIdRequestHeader,
    GetReplicaInfoRequestHeader,
    RegisterBrokerToControllerRequestHeader,
)
from codec.headers.fields import RequestHeader
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.conf.controller import ControllerConfig
from rmq.controller.configuration import Configuration
from rmq.controller.role import Controller
from rmq.controller.tests.parts import Group, heartbeat, request, result, sent_to
from rmq.net.memory_disk import MemoryDisk
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeCaller, FakeChannel

ADDRESS = "10.0.1.1:10911"


class Scene:
    def __init__(self):
        clock, self.caller, self.group = ManualClock(), FakeCaller(), Group()
        configuration = Configuration(MemoryDisk(clock), ControllerConfig())
        self.role = Controller(configuration, clock, self.group, self.caller)
        self.table = handler_table(self.role.processors)
        self.group.elect()

    def ask(self, code, header=None, body=b""):
        asked = request(code, header or RequestHeader(), body)
        return result(self.table[code].answer(asked))

    def join(self, broker_id):
        header = ApplyBrokerIdRequestHeader(
            cluster_name="C",
            broker_name="a",
            applied_broker_id=broker_id,
            register_check_code=f"10.0.1.{broker_id}:10911;17",
        )
        return self.ask(RequestCode.CONTROLLER_APPLY_BROKER_ID, header)

    def elect(self, broker_id):
        header = ElectMasterRequestHeader(broker_name="a", broker_id=broker_id)
        return self.ask(RequestCode.CONTROLLER_ELECT_MASTER, header)

    def beat(self, broker_id):
        self.role.heartbeats.heard(heartbeat(broker_id), FakeChannel())


def test_brokers_join_elect_register_and_agree_on_who_is_in_sync():
    scene = Scene()
    asked = GetNextBrokerIdRequestHeader(cluster_name="C", broker_name="a")
    name = RequestCode.CONTROLLER_GET_NEXT_BROKER_ID
    assert scene.ask(name, asked).header.next_broker_id == 1
    assert scene.join(1).code == scene.join(2).code == ResponseCode.SUCCESS
    scene.beat(1)
    scene.beat(2)

    assert scene.elect(1).header.master_address == ADDRESS
    assert sent_to(scene.caller.sent) == [ADDRESS, "10.0.1.2:10911"]

    register = RegisterBrokerToControllerRequestHeader(
        cluster_name="C", broker_name="a", broker_id=2, broker_address="10.0.1.2:10911"
    )
    answer = scene.ask(RequestCode.CONTROLLER_REGISTER_BROKER, register)
    assert answer.header.master_broker_id == 1
    assert answer.body == b'{"syncStateSet":[1],"syncStateSetEpoch":1}'

    alter = AlterSyncStateSetRequestHeader(broker_name="a", master_broker_id=1, master_epoch=1)
    body = b'{"syncStateSet":[1,2],"syncStateSetEpoch":1}'
    answer = scene.ask(RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET, alter, body)
    assert answer.header.new_sync_state_set_epoch == 2

    info = GetReplicaInfoRequestHeader(broker_name="a")
    answer = scene.ask(RequestCode.CONTROLLER_GET_REPLICA_INFO, info)
    assert answer.body == b'{"syncStateSet":[1,2],"syncStateSetEpoch":2}'

    answer = scene.ask(RequestCode.CONTROLLER_GET_SYNC_STATE_DATA, body=b'["a"]')
    table = decode_body(BrokerReplicasInfo, answer.body).replicas_info_table
    assert len(table["a"].in_sync_replicas) == 2

    clean = CleanControllerBrokerDataRequestHeader(broker_name="a", is_clean_living_broker=True)
    assert scene.ask(RequestCode.CLEAN_BROKER_DATA, clean).code == ResponseCode.SUCCESS
    assert scene.role.state.known("a") is None


def test_a_refusal_has_its_code_and_remark_and_tells_nobody():
    scene = Scene()

    answer = scene.elect(1)

    assert answer.code == ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED
    assert "'a'" in answer.remark
    assert scene.caller.sent == []


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET, b""),
        (RequestCode.CONTROLLER_GET_SYNC_STATE_DATA, b""),
        (RequestCode.CONTROLLER_GET_SYNC_STATE_DATA, b"[]"),
    ],
)
def test_a_body_that_must_be_there_is_asked_for(code, body):
    with pytest.raises(CommandError) as refused:
        Scene().ask(code, AlterSyncStateSetRequestHeader(), body)

    assert refused.value.code == ResponseCode.CONTROLLER_INVALID_REQUEST


def test_a_body_that_is_none_is_refused():
    with pytest.raises(CodecError):
        Scene().ask(RequestCode.CONTROLLER_GET_SYNC_STATE_DATA, body=b"{")


def test_who_does_not_lead_answers_so():
    scene = Scene()
    scene.group.elect("n1")

    assert scene.join(1).code == ResponseCode.CONTROLLER_NOT_LEADER
