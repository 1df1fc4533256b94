from dataclasses import replace as changed

import pytest
from msgspec.structs import replace

from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.heartbeat import MessageModel, SubscriptionData
from codec.bodies.topics import PERM_WRITE, TopicConfig
from codec.codes import RequestCode, ResponseCode
from codec.frame import JSON, ROCKETMQ
from rmq.broker.processors.pull import CODES, HELD_HEADER_BYTES_MAX
from rmq.broker.processors.tests.pulls import (
    COMMIT,
    SUBSCRIPTION,
    SUSPEND,
    a_scene,
    bodies,
    join,
    pull,
    put,
    refusal,
)
from rmq.broker.processors.tests.scene import Peer
from rmq.broker.tests.roles import A_SLAVE
from rmq.store.messages import GetStatus


@pytest.fixture
def scene():
    return a_scene()


@pytest.mark.parametrize("encoding", [JSON, ROCKETMQ])
def test_messages_from_the_offset_on_are_given(scene, encoding):
    for number in range(3):
        put(scene, b"%d" % number)

    answer = pull(scene, encoding=encoding, queue_offset=1)

    assert (answer.code, answer.remark) == (0, "FOUND")
    assert bodies(answer) == [b"1", b"2"]
    assert answer.ext_fields == {
        "suggestWhichBrokerId": "0",
        "nextBeginOffset": "3",
        "minOffset": "0",
        "maxOffset": "3",
        "topicSysFlag": "0",
        "groupSysFlag": "0",
    }


def test_what_was_given_is_counted(scene):
    put(scene)
    put(scene)

    answer = pull(scene)
    pull(scene, queue_offset=2)

    assert scene.given == [("g", "T", 2, len(answer.body))]


def test_nobody_needs_to_count():
    scene = a_scene(counted=False)
    put(scene)

    assert pull(scene).code == ResponseCode.SUCCESS


def test_messages_that_do_not_lie_side_by_side_are_joined(scene):
    put(scene, b"0")
    put(scene, b"elsewhere", queue_id=1)
    put(scene, b"1")

    assert bodies(pull(scene)) == [b"0", b"1"]


def test_no_more_messages_are_given_than_asked_for(scene):
    for number in range(3):
        put(scene, b"%d" % number)

    answer = pull(scene, max_msg_nums=2)

    assert bodies(answer) == [b"0", b"1"]
    assert answer.ext_fields["nextBeginOffset"] == "2"


# checks


def test_broker_that_may_not_be_read_refuses():
    scene = a_scene(brokerPermission=PERM_WRITE, brokerIP1="10.0.0.2")

    assert refusal(pull(scene)) == (
        ResponseCode.NO_PERMISSION,
        "1",
        "the broker[10.0.0.2] pulling message is forbidden",
    )


def test_lite_pull_is_refused_only_where_it_is_switched_off(scene):
    put(scene)

    assert pull(scene, RequestCode.LITE_PULL_MESSAGE).code == ResponseCode.SUCCESS
    scene.pulling.config = changed(scene.config, litePullMessageEnable=False, brokerIP1="10.0.0.2")
    assert refusal(pull(scene, RequestCode.LITE_PULL_MESSAGE)) == (
        ResponseCode.NO_PERMISSION,
        "1",
        "the broker[10.0.0.2] for lite pull consumer is forbidden",
    )
    assert pull(scene).code == ResponseCode.SUCCESS


def test_unknown_group_is_refused_where_none_is_created():
    scene = a_scene(autoCreateSubscriptionGroup=False)

    answer = pull(scene, consumer_group="other")

    assert answer.code == ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST
    assert "subscription group [other] does not exist" in answer.remark


def test_group_that_may_not_consume_is_refused(scene):
    scene.groups.update(SubscriptionGroupConfig(group_name="g", consume_enable=False))

    assert refusal(pull(scene)) == (
        ResponseCode.NO_PERMISSION,
        "2",
        "subscription group no permission, g",
    )


def test_unknown_topic_is_refused(scene):
    answer = pull(scene, topic="U")

    assert answer.code == ResponseCode.TOPIC_NOT_EXIST
    assert answer.remark.startswith("topic[U] not exist, apply first please!")


