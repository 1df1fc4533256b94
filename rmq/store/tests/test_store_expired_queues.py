import pytest

from rmq.base.errors import StoreError
from rmq.store.tests.stores import a_disk, message, opened, put_all


@pytest.fixture
def disk():
    return a_disk()


@pytest.fixture
def store(disk):
    """The log holds only messages of FILLER; T and U are in the queues still."""
    store = opened(disk, reserved_ms=1, delete_files_max=99)
    for topic in ("T", "U", "SCHEDULE_TOPIC_XXXX"):
        store.put(message(topic=topic))
    put_all(store, 60, topic="FILLER")
    disk.clock.advance(10_000)
    assert store.clean(at_once=True)
    return store


def test_queues_without_messages_are_forgotten(store, disk):
    assert store.delete_expired_queues() == [("T", 0), ("U", 0)]

    assert store.consume_queue("T", 0) is None
    assert not disk.exists("/store/consumequeue/T/0")
    assert {queue.topic for queue in store.consume_queues()} == {"SCHEDULE_TOPIC_XXXX", "FILLER"}
    assert store.delete_expired_queues() == []


def test_a_forgotten_queue_begins_again(store):
    store.delete_expired_queues()

    assert store.put(message(topic="T")).queue_offset == 0


def test_a_refusal_of_the_disk_is_told(store, disk):
    def refuse(_path):
        raise OSError(5, "Input/output error")

    disk.delete = refuse

    with pytest.raises(StoreError, match="cannot delete /store/consumequeue/T/0"):
        store.delete_expired_queues()
