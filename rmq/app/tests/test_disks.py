from rmq.app.disks import chosen_capacity, chosen_disk
from rmq.base.manual import ManualClock
from rmq.conf.settings import Machine
from rmq.conf.startup import broker_settings
from rmq.net.disk import RealDisk
from rmq.net.memory_disk import MemoryDisk


def settings(**values):
    return broker_settings(values, Machine())


def test_broker_keeps_its_files_on_the_machines_disk_by_itself(tmp_path):
    chosen = settings()

    assert isinstance(chosen_disk(chosen, ManualClock()), RealDisk)
    total, free = chosen_capacity(chosen)(str(tmp_path))
    assert total >= free > 0


def test_capacity_of_a_place_that_is_not_there_is_unknown(tmp_path):
    assert chosen_capacity(settings())(str(tmp_path / "none")) is None


def test_broker_in_memory_keeps_nothing():
    chosen = settings(inMemory="true")

    assert isinstance(chosen_disk(chosen, ManualClock()), MemoryDisk)
    assert chosen_capacity(chosen)("/") is None
