import logging

import pytest

from rmq.app.broker_services import ha_settings
from rmq.app.tests.parts import Parts
from rmq.conf.store import MessageStoreConfig
from rmq.store.messages import PutMessage


@pytest.fixture
def parts():
    parts = Parts(namesrvAddr="10.0.0.1:9876; 10.0.0.2:9876")
    parts.tables.load()
    parts.services.load()
    parts.store.load()
    parts.services.start()
    parts.clock.advance(0)
    yield parts
    parts.services.unregister()
    parts.services.stop()
    parts.store.close()


def asked_addresses(parts):
    parts.clock.advance(0)
    return {call.address for call in parts.caller.take()}


def test_every_name_server_is_told_at_the_start(parts):
    assert asked_addresses(parts) == {"10.0.0.1:9876", "10.0.0.2:9876"}


def test_name_servers_that_are_set_while_running_are_told(parts):
    parts.caller.take()

    parts.services.live.update("namesrvAddr=10.0.0.3:9876")
    parts.services.registration.register_all()

    assert "10.0.0.3:9876" in asked_addresses(parts)


def test_changed_permission_makes_a_new_version_of_the_topics(parts):
    version = parts.tables.topics.data_version

    parts.services.live.update("traceOn=true")
    assert parts.tables.topics.data_version == version

    parts.services.live.update("brokerPermission=4")
    assert parts.tables.topics.data_version != version


def test_deleted_files_are_logged(parts, caplog):
    parts.disk.used_share_told = 0.99
    for _ in range(80):
        parts.store.put(PutMessage("T", 0, bytes(100)))

    with caplog.at_level(logging.INFO):
        parts.services.clean()

    assert "file deleted path=" in caplog.text


@pytest.mark.parametrize(("limited", "rate"), [(False, None), (True, 5)])
def test_rate_of_replication_has_a_limit_only_where_it_is_switched_on(limited, rate):
    config = MessageStoreConfig(haFlowControlEnable=limited, maxHaTransferByteInSecond=5)

    assert ha_settings(config).rate_max == rate


@pytest.mark.parametrize(
    ("settings", "waits"),
    [
        ({"brokerRole": "ASYNC_MASTER"}, False),
        ({"brokerRole": "SYNC_MASTER"}, False),
        ({"brokerRole": "ASYNC_MASTER", "inSyncReplicas": "2"}, False),
        ({"brokerRole": "SYNC_MASTER", "inSyncReplicas": "2"}, True),
        ({"flushDiskType": "SYNC_FLUSH"}, True),
    ],
)
def test_senders_wait_for_the_disk_and_for_slaves_where_that_is_set(settings, waits):
    assert (Parts(**settings).services.safety.wait is not None) == waits


def test_in_a_group_the_member_replicates_and_deliveries_are_told_when_agreed_on():
    parts = Parts(
        enableDLegerCommitLog="true",
        dLegerGroup="broker-a",
        dLegerPeers="n0-127.0.0.1:40911",
        dLegerSelfId="n0",
    )
    parts.tables.load()
    parts.services.load()
    parts.store.load()
    parts.services.start()
    parts.clock.advance(5_000)
    parts.store.put(PutMessage("T", 0, b"x"))
    told = []

    parts.services.delay_offsets().addCallback(told.append)
    assert told == []
    parts.clock.advance(10)

    assert told == [parts.services.schedule.wrapper()]
    assert parts.services.replication is parts.grouped.replication
    parts.services.stop()
    parts.services.delay_offsets().addCallback(told.append)
    parts.store.close()


def test_elsewhere_deliveries_are_told_at_once(parts):
    told = []

    parts.services.delay_offsets().addCallback(told.append)

    assert told == [parts.services.schedule.wrapper()]


def test_checks_of_transactions_wait_for_the_disk(parts):
    parts.store.put(PutMessage("T", 0, b"1"))
    end, seen = parts.store.written_position, []

    parts.services.checks.settled().addCallback(seen.append)
    assert (seen, parts.store.flushed_position < end) == ([], True)
    parts.clock.advance(1)

    assert (seen, parts.store.flushed_position) == ([None], end)
