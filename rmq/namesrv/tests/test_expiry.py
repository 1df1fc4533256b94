from rmq.namesrv.live_brokers import BrokerKey
from rmq.namesrv.routes import Departure
from rmq.namesrv.tests.scene import MemoryChannel, Scene


def departure(broker_id: int = 0, name: str = "broker-a") -> Departure:
    return Departure(BrokerKey("c", f"{name}-{broker_id}:10911"), name, broker_id)


def test_a_silent_broker_is_gone_after_its_own_timeout_and_its_connection_closed() -> None:
    scene = Scene()
    channel = MemoryChannel()
    scene.register("broker-a", timeout_ms=20_000, channel=channel)
    scene.register("broker-b")

    scene.clock.advance(20_000)
    assert set(scene.namesrv.tables.brokers) == {"broker-a", "broker-b"}
    scene.clock.advance(5_010)

    assert set(scene.namesrv.tables.brokers) == {"broker-b"}
    assert channel.closed is not None
    assert "20000 ms" in channel.closed


def test_a_broker_that_said_nothing_has_two_minutes() -> None:
    scene = Scene()
    scene.register()

    scene.clock.advance(120_000)
    assert scene.namesrv.tables.brokers
    scene.clock.advance(5_010)
    assert not scene.namesrv.tables.brokers


def test_a_jump_of_the_clock_on_the_wall_expires_nobody() -> None:
    scene = Scene()
    scene.register()

    scene.clock.set_wall_ms(scene.clock.wall_ms() + 10_000_000)
    scene.clock.advance(6_000)

    assert scene.namesrv.tables.brokers


def test_a_closed_connection_takes_all_its_brokers_at_once() -> None:
    scene = Scene()
    channel = MemoryChannel()
    scene.register("broker-a", channel=channel)
    scene.register("broker-b", channel=channel)
    scene.register("broker-c")

    scene.namesrv.channel_closed(channel)
    scene.clock.advance(0)

    assert set(scene.namesrv.tables.brokers) == {"broker-c"}


def test_a_clients_closed_connection_takes_nobody() -> None:
    scene = Scene()
    scene.register()

    scene.namesrv.channel_closed(MemoryChannel())
    scene.clock.advance(0)

    assert scene.namesrv.tables.brokers


def test_an_old_connection_that_closes_late_does_not_hurt_the_new_one() -> None:
    scene = Scene()
    old = MemoryChannel()
    scene.register(channel=old)
    scene.register(channel=MemoryChannel())

    scene.namesrv.channel_closed(old)
    scene.clock.advance(0)

    assert scene.namesrv.tables.brokers


def test_a_broker_that_comes_back_at_once_is_not_undone_by_its_departure() -> None:
    scene = Scene()
    old = MemoryChannel()
    scene.register(channel=old)

    scene.namesrv.channel_closed(old)
    scene.register(channel=MemoryChannel())
    scene.clock.advance(0)

    assert scene.namesrv.tables.brokers


def test_departures_of_one_turn_are_carried_out_together() -> None:
    scene = Scene(notifyMinBrokerIdChanged=True)
    for broker_id in range(3):
        scene.register(broker_id=broker_id, acting_master=True)
    scene.caller.sent.clear()

    scene.namesrv.expiry.submit(departure(0))
    scene.namesrv.expiry.submit(departure(1))
    assert scene.caller.sent == []
    scene.clock.advance(0)

    assert scene.caller.sent == [
        (
            "broker-a-2:10911",
            {
                "minBrokerId": "2",
                "minBrokerAddr": "broker-a-2:10911",
                "offlineBrokerAddr": "broker-a-1:10911",
            },
        )
    ]


def test_nobody_is_told_if_that_is_not_wanted() -> None:
    scene = Scene()
    for broker_id in range(2):
        scene.register(broker_id=broker_id, acting_master=True)

    scene.namesrv.expiry.submit(departure(0))
    scene.clock.advance(0)

    assert scene.caller.sent == []
    assert set(scene.namesrv.tables.brokers["broker-a"].broker_addrs) == {1}


def test_only_so_many_may_wait() -> None:
    scene = Scene(unRegisterBrokerQueueCapacity=1)

    assert scene.namesrv.expiry.submit(departure(0)) is True
    assert scene.namesrv.expiry.submit(departure(1)) is False
    scene.clock.advance(0)
    assert scene.namesrv.expiry.submit(departure(1)) is True


def test_a_live_broker_that_no_name_has_is_simply_forgotten() -> None:
    scene = Scene()
    channel = MemoryChannel()
    scene.register("broker-a", address="a:1", channel=channel)
    scene.register("broker-a", address="b:1")
    assert scene.namesrv.tables.departures_of(BrokerKey("c", "a:1")) == []

    scene.namesrv.channel_closed(channel)

    assert scene.namesrv.tables.live.get(BrokerKey("c", "a:1")) is None
    assert scene.namesrv.tables.live.get(BrokerKey("c", "b:1")) is not None


def test_stopping_carries_out_what_waits_and_looks_no_more() -> None:
    scene = Scene()
    scene.register("broker-a")
    scene.register("broker-b")
    scene.namesrv.expiry.submit(departure())

    scene.namesrv.stop()
    assert set(scene.namesrv.tables.brokers) == {"broker-b"}
    scene.clock.advance(1_000_000)

    assert set(scene.namesrv.tables.brokers) == {"broker-b"}
    assert scene.clock.owed == 0


def test_two_connections_lost_in_one_scan_do_not_disturb_each_other() -> None:
    scene = Scene()

    class Hasty(MemoryChannel):
        def close(self, reason: str) -> None:
            scene.namesrv.channel_closed(self)

    channel = Hasty()
    scene.register("broker-a", channel=channel, timeout_ms=10)
    scene.register("broker-b", channel=channel, timeout_ms=10)

    scene.clock.advance(6_000)

    assert not scene.namesrv.tables.brokers
