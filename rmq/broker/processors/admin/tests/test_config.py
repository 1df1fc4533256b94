import pytest

from codec.codes import RequestCode, ResponseCode
from rmq.broker.processors.admin.tests.scene import AdminScene
from rmq.conf.properties import parse_properties


@pytest.fixture
def scene():
    return AdminScene()


def update(scene, body):
    return scene.ask(RequestCode.UPDATE_BROKER_CONFIG, body=body)


def test_settings_are_given_with_their_version(scene):
    answer = scene.ask(RequestCode.GET_BROKER_CONFIG)

    assert parse_properties(answer.body.decode())["brokerName"] == "broker-a"
    assert answer.ext_fields["version"] == scene.live.version_text


def test_settings_are_changed(scene):
    assert update(scene, b"autoCreateTopicEnable=false").code == ResponseCode.SUCCESS
    assert scene.live.broker.autoCreateTopicEnable is False


def test_an_empty_update_changes_nothing(scene):
    version = scene.live.version_text

    assert update(scene, b"").code == ResponseCode.SUCCESS
    assert scene.live.version_text == version


def test_bytes_that_are_no_text_are_refused(scene):
    answer = update(scene, b"regionId=\xff")

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark.startswith("not UTF-8")
