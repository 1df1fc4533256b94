import pytest

from codec.codes import RequestCode, ResponseCode
from codec.headers.pull import QueryMessageRequestHeader, ViewMessageRequestHeader
from rmq.broker.processors.tests.scene import Scene
from rmq.store.tests.stores import put_all


@pytest.fixture
def scene():
    return Scene()


def query(scene, key, count=10, **extra):
    header = QueryMessageRequestHeader(
        topic="T", key=key, max_num=count, begin_timestamp=0, end_timestamp=2**62
    )
    return scene.ask(RequestCode.QUERY_MESSAGE, header, **extra)


def view(scene, position):
    return scene.ask(RequestCode.VIEW_MESSAGE_BY_ID, ViewMessageRequestHeader(offset=position))


def test_messages_of_a_key_come_newest_first(scene):
    records = put_all(scene.store, 3)

    answer = query(scene, "shared")

    assert answer.code == 0
    assert answer.body == b"".join(reversed(records))
    assert answer.ext_fields["indexLastUpdateTimestamp"] == str(scene.clock.wall_ms())
    assert int(answer.ext_fields["indexLastUpdatePhyoffset"]) > 0


def test_no_more_messages_come_than_asked_for(scene):
    records = put_all(scene.store, 3)

    assert query(scene, "shared", 2).body == records[2] + records[1]


def test_unique_key_has_as_many_as_the_broker_allows(scene):
    records = put_all(scene.store, 3)

    answer = query(scene, "U001", 0, _UNIQUE_KEY_QUERY="true")

    assert answer.body == records[1]


def test_key_of_nothing_is_not_found(scene):
    assert query(scene, "nothing").code == ResponseCode.QUERY_NOT_FOUND


@pytest.mark.parametrize("count", [0, -1])
def test_count_below_1_is_refused(scene, count):
    put_all(scene.store, 1)

    answer = query(scene, "shared", count, _UNIQUE_KEY_QUERY="false")

    assert answer.code == ResponseCode.INVALID_PARAMETER


def test_message_is_seen_by_its_position(scene):
    first, second = put_all(scene.store, 2)

    assert view(scene, 0).body == first
    assert view(scene, len(first)).body == second


@pytest.mark.parametrize("position", [-1, 1, 1 << 40])
def test_position_where_no_message_begins_is_refused(scene, position):
    put_all(scene.store, 1)

    answer = view(scene, position)

    assert (answer.code, answer.remark) == (
        ResponseCode.SYSTEM_ERROR,
        f"can not find message by the offset, {position}",
    )
