import pytest
from twisted.internet.defer import Deferred

from codec.bodies import decode_body, encode_body
from codec.bodies.topics import (
    CreateTopicListRequestBody,
    TopicConfig,
    TopicConfigAndMappingSerializeWrapper,
    TopicConfigAndQueueMapping,
    TopicList,
)
from codec.codes import RequestCode, ResponseCode
from codec.headers.topics import (
    CreateTopicRequestHeader,
    DeleteTopicRequestHeader,
    GetTopicConfigRequestHeader,
)
from rmq.broker.processors.admin.tests.scene import AdminScene


@pytest.fixture
def scene():
    return AdminScene()


def wanted(topic="T", **changed):
    fields = {
        "topic": topic,
        "default_topic": "TBW102",
        "read_queue_nums": 4,
        "write_queue_nums": 3,
        "perm": 6,
        "topic_filter_type": "SINGLE_TAG",
    }
    return CreateTopicRequestHeader(**fields | changed)


def update(scene, header):
    return scene.ask(RequestCode.UPDATE_AND_CREATE_TOPIC, header)


def update_list(scene, *topics):
    body = encode_body(CreateTopicListRequestBody(topic_config_list=list(topics)))
    return scene.ask(RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, body=body)


def delete(scene, topic):
    return scene.ask(RequestCode.DELETE_TOPIC_IN_BROKER, DeleteTopicRequestHeader(topic=topic))


def test_a_topic_is_created(scene):
    header = wanted(order=True, topic_sys_flag=1, attributes="+message.type=FIFO")

    answer = update(scene, header)

    assert answer.code == ResponseCode.SUCCESS
    assert scene.topics.get("T") == TopicConfig(
        topic_name="T",
        read_queue_nums=4,
        write_queue_nums=3,
        order=True,
        topic_sys_flag=1,
        attributes={"message.type": "FIFO"},
    )


def test_an_update_that_changes_nothing_is_no_new_version(scene):
    update(scene, wanted())
    version = scene.topics.data_version

    assert update(scene, wanted()).code == ResponseCode.SUCCESS
    assert scene.topics.data_version == version
    update(scene, wanted(perm=4))
    assert scene.topics.get("T").perm == 4


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"topic": " "}, ResponseCode.INVALID_PARAMETER, "blank"),
        ({"topic": "../../T"}, ResponseCode.INVALID_PARAMETER, "illegal characters"),
        ({"topic": "T\n"}, ResponseCode.INVALID_PARAMETER, "illegal characters"),
        ({"topic": "T" * 128}, ResponseCode.INVALID_PARAMETER, "longer than"),
        ({"topic": "TBW102"}, ResponseCode.INVALID_PARAMETER, "conflict with system topic"),
        ({"read_queue_nums": -1}, ResponseCode.INVALID_PARAMETER, "readQueueNums -1"),
        ({"write_queue_nums": 65_536}, ResponseCode.INVALID_PARAMETER, "0 to 65535"),
        ({"perm": 8}, ResponseCode.INVALID_PARAMETER, "perm 8"),
        ({"topic_filter_type": "X"}, ResponseCode.SYSTEM_ERROR, "SINGLE_TAG"),
        ({"attributes": "+message.type=MIXED"}, ResponseCode.INVALID_PARAMETER, "MIXED"),
        ({"attributes": "+message.type=ODD"}, ResponseCode.SYSTEM_ERROR, "value is not in set"),
        ({"attributes": "message.type"}, ResponseCode.SYSTEM_ERROR, "delete attribute format"),
    ],
)
def test_what_cannot_be_a_topic_is_refused(scene, changed, code, words):
    before = dict(scene.topics.table)

    answer = update(scene, wanted(**changed))

    assert answer.code == code
    assert words in answer.remark
    assert scene.topics.table == before


def test_configuration_may_allow_system_topics_and_mixed_messages(scene):
    scene.topic_admin.config = type(scene.config)(
        validateSystemTopicWhenUpdateTopic=False, enableMixedMessageType=True
    )

    answer = update(scene, wanted("SELF_TEST_TOPIC", attributes="+message.type=MIXED"))

    assert answer.code == ResponseCode.SUCCESS
    assert scene.topics.get("SELF_TEST_TOPIC").message_type == "MIXED"


