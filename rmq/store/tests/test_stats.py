from codec.message.batch import BatchItem
from rmq.store.tests.stores import a_disk, message, opened


def test_puts_and_gets_are_counted() -> None:
    store = opened(a_disk())

    size = store.put(message()).size + store.put_batch(message(), [BatchItem(b"")] * 2).size
    store.put(message(topic="/"))
    store.get("T", 0, 0, 2)
    store.get("T", 0, 5, 2)

    stats = store.stats
    assert (stats.put_times, stats.put_bytes, stats.put_failed_times) == (3, size, 1)
    assert (stats.get_times_found, stats.get_times_miss, stats.get_messages) == (1, 1, 2)
    assert stats.get_bytes > 0
    assert stats.start_ms == 1_700_000_000_000
