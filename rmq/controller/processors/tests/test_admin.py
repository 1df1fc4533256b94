import pytest

from codec.codes import RequestCode, ResponseCode
from codec.headers.controller import GetMetaDataResponseHeader
from codec.headers.fields import RequestHeader
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.conf.controller import ControllerConfig
from rmq.controller.configuration import Configuration
from rmq.controller.processors.admin import AdminProcessor
from rmq.controller.tests.parts import Group, request
from rmq.net.memory_disk import MemoryDisk


class Scene:
    def __init__(self):
        self.group = Group()
        config = ControllerConfig(configStorePath="/c.properties")
        self.configuration = Configuration(MemoryDisk(ManualClock()), config)
        self.processor = AdminProcessor(self.group, "g", self.configuration)

    def metadata(self):
        code = RequestCode.CONTROLLER_GET_METADATA_INFO
        return self.processor.metadata(request(code, RequestHeader())).header

    def update(self, body):
        code = RequestCode.UPDATE_CONTROLLER_CONFIG
        return self.processor.update_config(request(code, RequestHeader(), body))


def test_anyone_tells_who_leads():
    scene = Scene()
    scene.group.elect("n1")

    assert scene.metadata() == GetMetaDataResponseHeader(
        group="g",
        controller_leader_id="n1",
        controller_leader_address="10.0.0.2:9878",
        is_leader=False,
        peers="n0:10.0.0.1:9878;n1:10.0.0.2:9878;",
    )
    scene.group.elect("n0")
    assert scene.metadata().is_leader


def test_nobody_leads_at_first():
    header = Scene().metadata()

    assert header.controller_leader_id is None
    assert header.controller_leader_address is None
    assert not header.is_leader


def test_settings_are_given_and_changed_as_text():
    scene = Scene()

    scene.update(b"notifyBrokerRoleChanged=false")

    asked = request(RequestCode.GET_CONTROLLER_CONFIG, RequestHeader())
    text = scene.processor.get_config(asked).body.decode()
    assert "notifyBrokerRoleChanged=false\n" in text
    assert scene.configuration.settings().notifyBrokerRoleChanged is False


def test_no_text_changes_nothing():
    scene = Scene()

    assert scene.update(b"").code == ResponseCode.SUCCESS
    assert scene.configuration.settings() == ControllerConfig(configStorePath="/c.properties")


def test_text_that_is_not_utf_8_is_refused():
    with pytest.raises(CommandError, match="not UTF-8"):
        Scene().update(b"\xff")
