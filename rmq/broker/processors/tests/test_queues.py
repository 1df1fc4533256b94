import pytest

from codec.codes import RequestCode, ResponseCode
from codec.headers.offsets import (
    GetEarliestMsgStoretimeRequestHeader,
    GetMaxOffsetRequestHeader,
    GetMinOffsetRequestHeader,
    SearchOffsetRequestHeader,
)
from rmq.broker.processors.tests.scene import Scene
from rmq.store.tests.stores import message, put_all


@pytest.fixture
def scene():
    return Scene(store={"reserved_ms": 1, "delete_files_max": 1})


def test_ends_of_an_unknown_queue_are_0(scene):
    asked_max = GetMaxOffsetRequestHeader(topic="T", queue_id=3)
    asked_min = GetMinOffsetRequestHeader(topic="T", queue_id=3)

    assert scene.ask(RequestCode.GET_MAX_OFFSET, asked_max).ext_fields == {"offset": "0"}
    assert scene.ask(RequestCode.GET_MIN_OFFSET, asked_min).ext_fields == {"offset": "0"}


def test_ends_of_a_queue_follow_its_messages(scene):
    put_all(scene.store, 40)
    scene.clock.advance(10_000)
    assert scene.store.clean(at_once=True)

    asked_max = GetMaxOffsetRequestHeader(topic="T", queue_id=0)
    asked_min = GetMinOffsetRequestHeader(topic="T", queue_id=0)
    first = int(scene.ask(RequestCode.GET_MIN_OFFSET, asked_min).ext_fields["offset"])

    assert first == scene.store.min_offset("T", 0) > 0
    assert scene.ask(RequestCode.GET_MAX_OFFSET, asked_max).ext_fields == {"offset": "40"}


@pytest.mark.parametrize(
    ("boundary", "offset"), [(None, "1"), ("lower", "1"), ("UPPER", "2"), ("upper", "2")]
)
def test_offset_of_a_time_follows_the_boundary(scene, boundary, offset):
    begin_ms = scene.clock.wall_ms()
    for number, pause_ms in enumerate((1000, 0, 1000, 0)):
        scene.store.put(message(number))
        scene.clock.advance(pause_ms)
    header = SearchOffsetRequestHeader(
        topic="T", queue_id=0, timestamp=begin_ms + 1000, boundary_type=boundary
    )

    answer = scene.ask(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, header)

    assert (answer.code, answer.ext_fields) == (0, {"offset": offset})


def test_offset_of_a_time_in_a_negative_queue_is_refused(scene):
    header = SearchOffsetRequestHeader(topic="T", queue_id=-1, timestamp=0)

    answer = scene.ask(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, header)

    assert answer.code == ResponseCode.INVALID_PARAMETER


def test_first_messages_store_time_is_told(scene):
    header = GetEarliestMsgStoretimeRequestHeader(topic="T", queue_id=0)

    none = scene.ask(RequestCode.GET_EARLIEST_MSG_STORETIME, header)
    stored_ms = scene.clock.wall_ms()
    scene.store.put(message())
    some = scene.ask(RequestCode.GET_EARLIEST_MSG_STORETIME, header)

    assert none.ext_fields == {"timestamp": "-1"}
    assert some.ext_fields == {"timestamp": str(stored_ms)}
