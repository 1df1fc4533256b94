import pytest

from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.headers.offsets import (
    QueryConsumerOffsetRequestHeader,
    UpdateConsumerOffsetRequestHeader,
)
from rmq.broker.processors.tests.scene import Scene
from rmq.store.tests.stores import put_all


def a_scene(**options):
    scene = Scene(**options)
    scene.topics.update(TopicConfig(topic_name="T"))
    scene.groups.update(SubscriptionGroupConfig(group_name="g"))
    return scene


@pytest.fixture
def scene():
    return a_scene()


def query(scene, *, zero=None):
    header = QueryConsumerOffsetRequestHeader(
        consumer_group="g", topic="T", queue_id=0, set_zero_if_not_found=zero
    )
    return scene.ask(RequestCode.QUERY_CONSUMER_OFFSET, header)


def update(scene, offset=5, queue_id=0, group="g", topic="T"):
    header = UpdateConsumerOffsetRequestHeader(
        consumer_group=group, topic=topic, queue_id=queue_id, commit_offset=offset
    )
    return scene.ask(RequestCode.UPDATE_CONSUMER_OFFSET, header)


def test_stored_offset_is_told(scene):
    assert update(scene, 5).code == 0

    answer = query(scene)

    assert (answer.code, answer.ext_fields) == (0, {"offset": "5"})


@pytest.mark.parametrize("zero", [None, True])
def test_group_without_offset_begins_at_0_while_that_is_in_memory(scene, zero):
    put_all(scene.store, 2)

    assert query(scene, zero=zero).ext_fields == {"offset": "0"}


def test_group_that_asks_not_to_assume_0_is_told_nothing(scene):
    answer = query(scene, zero=False)

    assert (answer.code, answer.remark) == (
        ResponseCode.QUERY_NOT_FOUND,
        "Not found, do not set to zero, maybe this group boot first",
    )


def test_group_without_offset_is_told_nothing_of_a_queue_no_longer_in_memory():
    scene = a_scene(store={"memory_size": 1})
    put_all(scene.store, 20)

    assert query(scene).code == ResponseCode.QUERY_NOT_FOUND


def test_group_without_offset_is_told_nothing_of_a_queue_that_lost_its_begin():
    scene = a_scene(store={"reserved_ms": 1, "delete_files_max": 1})
    put_all(scene.store, 40)
    scene.clock.advance(10_000)
    assert scene.store.clean(at_once=True)
    assert scene.store.min_offset("T", 0) > 0

    answer = query(scene)

    assert (answer.code, answer.remark) == (
        ResponseCode.QUERY_NOT_FOUND,
        "Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first",
    )


def test_unknown_group_stores_nothing_and_is_not_created(scene):
    answer = update(scene, group="other")

    assert (answer.code, answer.remark) == (
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        "Group other not exist!",
    )
    assert "other" not in scene.groups


def test_offset_in_an_unknown_topic_is_refused(scene):
    answer = update(scene, topic="U")

    assert (answer.code, answer.remark) == (ResponseCode.TOPIC_NOT_EXIST, "Topic U not exist!")


@pytest.mark.parametrize(("offset", "queue_id"), [(-1, 0), (0, -1)])
def test_negative_numbers_are_refused(scene, offset, queue_id):
    assert update(scene, offset, queue_id).code == ResponseCode.INVALID_PARAMETER
    assert scene.offsets.table == {}


def test_commit_waits_until_a_reset_was_taken():
    scene = a_scene(useServerSideResetOffset=True)
    scene.offsets.reset("g", "T", 0, 2)

    answer = update(scene, 9)

    assert (answer.code, answer.remark) == (0, "Offset has been previously reset")
    assert query(scene).ext_fields == {"offset": "2"}


def test_commit_wins_over_a_reset_that_the_broker_does_not_serve():
    scene = a_scene(useServerSideResetOffset=False)
    scene.offsets.reset("g", "T", 0, 2)

    assert update(scene, 9).remark is None
    assert query(scene).ext_fields == {"offset": "9"}