def test_topic_that_may_not_be_read_is_refused(scene):
    scene.topics.update(TopicConfig(topic_name="T", perm=PERM_WRITE))

    assert refusal(pull(scene)) == (
        ResponseCode.NO_PERMISSION,
        "3",
        "the topic[T] pulling message is forbidden",
    )


@pytest.mark.parametrize("queue_id", [-1, 2])
def test_queue_that_the_topic_does_not_have_is_refused(scene, queue_id):
    answer = pull(scene, queue_id=queue_id)

    assert answer.code == ResponseCode.INVALID_PARAMETER
    assert answer.remark == (
        f"queueId[{queue_id}] is illegal, topic:[T] topicConfig.readQueueNums:[2] "
        "consumer:[10.0.0.1:40000]"
    )


# subscriptions


def test_only_messages_of_the_subscribed_tags_are_given(scene):
    for tag in "abc":
        put(scene, tag.encode(), tag)

    assert bodies(pull(scene, subscription="a || c")) == [b"a", b"c"]
    assert bodies(pull(scene, subscription=None, expression_type="TAG")) == [b"a", b"b", b"c"]


def test_nothing_of_the_subscribed_tags_lets_the_client_go_on_at_once(scene):
    put(scene)

    answer = pull(scene, subscription="other", sys_flag=SUBSCRIPTION | SUSPEND)

    assert (answer.code, answer.remark) == (
        ResponseCode.PULL_RETRY_IMMEDIATELY,
        "NO_MATCHED_MESSAGE",
    )
    assert answer.ext_fields["nextBeginOffset"] == "1"


def test_expression_without_a_tag_cannot_be_parsed(scene):
    assert pull(scene, subscription="||").code == ResponseCode.SUBSCRIPTION_PARSE_FAILED


def test_expression_of_another_kind_is_refused(scene):
    answer = pull(scene, subscription="a > 1", expression_type="SQL92")

    assert refusal(answer) == (
        ResponseCode.SYSTEM_ERROR,
        None,
        "The broker does not support consumer to filter message by SQL92",
    )


def test_group_without_members_has_no_subscription(scene):
    assert pull(scene, sys_flag=0).code == ResponseCode.SUBSCRIPTION_NOT_EXIST


def test_group_that_may_not_broadcast_is_refused(scene):
    scene.groups.update(SubscriptionGroupConfig(group_name="g", consume_broadcast_enable=False))
    join(scene, SubscriptionData(topic="T", sub_string="*"), model=MessageModel.BROADCASTING)

    answer = pull(scene, sys_flag=0)

    assert refusal(answer)[:2] == (ResponseCode.NO_PERMISSION, "4")


def test_group_that_may_not_read_the_topic_is_refused(scene):
    scene.groups.set_forbidden("g", "T", 2, on=True)
    join(scene, SubscriptionData(topic="T", sub_string="*"))

    assert refusal(pull(scene, sys_flag=0))[:2] == (ResponseCode.NO_PERMISSION, "5")


def test_topic_that_the_group_does_not_subscribe_is_refused(scene):
    join(scene, SubscriptionData(topic="U", sub_string="*"))

    assert pull(scene, sys_flag=0).code == ResponseCode.SUBSCRIPTION_NOT_EXIST


def test_older_subscription_than_the_clients_is_refused(scene):
    join(scene, SubscriptionData(topic="T", sub_string="*", sub_version=4))

    answer = pull(scene, sys_flag=0, sub_version=5)

    assert refusal(answer) == (
        ResponseCode.SUBSCRIPTION_NOT_LATEST,
        None,
        "the consumer's subscription not latest",
    )


def test_subscription_of_the_heartbeat_filters(scene):
    for tag in "ab":
        put(scene, tag.encode(), tag)
    join(scene, SubscriptionData(topic="T", sub_string="b", sub_version=5))

    assert bodies(pull(scene, sys_flag=0)) == [b"b"]


def test_subscription_of_the_heartbeat_by_another_kind_of_expression_is_refused(scene):
    join(
        scene,
        SubscriptionData(topic="T", sub_string="a > 1", sub_version=5, expression_type="SQL92"),
    )

    assert pull(scene, sys_flag=0).code == ResponseCode.SYSTEM_ERROR


