from codec.bodies.data_version import DataVersion
from rmq.namesrv.live_brokers import BrokerKey, LiveBroker, LiveBrokers
from rmq.namesrv.tests.scene import MemoryChannel

A, B = BrokerKey("c", "a:1"), BrokerKey("c", "b:1")


def live(channel: MemoryChannel, heard_ms: int = 0, timeout_ms: int = 100) -> LiveBroker:
    return LiveBroker(
        heard_ms=heard_ms,
        timeout_ms=timeout_ms,
        data_version=DataVersion(),
        channel=channel,
        ha_address=None,
    )


def silent(brokers: LiveBrokers, now_ms: int) -> list[BrokerKey]:
    return [key for key, _ in brokers.silent(now_ms)]


def test_a_broker_is_silent_only_after_its_own_timeout() -> None:
    brokers = LiveBrokers()
    brokers.put(A, live(MemoryChannel(), timeout_ms=100))
    brokers.put(B, live(MemoryChannel(), timeout_ms=300))

    assert silent(brokers, 100) == []
    assert silent(brokers, 101) == [A]
    assert silent(brokers, 301) == [A, B]


def test_a_heartbeat_ends_silence_and_of_a_stranger_means_nothing() -> None:
    brokers = LiveBrokers()
    brokers.put(A, live(MemoryChannel()))

    brokers.heard(A, 50)
    brokers.heard(B, 50)

    assert silent(brokers, 150) == []
    assert silent(brokers, 151) == [A]
    assert brokers.get(B) is None
    assert list(brokers) == [A]


def test_brokers_are_found_by_the_connection_they_registered_over_last() -> None:
    brokers = LiveBrokers()
    first, second = MemoryChannel(), MemoryChannel()
    brokers.put(A, live(first))
    brokers.put(B, live(first))

    brokers.put(A, live(second))

    assert brokers.on_channel(first) == [B]
    assert brokers.on_channel(second) == [A]
    assert brokers.on_channel(MemoryChannel()) == []


def test_a_removed_broker_leaves_nothing() -> None:
    brokers = LiveBrokers()
    channel = MemoryChannel()
    brokers.put(A, live(channel))

    brokers.remove(A)
    brokers.remove(A)

    assert len(brokers) == 0
    assert brokers.on_channel(channel) == []