def test_a_list_is_created_though_its_first_is_there(scene):
    update(scene, wanted("A", read_queue_nums=16, write_queue_nums=16))

    answer = update_list(scene, TopicConfig(topic_name="A"), TopicConfig(topic_name="B"))

    assert answer.code == ResponseCode.SUCCESS
    assert "B" in scene.topics
    version = scene.topics.data_version
    update_list(scene, TopicConfig(topic_name="A"), TopicConfig(topic_name="B"))
    assert scene.topics.data_version == version


def test_a_list_with_one_bad_topic_changes_nothing(scene):
    bad = TopicConfig(topic_name="B", read_queue_nums=-1)

    answer = update_list(scene, TopicConfig(topic_name="A"), bad)

    assert answer.code == ResponseCode.INVALID_PARAMETER
    assert "A" not in scene.topics


def test_a_topic_goes_with_all_that_is_its(scene):
    for topic in ("T", "%RETRY%G_T", "U"):
        update(scene, wanted(topic))
        scene.put(topic)
        scene.offsets.commit("G", topic, 0, 1)
    update(scene, wanted("%RETRY%G+T"))
    scene.stats.sample()

    answer = delete(scene, "T")

    assert answer.code == ResponseCode.SUCCESS
    for topic in ("T", "%RETRY%G_T", "%RETRY%G+T"):
        assert topic not in scene.topics
        assert scene.store.max_offset(topic, 0) == 0
        assert not scene.offsets.queues("G", topic)
        assert scene.stats.item("TOPIC_PUT_NUMS", topic) is None
    assert "U" in scene.topics
    assert scene.store.max_offset("U", 0) == 1


def test_retry_topics_stay_if_configured_so(scene):
    for topic in ("T", "%RETRY%G_T"):
        update(scene, wanted(topic))
    scene.offsets.commit("G", "T", 0, 1)
    scene.topic_admin.config = type(scene.config)(clearRetryTopicWhenDeleteTopic=False)

    delete(scene, "T")

    assert "%RETRY%G_T" in scene.topics


@pytest.mark.parametrize("topic", ["", "../T", "T/../../x", "\0", "SCHEDULE_TOPIC_XXXX"])
def test_what_is_no_topic_of_users_is_not_deleted(scene, topic):
    before = dict(scene.topics.table)

    answer = delete(scene, topic)

    assert answer.code == ResponseCode.INVALID_PARAMETER
    assert answer.remark
    assert scene.topics.table == before


def test_deleting_what_is_not_there_is_no_error(scene):
    assert delete(scene, "T").code == ResponseCode.SUCCESS


def test_all_topics_are_given_with_their_version(scene):
    update(scene, wanted())

    answer = scene.ask(RequestCode.GET_ALL_TOPIC_CONFIG)

    given = decode_body(TopicConfigAndMappingSerializeWrapper, answer.body)
    assert given.topic_config_table == dict(scene.topics.table)
    assert given.data_version == scene.topics.data_version


def test_one_topic_is_given(scene):
    update(scene, wanted(order=True))

    answer = scene.ask(RequestCode.GET_TOPIC_CONFIG, GetTopicConfigRequestHeader(topic="T"))

    given = decode_body(TopicConfigAndQueueMapping, answer.body)
    assert (given.topic_name, given.order, given.read_queue_nums) == ("T", True, 4)
    assert given.mapping_detail is None
    absent = scene.ask(RequestCode.GET_TOPIC_CONFIG, GetTopicConfigRequestHeader(topic="X"))
    assert absent.code == ResponseCode.TOPIC_NOT_EXIST
    assert absent.remark == "No topic in this broker. topic: X"


def test_system_topics_are_named(scene):
    answer = scene.ask(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER)

    named = decode_body(TopicList, answer.body).topic_list
    assert {"TBW102", "broker-a", "C"} <= set(named)


@pytest.mark.parametrize("several", [False, True])
def test_a_change_is_answered_when_name_servers_know_of_it(scene, several):
    scene.name_servers_know = Deferred()

    answer = update_list(scene, TopicConfig(topic_name="T")) if several else update(scene, wanted())

    assert answer is None
    scene.name_servers_know.callback(None)
    assert len(scene.peer.replies) == 1
