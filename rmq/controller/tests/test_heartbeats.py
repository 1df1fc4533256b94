import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.controller.heartbeats import BrokerKey, Heartbeats
from rmq.controller.tests.parts import heartbeat
from rmq.remoting.testing import FakeChannel


class Scene:
    def __init__(self, live_max=10, scan_ms=5000):
        self.clock = ManualClock()
        self.table = Heartbeats(self.clock, scan_ms, live_max)
        self.lost = []
        self.table.on_lost(self.lost.append)
        self.table.start()

    def alive(self, broker_id=1, cluster="C"):
        return self.table.alive(cluster, "a", broker_id)


def test_a_broker_lives_as_long_as_it_granted_itself():
    scene = Scene()

    scene.table.heard(heartbeat(heartbeat_timeout_mills=3000), FakeChannel())

    assert scene.alive()
    assert not scene.alive(2)
    assert not scene.alive(cluster=None)
    scene.clock.advance(3000)
    assert scene.alive()
    scene.clock.advance(1)
    assert not scene.alive()


def test_without_a_word_it_is_ten_seconds():
    scene = Scene()

    scene.table.heard(heartbeat(), FakeChannel())

    assert scene.table.get("C", "a", 1).lease_ms == 10_000


def test_the_scan_loses_the_silent_and_closes_their_connections():
    scene = Scene()
    channel = FakeChannel()
    scene.table.heard(heartbeat(1, heartbeat_timeout_mills=1500), channel)
    scene.table.heard(heartbeat(2), FakeChannel())

    scene.clock.advance(2000)

    assert scene.lost == [BrokerKey("C", "a", 1)]
    assert "silent" in channel.closed_because
    assert len(scene.table) == 1


def test_without_a_listener_brokers_are_lost_silently():
    table = Heartbeats(ManualClock(), 100)
    channel = FakeChannel()
    table.heard(heartbeat(), channel)

    table.channel_closed(channel)

    assert len(table) == 0


def test_who_is_lost_while_another_is_reported_is_not_lost_twice():
    scene = Scene()
    channel = FakeChannel()
    for broker_id in (1, 2):
        scene.table.heard(heartbeat(broker_id, heartbeat_timeout_mills=1), channel)

    def lost(key):
        scene.lost.append(key)
        scene.table.channel_closed(channel)

    scene.table.on_lost(lost)
    scene.clock.advance(2000)

    assert scene.lost == [BrokerKey("C", "a", 1), BrokerKey("C", "a", 2)]


def test_all_brokers_of_a_connection_are_lost_with_it():
    scene = Scene()
    channel = FakeChannel()
    scene.table.heard(heartbeat(1), channel)
    scene.table.heard(heartbeat(2), channel)
    scene.table.heard(heartbeat(3), FakeChannel())

    scene.table.channel_closed(channel)
    scene.table.channel_closed(channel)

    assert scene.lost == [BrokerKey("C", "a", 1), BrokerKey("C", "a", 2)]
    assert not scene.alive(1)
    assert scene.alive(3)


def test_a_broker_that_came_anew_is_not_lost_with_its_old_connection():
    scene = Scene()
    old, new = FakeChannel(), FakeChannel()
    scene.table.heard(heartbeat(), old)
    scene.table.heard(heartbeat(), new)

    scene.table.channel_closed(old)

    assert scene.alive()
    scene.table.channel_closed(new)
    assert not scene.alive()


def test_offsets_only_grow_within_an_epoch():
    scene = Scene()
    channel = FakeChannel()

    def heard(epoch, max_offset, confirmed=None):
        header = heartbeat(epoch=epoch, max_offset=max_offset, confirm_offset=confirmed)
        scene.table.heard(header, channel)
        broker = scene.table.get("C", "a", 1)
        return broker.epoch, broker.max_offset, broker.confirm_offset

    assert heard(None, None) == (-1, -1, -1)
    assert heard(1, 100, 90) == (1, 100, 90)
    assert heard(1, 50, 99) == (1, 100, 90)
    assert heard(0, 500, 99) == (1, 100, 90)
    assert heard(2, 10) == (2, 10, -1)


def test_priority_and_lease_are_the_last_ones():
    scene = Scene()
    scene.table.heard(heartbeat(election_priority=3), FakeChannel())

    assert scene.table.get("C", "a", 1).priority == 3
    scene.table.heard(heartbeat(heartbeat_timeout_mills=5), FakeChannel())
    assert scene.table.get("C", "a", 1).priority == 2**31 - 1
    assert scene.table.get("C", "a", 1).lease_ms == 5


@pytest.mark.parametrize(
    ("header", "code", "why"),
    [
        (heartbeat(None), ResponseCode.CONTROLLER_INVALID_REQUEST, "brokerId"),
        (
            heartbeat(heartbeat_timeout_mills=0),
            ResponseCode.CONTROLLER_INVALID_REQUEST,
            "heartbeatTimeoutMills=0",
        ),
        (heartbeat(9), ResponseCode.SYSTEM_BUSY, "1 brokers are alive"),
    ],
    ids=["no id", "no time", "too many"],
)
def test_bad_heartbeats_are_refused_and_change_nothing(header, code, why):
    scene = Scene(live_max=1)
    scene.table.heard(heartbeat(1), FakeChannel())

    with pytest.raises(CommandError, match=why) as refused:
        scene.table.heard(header, FakeChannel())

    assert refused.value.code == code
    assert len(scene.table) == 1


def test_a_pause_of_our_own_is_not_taken_for_silence():
    scene = Scene()
    scene.table.heard(heartbeat(), FakeChannel())

    scene.clock.set_monotonic_ms(60_000)
    scene.clock.advance(0)

    assert scene.lost == []
    assert scene.alive()
    scene.clock.advance(20_000)
    assert scene.lost == [BrokerKey("C", "a", 1)]


def test_after_the_stop_nobody_is_looked_for():
    scene = Scene()
    scene.table.heard(heartbeat(), FakeChannel())

    scene.table.stop()
    scene.clock.advance(60_000)

    assert scene.lost == []
    assert scene.clock.owed == 0
