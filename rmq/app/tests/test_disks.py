import pytest

from rmq.app.disks import chosen_capacity, chosen_disk
from rmq.base.manual import ManualClock
from rmq.conf.settings import Machine
from rmq.conf.startup import broker_settings
from rmq.net.disk import RealDisk
from rmq.net.memory_disk import MemoryDisk


def settings(in_memory):
    return broker_settings({"inMemory": in_memory}, Machine())


@pytest.mark.parametrize(("in_memory", "kind"), [("true", MemoryDisk), ("false", RealDisk)])
def test_the_disk_is_memory_only_if_configured_so(in_memory, kind):
    assert type(chosen_disk(settings(in_memory), ManualClock())) is kind


def test_the_size_of_the_machines_disk_is_known(tmp_path):
    capacity = chosen_capacity(settings("false"))

    total, free = capacity(str(tmp_path))

    assert total >= free > 0
    assert capacity(str(tmp_path / "not-there")) is None


def test_the_size_of_memory_is_not(tmp_path):
    assert chosen_capacity(settings("true"))(str(tmp_path)) is None
