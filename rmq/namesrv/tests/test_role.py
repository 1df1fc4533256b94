import pytest

from codec.codes import RequestCode
from rmq.base.errors import ConfigError
from rmq.base.manual import ManualClock
from rmq.conf.namesrv import NamesrvConfig
from rmq.namesrv.configuration import Configuration
from rmq.namesrv.role import Namesrv
from rmq.namesrv.tests.scene import MemoryCaller, MemoryChannel, MemoryFiles, Scene


def test_every_code_of_apaches_name_server_is_answered() -> None:
    codes = (100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219, 224, 304, 311, 312, 313)
    expected = {*codes, 318, 319, 322, 327, 901, 904}

    assert set(Scene().handlers) == {RequestCode(code) for code in expected}
    assert len(expected) == 23


def test_values_are_loaded_at_the_start() -> None:
    files = MemoryFiles()
    files.files["/kv"] = b'{"configTable":{"n":{"k":"v"}}}'
    configuration = Configuration(files, NamesrvConfig(kvConfigPath="/kv"))

    namesrv = Namesrv(configuration, ManualClock(), files, MemoryCaller())
    assert namesrv.kv.get("n", "k") is None
    namesrv.start()

    assert namesrv.kv.get("n", "k") == "v"


def test_a_broken_file_of_values_stops_the_start() -> None:
    files = MemoryFiles()
    files.files["/kv"] = b"?"
    configuration = Configuration(files, NamesrvConfig(kvConfigPath="/kv"))

    with pytest.raises(ConfigError):
        Namesrv(configuration, ManualClock(), files, MemoryCaller()).start()


def test_a_stopped_name_server_still_knows_its_brokers() -> None:
    scene = Scene()
    scene.register()

    scene.namesrv.stop()
    scene.clock.advance(1_000_000)

    assert scene.namesrv.tables.brokers


def test_a_closed_channel_reaches_the_tables() -> None:
    scene = Scene()
    channel = MemoryChannel()
    scene.register(channel=channel)

    scene.namesrv.channel_closed(channel)
    scene.clock.advance(0)

    assert not scene.namesrv.tables.brokers
