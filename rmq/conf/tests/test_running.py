import logging
from dataclasses import dataclass

import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError, ConfigError
from rmq.conf.properties import parse_properties
from rmq.conf.remoting import RemotingServerConfig
from rmq.conf.running import RunningSettings
from rmq.conf.settings import setting


@dataclass(frozen=True, slots=True)
class Role:
    configBlackList: str = setting("secret", "keys that may not be changed")
    place: str = setting("here", "where it is", live=True)
    size: int = setting(7, "how large")
    secret: str = setting("s", "not to be changed")


class MemoryFiles:
    def __init__(self):
        self.files = {}
        self.failure = None

    def replace(self, path, content):
        if self.failure is not None:
            raise self.failure
        self.files[path] = content


@pytest.fixture
def files():
    return MemoryFiles()


def running(files, path="/role.properties", **options):
    return RunningSettings(
        files, path, Role(), (RemotingServerConfig(),), protected="size", **options
    )


def test_all_settings_are_shown_in_order(files):
    text = running(files, extra={"custom": "value"}).text()

    shown = parse_properties(text)
    assert (shown["place"], shown["custom"]) == ("here", "value")
    assert "listenPort" in shown
    assert text.splitlines() == sorted(text.splitlines())


def test_what_is_decided_elsewhere_is_shown_but_not_kept(files):
    settings = running(files)
    settings.now = lambda: {"size": "9"}

    settings.update("place=there")

    assert parse_properties(settings.text())["size"] == "9"
    assert parse_properties(files.files["/role.properties"].decode())["size"] == "7"


def test_live_setting_counts_at_once_and_others_after_a_restart(files, caplog):
    settings = running(files)

    with caplog.at_level(logging.INFO):
        settings.update("place= there \nlistenPort=1234\nunknown=1")

    assert settings.own == Role(place="there")
    kept = parse_properties(files.files["/role.properties"].decode())
    assert (kept["place"], kept["listenPort"]) == ("there", "1234")
    assert "unknown" not in kept
    assert "at_once=('place',) after_restart=('listenPort',)" in caplog.text


def test_file_in_yaml_stays_yaml(files):
    settings = running(files, "/role.yaml")

    settings.update("place=x: y")

    assert b'place: "x: y"\n' in files.files["/role.yaml"]


@pytest.mark.parametrize("key", ["size", "secret", "configBlackList"])
def test_protected_key_refuses_the_whole_update(files, key):
    settings = running(files)

    with pytest.raises(CommandError) as refusal:
        settings.update(f"place=there\n{key}=1")

    assert refusal.value.code == ResponseCode.NO_PERMISSION
    assert settings.own == Role()


def no_there(updates):
    if updates.get("place") == "there":
        raise ConfigError("place=there: nobody is there")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("place=there", "nobody is there"),
        ("listenPort=many", "listenPort"),
        ("place=\\u00zz", "string2Properties error"),
    ],
)
def test_what_cannot_be_used_is_refused(files, text, words):
    settings = running(files, check=no_there)

    with pytest.raises(CommandError, match=words) as refusal:
        settings.update(text)

    assert refusal.value.code == ResponseCode.SYSTEM_ERROR
    assert settings.own == Role()
    assert files.files == {}


def test_nothing_changes_if_the_file_cannot_be_written(files):
    settings = running(files)
    files.failure = OSError(28, "No space left on device")
    before = settings.text()

    with pytest.raises(CommandError, match="cannot be written: "):
        settings.update("place=there")

    assert settings.own == Role()
    assert settings.text() == before
