from codec.codes import RequestCode
from rmq.base.manual import ManualClock
from rmq.broker.controlled.controllers import Controllers
from rmq.broker.controlled.heartbeats import Heartbeats
from rmq.broker.controlled.requests import Names
from rmq.conf.broker import BrokerConfig
from rmq.remoting.testing import FakeCaller


class Log:
    """How far a log goes."""

    last_epoch = 3
    end_position = 900
    confirmed_position = 800


def test_every_controller_hears_each_second_how_far_we_are() -> None:
    clock, caller = ManualClock(), FakeCaller()
    controllers = Controllers(caller, ["c:1", "c:2"])
    names = Names("cluster", "broker-a", "h:10911")
    heartbeats = Heartbeats(
        clock, controllers, names, BrokerConfig(brokerElectionPriority=5), Log()
    )

    heartbeats.start(2)
    heartbeats.start(2)
    clock.advance(1_000)
    heartbeats.stop()
    clock.advance(5_000)

    assert [address for address, _ in caller.sent] == ["c:1", "c:2"] * 3
    command = caller.sent[0][1]
    assert command.code == RequestCode.BROKER_HEARTBEAT
    assert command.ext_fields == {
        "clusterName": "cluster",
        "brokerAddr": "h:10911",
        "brokerName": "broker-a",
        "brokerId": "2",
        "epoch": "3",
        "maxOffset": "900",
        "confirmOffset": "800",
        "heartbeatTimeoutMills": "10000",
        "electionPriority": "5",
    }
