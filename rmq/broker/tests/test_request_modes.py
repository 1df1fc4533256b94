import pytest

from codec.bodies.assignment import MessageRequestMode, SetMessageRequestModeRequestBody
from rmq.base.manual import ManualClock
from rmq.broker.request_modes import RequestModes
from rmq.broker.tests.tables import FullDisk, table_file

NAME = "messageRequestMode.json"


@pytest.fixture
def disk():
    return FullDisk(ManualClock())


def popping():
    return SetMessageRequestModeRequestBody(
        topic="T", consumer_group="G", mode=MessageRequestMode.POP
    )


def test_pulling_is_assumed(disk):
    modes = RequestModes(table_file(disk, NAME))

    modes.load()

    assert modes.mode("T", "G") is MessageRequestMode.PULL


def test_a_choice_is_kept(disk):
    RequestModes(table_file(disk, NAME)).set("T", "G", popping())

    modes = RequestModes(table_file(disk, NAME))
    modes.load()

    assert modes.mode("T", "G") is MessageRequestMode.POP
    assert modes.mode("T", "H") is MessageRequestMode.PULL


def test_what_the_disk_refused_is_saved_later(disk):
    modes = RequestModes(table_file(disk, NAME))
    disk.full = True
    modes.set("T", "G", popping())
    disk.full = False

    modes.persist()

    again = RequestModes(table_file(disk, NAME))
    again.load()
    assert again.mode("T", "G") is MessageRequestMode.POP


def test_nothing_new_is_not_saved(disk):
    modes = RequestModes(table_file(disk, NAME))
    modes.persist()

    assert list(disk.entries("/store/config")) == []
