import pytest

from rmq.base.errors import ConfigError, StoreError
from rmq.namesrv import kv_config
from rmq.namesrv.kv_config import KvConfig
from rmq.namesrv.tests.scene import MemoryFiles


def test_values_are_in_the_file_as_apache_writes_it() -> None:
    files = MemoryFiles()
    kv = KvConfig(files, "/kv")

    kv.put("ORDER_TOPIC_CONFIG", "t", "broker-a:4")

    assert files.files["/kv"] == b'{"configTable":{"ORDER_TOPIC_CONFIG":{"t":"broker-a:4"}}}'


def test_values_survive_a_restart() -> None:
    files = MemoryFiles()
    kv = KvConfig(files, "/kv")
    kv.put("n", "k", "v")
    kv.put("n", "gone", "v")
    kv.put("empty", "k", "v")
    kv.delete("n", "gone")
    kv.delete("empty", "k")

    again = KvConfig(files, "/kv")
    again.load()

    assert again.get("n", "k") == "v"
    assert again.get("n", "gone") is None
    assert again.namespace("empty") == {}
    assert again.namespace("other") is None


def test_no_file_is_an_empty_table() -> None:
    kv = KvConfig(MemoryFiles(), "/kv")

    kv.load()

    assert kv.namespace("n") is None


@pytest.mark.parametrize("content", [b"{", b'{"configTable":{"n":7}}', b"\xff"])
def test_a_broken_file_stops_the_start_and_is_named(content: bytes) -> None:
    files = MemoryFiles()
    files.files["/kv"] = content

    with pytest.raises(ConfigError, match="kvConfigPath=/kv"):
        KvConfig(files, "/kv").load()


def test_an_unreadable_file_stops_the_start() -> None:
    files = MemoryFiles()
    files.failure = OSError("disk on fire")

    with pytest.raises(ConfigError, match="disk on fire"):
        KvConfig(files, "/kv").load()


def test_what_cannot_be_saved_is_not_changed() -> None:
    files = MemoryFiles()
    kv = KvConfig(files, "/kv")
    kv.put("n", "k", "old")
    files.failure = OSError("no room")

    with pytest.raises(StoreError, match="no room"):
        kv.put("n", "k", "new")
    with pytest.raises(StoreError, match="no room"):
        kv.delete("n", "k")

    assert kv.get("n", "k") == "old"


def test_deleting_nothing_does_not_touch_the_file() -> None:
    files = MemoryFiles()
    files.failure = OSError("no room")

    KvConfig(files, "/kv").delete("n", "k")


def test_a_full_table_takes_changes_but_no_more_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kv_config, "ENTRIES_MAX", 2)
    kv = KvConfig(MemoryFiles(), "/kv")
    kv.put("n", "a", "1")
    kv.put("m", "b", "1")

    kv.put("n", "a", "2")
    with pytest.raises(StoreError, match="at most 2"):
        kv.put("n", "c", "1")

    assert kv.get("n", "a") == "2"
    assert kv.get("n", "c") is None
