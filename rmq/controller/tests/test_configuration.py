import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.conf.controller import ControllerConfig
from rmq.controller.configuration import Configuration
from rmq.net.memory_disk import MemoryDisk


def test_a_change_takes_effect_and_is_kept():
    disk = MemoryDisk(ManualClock())
    configuration = Configuration(disk, ControllerConfig(configStorePath="/c.properties"))

    configuration.update("enableElectUncleanMaster=true")

    assert configuration.settings().enableElectUncleanMaster
    assert b"enableElectUncleanMaster=true\n" in disk.read("/c.properties")


@pytest.mark.parametrize("key", ["configBlackList", "configStorePath", "rocketmqHome"])
def test_where_and_what_may_be_changed_is_not_changed_by_command(key):
    configuration = Configuration(MemoryDisk(ManualClock()), ControllerConfig())

    with pytest.raises(CommandError) as refused:
        configuration.update(f"{key}=x")

    assert refused.value.code == ResponseCode.NO_PERMISSION
