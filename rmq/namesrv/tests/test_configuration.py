import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.conf.namesrv import NamesrvConfig
from rmq.conf.properties import parse_properties
from rmq.conf.remoting import RemotingServerConfig
from rmq.namesrv.configuration import Configuration
from rmq.namesrv.tests.scene import MemoryFiles


def made(files: MemoryFiles | None = None) -> Configuration:
    return Configuration(
        files or MemoryFiles(),
        NamesrvConfig(configStorePath="/ns", configBlackList="productEnvName"),
        (RemotingServerConfig(),),
        {"custom": "value"},
    )


def test_every_key_is_shown_in_order() -> None:
    text = made().text()

    shown = parse_properties(text)
    assert shown["enableTopicList"] == "true"
    assert shown["scanNotActiveBrokerInterval"] == "5000"
    assert shown["custom"] == "value"
    assert "listenPort" in shown
    assert text.splitlines() == sorted(text.splitlines())


def test_a_live_key_takes_effect_at_once_and_is_kept() -> None:
    files = MemoryFiles()
    configuration = made(files)

    configuration.update("enableTopicList=false\n")

    assert configuration.settings().enableTopicList is False
    assert parse_properties(files.files["/ns"].decode())["enableTopicList"] == "false"


def test_another_key_is_kept_for_the_next_start() -> None:
    files = MemoryFiles()
    configuration = made(files)

    configuration.update("scanNotActiveBrokerInterval=7000\nlistenPort=1234\ncustom=other")

    assert configuration.settings().scanNotActiveBrokerInterval == 5000
    kept = parse_properties(files.files["/ns"].decode())
    assert kept["scanNotActiveBrokerInterval"] == "7000"
    assert kept["listenPort"] == "1234"
    assert kept["custom"] == "other"
    assert kept == parse_properties(configuration.text())


def test_an_unknown_key_is_ignored() -> None:
    configuration = made()

    configuration.update("noSuchKey=1")

    assert "noSuchKey" not in configuration.text()


@pytest.mark.parametrize(
    "key", ["configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome", "productEnvName"]
)
def test_a_forbidden_key_refuses_the_whole_update(key: str) -> None:
    configuration = made()

    with pytest.raises(CommandError, match="Can not update config in black list") as refused:
        configuration.update(f"enableTopicList=false\n{key}=x")

    assert refused.value.code == ResponseCode.NO_PERMISSION
    assert configuration.settings().enableTopicList is True


@pytest.mark.parametrize(
    "text", ["enableTopicList=perhaps", "waitSecondsForService=-1", "listenPort=x", "a=\\u12"]
)
def test_a_value_of_the_wrong_kind_refuses_the_whole_update(text: str) -> None:
    configuration = made()

    with pytest.raises(CommandError) as refused:
        configuration.update(f"orderMessageEnable=true\n{text}")

    assert refused.value.code == ResponseCode.SYSTEM_ERROR
    assert configuration.settings().orderMessageEnable is False


def test_what_cannot_be_kept_is_not_changed() -> None:
    files = MemoryFiles()
    files.failure = OSError("no room")
    configuration = made(files)

    with pytest.raises(CommandError, match="no room") as refused:
        configuration.update("enableTopicList=false")

    assert refused.value.code == ResponseCode.SYSTEM_ERROR
    assert configuration.settings().enableTopicList is True
    assert parse_properties(configuration.text())["enableTopicList"] == "true"


def test_settings_are_the_same_object_until_they_change() -> None:
    configuration = made()
    before = configuration.settings()

    assert configuration.settings() is before
    configuration.update("orderMessageEnable=true")
    assert configuration.settings() is not before
