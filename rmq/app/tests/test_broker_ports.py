from rmq.app.tests.parts import Parts


def test_addresses_are_those_that_others_are_told():
    ports = Parts(listenPort="10000", haListenPort="10001").ports

    assert ports.address == "127.0.0.1:10000"
    assert ports.ha_address == "127.0.0.2:10001"
    assert ports.store_host == bytes((127, 0, 0, 1, 0, 0, 0x27, 0x10))


def test_delays_are_those_of_the_levels():
    assert Parts(messageDelayLevel="1s 2m").ports.delays_ms == (1_000, 120_000)


def test_tables_lie_in_the_folder_of_the_broker_s_state():
    parts = Parts(storePathRootDir="/store")

    parts.ports.table("topics").save("{}")

    assert parts.ports.config_path("topics.json") == "/store/config/topics.json"
    assert parts.disk.read("/store/config/topics.json") == b"{}"