def test_filter_class_of_old_clients_takes_all(scene):
    put(scene, b"x")
    join(
        scene,
        SubscriptionData(topic="T", sub_string="Class", sub_version=5, class_filter_mode=True),
    )

    assert bodies(pull(scene, sys_flag=0)) == [b"x"]


# offsets


@pytest.mark.parametrize(
    ("offset", "code", "status", "next_offset"),
    [
        (0, ResponseCode.PULL_NOT_FOUND, "NO_MATCHED_LOGIC_QUEUE", "0"),
        (7, ResponseCode.PULL_OFFSET_MOVED, "NO_MATCHED_LOGIC_QUEUE", "0"),
    ],
)
def test_queue_that_holds_nothing_begins_at_0(scene, offset, code, status, next_offset):
    answer = pull(scene, queue_offset=offset)

    assert (answer.code, answer.remark) == (code, status)
    assert answer.ext_fields["nextBeginOffset"] == next_offset


@pytest.mark.parametrize(
    ("offset", "code", "status", "next_offset"),
    [
        (1, ResponseCode.PULL_NOT_FOUND, "OFFSET_OVERFLOW_ONE", "1"),
        (9, ResponseCode.PULL_OFFSET_MOVED, "OFFSET_OVERFLOW_BADLY", "1"),
        (-1, ResponseCode.PULL_OFFSET_MOVED, "OFFSET_TOO_SMALL", "0"),
    ],
)
def test_offset_outside_the_queue_is_corrected(scene, offset, code, status, next_offset):
    put(scene)

    answer = pull(scene, queue_offset=offset)

    assert (answer.code, answer.remark) == (code, status)
    assert answer.ext_fields["nextBeginOffset"] == next_offset


def test_commit_of_the_first_pass_is_kept(scene):
    put(scene)

    pull(scene, commit_offset=1)
    assert scene.offsets.query("g", "T", 0) == -1
    pull(scene, sys_flag=SUBSCRIPTION | COMMIT, commit_offset=1)

    assert scene.offsets.query("g", "T", 0) == 1


def test_woken_pull_commits_no_second_time(scene):
    pull(scene, sys_flag=SUBSCRIPTION | COMMIT | SUSPEND, commit_offset=4)
    scene.offsets.commit("g", "T", 0, 6)

    put(scene)
    scene.clock.advance(0)

    assert scene.peer.replies[0].code == ResponseCode.SUCCESS
    assert scene.offsets.query("g", "T", 0) == 6


def test_reset_by_an_operator_moves_the_reader_once():
    scene = a_scene(useServerSideResetOffset=True)
    for number in range(3):
        put(scene, b"%d" % number)
    scene.offsets.reset("g", "T", 0, 2)

    answer = pull(scene, queue_offset=0)

    assert (answer.code, answer.remark) == (ResponseCode.PULL_OFFSET_MOVED, "OFFSET_RESET")
    assert answer.ext_fields["nextBeginOffset"] == "2"
    assert answer.ext_fields["maxOffset"] == "3"
    assert pull(scene, queue_offset=2).code == ResponseCode.SUCCESS


def test_reset_is_forgotten_where_the_broker_does_not_serve_it():
    scene = a_scene(useServerSideResetOffset=False)
    put(scene)
    scene.offsets.reset("g", "T", 0, 0)

    assert pull(scene).code == ResponseCode.SUCCESS
    assert not scene.offsets.has_reset("g", "T", 0)


def test_slave_is_suggested_only_where_slaves_may_be_read():
    scene = a_scene(slaveReadEnable=True, store={"memory_size": 1})
    scene.groups.update(
        replace(
            scene.groups.get("g"), broker_id=3, which_broker_when_consume_slowly=8, group_sys_flag=4
        )
    )
    put(scene, b"0")

    behind = pull(scene, max_msg_nums=1)
    caught_up = pull(scene, queue_offset=1)

    assert caught_up.ext_fields["suggestWhichBrokerId"] == "3"
    assert behind.ext_fields["groupSysFlag"] == "4"
    for _ in range(3):
        put(scene, b"x" * 100)
    assert pull(scene, max_msg_nums=1).ext_fields["suggestWhichBrokerId"] == "8"


