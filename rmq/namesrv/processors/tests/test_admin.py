import pytest

from codec.codes import RequestCode, ResponseCode
from rmq.base.errors import CommandError
from rmq.namesrv.tests.scene import Scene


def test_settings_are_given_as_text() -> None:
    scene = Scene()

    text = scene.ask(RequestCode.GET_NAMESRV_CONFIG).body.decode()

    assert "enableTopicList=true\n" in text
    assert text == scene.configuration.text()


def test_settings_are_changed_by_text() -> None:
    scene = Scene()

    scene.ask(RequestCode.UPDATE_NAMESRV_CONFIG, body=b"enableTopicList=false")

    assert scene.configuration.settings().enableTopicList is False


def test_no_text_changes_nothing() -> None:
    scene = Scene()

    assert scene.ask(RequestCode.UPDATE_NAMESRV_CONFIG).code == ResponseCode.SUCCESS
    assert "/ns.properties" not in scene.files.files


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(CommandError, match="not UTF-8") as refused:
        Scene().ask(RequestCode.UPDATE_NAMESRV_CONFIG, body=b"\xff")

    assert refused.value.code == ResponseCode.SYSTEM_ERROR
