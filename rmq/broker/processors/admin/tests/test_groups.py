import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.groups import (
    GroupForbidden,
    SubscriptionGroupConfig,
    SubscriptionGroupList,
    SubscriptionGroupWrapper,
)
from codec.codes import RequestCode, ResponseCode
from codec.headers.groups import (
    DeleteSubscriptionGroupRequestHeader,
    GetSubscriptionGroupConfigRequestHeader,
    UpdateGroupForbiddenRequestHeader,
)
from rmq.broker.processors.admin.tests.scene import AdminScene


@pytest.fixture
def scene():
    return AdminScene(autoCreateSubscriptionGroup=False)


def update(scene, config):
    body = encode_body(config)
    return scene.ask(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body=body)


def update_list(scene, *configs):
    body = encode_body(SubscriptionGroupList(group_config_list=list(configs)))
    return scene.ask(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, body=body)


def forbid(scene, readable, group="G", topic="T"):
    header = UpdateGroupForbiddenRequestHeader(group=group, topic=topic, readable=readable)
    return scene.ask(RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN, header)


def test_a_group_is_created_and_changed(scene):
    config = SubscriptionGroupConfig(group_name="G", retry_max_times=3)

    assert update(scene, config).code == ResponseCode.SUCCESS
    assert scene.groups.get("G") == config


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"group_name": None}, "blank"),
        ({"group_name": "../G"}, "illegal characters"),
        ({"group_name": "G" * 256}, "longer than"),
        ({"retry_queue_nums": -1}, "retryQueueNums -1, expected 0 to 65535"),
        ({"retry_queue_nums": 2**31 - 1}, "retryQueueNums 2147483647"),
    ],
)
def test_what_cannot_be_a_group_is_refused(scene, changed, words):
    before = dict(scene.groups.table)
    bad = SubscriptionGroupConfig(**{"group_name": "G"} | changed)

    for answer in (update(scene, bad), update_list(scene, SubscriptionGroupConfig(), bad)):
        assert answer.code == ResponseCode.INVALID_PARAMETER
    assert words in update(scene, bad).remark
    assert scene.groups.table == before


def test_a_list_is_created(scene):
    a, b = (SubscriptionGroupConfig(group_name=name) for name in "AB")

    assert update_list(scene, a, b).code == ResponseCode.SUCCESS
    assert "A" in scene.groups
    assert "B" in scene.groups


def test_broken_bodies_are_refused(scene):
    answer = scene.ask(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body=b"{")

    assert answer.code == ResponseCode.SYSTEM_ERROR


def test_all_groups_are_given(scene):
    update(scene, SubscriptionGroupConfig(group_name="G"))

    answer = scene.ask(RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG)

    given = decode_body(SubscriptionGroupWrapper, answer.body)
    assert given.subscription_group_table == dict(scene.groups.table)


def test_one_group_is_given(scene):
    update(scene, SubscriptionGroupConfig(group_name="G"))
    code = RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG

    answer = scene.ask(code, GetSubscriptionGroupConfigRequestHeader(group="G"))

    assert decode_body(SubscriptionGroupConfig, answer.body) == scene.groups.get("G")
    absent = scene.ask(code, GetSubscriptionGroupConfigRequestHeader(group="X"))
    assert absent.code == ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST
    assert absent.remark == "No group in this broker"


@pytest.mark.parametrize("clean_offset", [True, False])
def test_a_group_goes_with_its_offsets_if_asked(scene, clean_offset):
    update(scene, SubscriptionGroupConfig(group_name="G"))
    scene.offsets.commit("G", "T", 0, 5)
    scene.stats.got("G", "T", 1, 10)
    scene.stats.sample()
    header = DeleteSubscriptionGroupRequestHeader(group_name="G", clean_offset=clean_offset)

    answer = scene.ask(RequestCode.DELETE_SUBSCRIPTIONGROUP, header)

    assert answer.code == ResponseCode.SUCCESS
    assert "G" not in scene.groups
    assert scene.stats.item("GROUP_GET_NUMS", "T@G") is None
    assert scene.offsets.query("G", "T", 0) == (-1 if clean_offset else 5)


def test_reading_is_forbidden_and_allowed_again(scene):
    for readable, shown in ((False, False), (None, False), (True, True), (None, True)):
        answer = forbid(scene, readable)

        assert answer.code == ResponseCode.SUCCESS
        assert decode_body(GroupForbidden, answer.body) == GroupForbidden(
            group="G", topic="T", readable=shown
        )
        assert scene.groups.is_forbidden("G", "T", 2) is not shown


@pytest.mark.parametrize(("group", "topic"), [("../G", "T"), ("G", "../T")])
def test_names_that_cannot_be_are_not_forbidden(scene, group, topic):
    answer = forbid(scene, False, group, topic)

    assert answer.code == ResponseCode.INVALID_PARAMETER
    assert not scene.groups.is_forbidden(group, topic, 2)