# long polling


def test_pull_that_finds_nothing_is_held_until_a_message_comes(scene):
    assert pull(scene, sys_flag=SUBSCRIPTION | SUSPEND) is None

    put(scene, b"late")
    assert scene.peer.replies == []
    scene.clock.advance(0)

    (answer,) = scene.peer.replies
    assert answer.code == ResponseCode.SUCCESS
    assert bodies(answer) == [b"late"]
    assert len(scene.waiting) == 0


def test_pull_that_does_not_ask_to_be_held_is_answered(scene):
    assert pull(scene).code == ResponseCode.PULL_NOT_FOUND


def test_held_pull_wakes_only_for_its_tags(scene):
    pull(scene, sys_flag=SUBSCRIPTION | SUSPEND, subscription="b")

    put(scene, b"a", "a")
    scene.clock.advance(0)
    assert scene.peer.replies == []
    put(scene, b"b", "b")
    scene.clock.advance(0)

    assert bodies(scene.peer.replies[0]) == [b"b"]


def test_held_pull_is_answered_when_its_time_is_over(scene):
    pull(scene, sys_flag=SUBSCRIPTION | SUSPEND, suspend_timeout_millis=3000)

    scene.clock.advance(2999)
    assert scene.peer.replies == []
    scene.clock.advance(101)

    (answer,) = scene.peer.replies
    assert answer.code == ResponseCode.PULL_NOT_FOUND
    assert answer.ext_fields["nextBeginOffset"] == "0"


def test_time_of_holding_is_the_brokers_where_long_polling_is_off():
    scene = a_scene(longPollingEnable=False, shortPollingTimeMills=1000)

    pull(scene, sys_flag=SUBSCRIPTION | SUSPEND, suspend_timeout_millis=15_000)
    scene.clock.advance(1100)

    assert scene.peer.replies[0].code == ResponseCode.PULL_NOT_FOUND


def test_pull_with_no_time_to_wait_is_answered_at_once(scene):
    answer = pull(scene, sys_flag=SUBSCRIPTION | SUSPEND, suspend_timeout_millis=0)

    assert answer.code == ResponseCode.PULL_NOT_FOUND


def test_pull_with_an_endless_header_is_answered_at_once(scene):
    long = "x" * HELD_HEADER_BYTES_MAX

    answer = pull(scene, sys_flag=SUBSCRIPTION | SUSPEND, proxy_froward_client_id=long)

    assert answer.code == ResponseCode.PULL_NOT_FOUND
    assert len(scene.waiting) == 0


def test_held_pull_of_a_closed_connection_is_forgotten(scene):
    peer = Peer("10.0.0.7:1")
    pull(scene, sys_flag=SUBSCRIPTION | SUSPEND, peer=peer)

    scene.waiting.drop(peer)
    put(scene)
    scene.clock.advance(20_000)

    assert peer.replies == []
    assert len(scene.waiting) == 0


def test_what_changed_while_a_pull_was_held_counts(scene):
    pull(scene, sys_flag=SUBSCRIPTION | SUSPEND)
    scene.topics.delete("T")

    scene.waiting.arrived("T", 0, 1, None)

    assert scene.peer.replies[0].code == ResponseCode.TOPIC_NOT_EXIST


def test_pull_held_by_tags_wakes_for_a_message_of_unknown_tags(scene):
    pull(scene, sys_flag=SUBSCRIPTION | SUSPEND, subscription="b")
    scene.waiting.arrived("T", 0, 1, None)

    assert scene.peer.replies[0].code == ResponseCode.PULL_NOT_FOUND


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (GetStatus.MESSAGE_WAS_REMOVING, ResponseCode.PULL_RETRY_IMMEDIATELY),
        (GetStatus.OFFSET_FOUND_NULL, ResponseCode.PULL_NOT_FOUND),
    ],
)
def test_rare_ends_of_a_get_have_the_codes_of_java(status, code):
    assert CODES[status] is code


def test_a_slave_keeps_no_commit(scene):
    put(scene)
    scene.role.set(A_SLAVE)

    pull(scene, sys_flag=SUBSCRIPTION | COMMIT, commit_offset=1)

    assert scene.offsets.query("g", "T", 0) == -1
