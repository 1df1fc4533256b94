import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codec.bodies.groups import SubscriptionGroupConfig
from codec.bodies.message_queue import MessageQueue
from codec.bodies.topics import TopicConfig, TopicFilterType
from codec.codes import RequestCode, ResponseCode
from codec.frame import JSON, ROCKETMQ
from codec.headers.send import SendMessageRequestHeader, SendMessageRequestHeaderV2
from codec.message import properties as props
from codec.message.batch import BatchItem, pack_batch
from codec.message.sysflag import MULTI_TAGS
from rmq.broker.processors.send import CODES
from rmq.broker.processors.tests.scene import HOST, NEW_KEY, Scene
from rmq.broker.tests.roles import A_MASTER, A_SLAVE
from rmq.store.messages import PutStatus

SHORT = RequestCode.SEND_MESSAGE_V2
LONG = RequestCode.SEND_MESSAGE
BATCH = RequestCode.SEND_BATCH_MESSAGE
ADDED = {"MSG_REGION": "Region7", "TRACE_ON": "true", "CLUSTER": "C"}
PLAIN = "UNIQ_KEY\x01K1\x02TAGS\x01a\x02"


def a_scene(**options):
    scene = Scene(**options)
    scene.topics.update(TopicConfig(topic_name="T", read_queue_nums=4, write_queue_nums=2))
    return scene


@pytest.fixture
def scene():
    return a_scene()


def a_header(kind=SendMessageRequestHeaderV2, **fields):
    given = {
        "producer_group": "p",
        "topic": "T",
        "default_topic": "TBW102",
        "default_topic_queue_nums": 4,
        "queue_id": 0,
        "sys_flag": 0,
        "born_timestamp": 1_600_000_000_000,
        "flag": 0,
        "properties": PLAIN,
    }
    return kind(**(given | fields))


def send(scene, body=b"hello", code=SHORT, *, version=479, encoding=JSON, oneway=False, **fields):
    kind = SendMessageRequestHeader if code == LONG else SendMessageRequestHeaderV2
    header = a_header(kind, **fields)
    return scene.ask(code, header, body, version=version, encoding=encoding, oneway=oneway)


def refusal(answer):
    return answer.code, answer.remark


# what is stored and answered


@pytest.mark.parametrize("encoding", [JSON, ROCKETMQ])
@pytest.mark.parametrize("code", [SHORT, LONG, BATCH])
def test_sent_message_is_stored_as_it_came(scene, code, encoding):
    answer = send(
        scene, b"body", code, encoding=encoding, queue_id=1, flag=9, reconsume_times=3, sys_flag=1
    )

    record = scene.stored("T", 1)
    assert (answer.code, answer.remark, answer.body) == (0, None, b"")
    assert answer.ext_fields == {
        "msgId": HOST.hex().upper() + "0" * 16,
        "queueId": "1",
        "queueOffset": "0",
        "transactionId": "K1",
        "MSG_REGION": "Region7",
        "TRACE_ON": "true",
    }
    assert (record.body, record.topic, record.queue_id) == (b"body", b"T", 1)
    assert (record.flag, record.reconsume_times, record.sys_flag) == (9, 3, 1)
    assert record.born_timestamp == 1_600_000_000_000
    assert record.born_host == scene.peer.host_bytes
    assert record.store_host == HOST
    assert props.parse(record.properties) == {"UNIQ_KEY": "K1", "TAGS": "a"} | ADDED


def test_id_and_offset_grow_with_the_log(scene):
    send(scene)
    answer = send(scene)

    position = scene.stored("T", 0, 1).position
    assert position > 0
    assert answer.ext_fields["msgId"] == HOST.hex().upper() + f"{position:016X}"
    assert answer.ext_fields["queueOffset"] == "1"


def test_oneway_message_is_stored_and_not_answered(scene):
    assert send(scene, oneway=True) is None

    assert scene.stored("T").body == b"hello"


@pytest.mark.parametrize("properties", [None, "", "TAGS\x01a\x02", "UNIQ_KEY\x01\x02"])
def test_message_without_unique_key_gets_one(scene, properties):
    answer = send(scene, properties=properties)

    assert answer.ext_fields["transactionId"] == NEW_KEY
    assert scene.stored_properties("T")["UNIQ_KEY"] == NEW_KEY


def test_pop_check_point_of_a_client_is_not_stored(scene):
    send(scene, properties=PLAIN + "POP_CK\x010 1 2\x02")

    assert "POP_CK" not in scene.stored_properties("T")


def test_what_a_client_says_of_region_trace_and_cluster_is_replaced(scene):
    send(scene, properties=PLAIN + "CLUSTER\x01x\x02MSG_REGION\x01y\x02TRACE_ON\x01z\x02")

    assert scene.stored_properties("T") == {"UNIQ_KEY": "K1", "TAGS": "a"} | ADDED


def test_topic_of_several_tags_marks_its_messages(scene):
    several = TopicConfig(topic_name="T", topic_filter_type=TopicFilterType.MULTI_TAG)
    scene.topics.update(several)

    send(scene)
    send(scene, pack_batch([BatchItem(b"x")]), batch=True)

    assert scene.stored("T", 0, 0).sys_flag & MULTI_TAGS
    assert scene.stored("T", 0, 1).sys_flag & MULTI_TAGS


names = st.sampled_from(
    [
        "KEYS",
        "TAGS",
        "UNIQ_KEY",
        "MY_UNIQ_KEY",
        "CLUSTER",
        "MSG_REGION",
        "TRACE_ON",
        "POP_CK",
        "WAIT",
    ]
) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x01\x02"), min_size=1, max_size=5
).filter(lambda name: name != "DELAY")  # which the broker acts on
values = st.text(st.characters(codec="utf-8", exclude_characters="\x01\x02"), max_size=5)
SHARED = a_scene(store={"commit_log_file_size": 1 << 20, "index_enabled": False})


@given(st.lists(st.tuples(names, values), max_size=6), st.booleans(), st.booleans())
@example([("UNIQ_KEY", "K1")], True, True)
@example([("UNIQ_KEY", "K1"), ("UNIQ_KEY", "")], False, True)
@example([("MY_UNIQ_KEY", "K1")], False, True)
def test_any_properties_are_stored_alike_by_the_fast_way_and_the_slow(pairs, has_key, ended):
    if has_key:
        pairs = [*pairs, ("UNIQ_KEY", "K9")]
    text = "\x02".join(f"{name}\x01{value}" for name, value in pairs)
    text += "\x02" if ended and pairs else ""
    sent = props.parse(text.encode())
    offset = SHARED.store.max_offset("T", 0)

    answer = send(SHARED, properties=text)

    expected = {"UNIQ_KEY": NEW_KEY} | sent | ADDED
    expected.pop("POP_CK", None)
    assert answer.code == 0
    assert SHARED.stored_properties("T", 0, offset) == expected
    assert answer.ext_fields["transactionId"] == expected["UNIQ_KEY"]


# queues


def test_negative_queue_id_lets_the_broker_choose_among_the_writable(scene):
    scene = a_scene(chance=[3, 1])

    first = send(scene, queue_id=-1)
    second = send(scene, pack_batch([BatchItem(b"x")]), batch=True, queue_id=-1)

    assert first.ext_fields["queueId"] == "1"
    assert second.ext_fields["queueId"] == "1"


def test_queue_that_can_only_be_read_still_takes_messages(scene):
    assert send(scene, queue_id=3).code == 0


def test_queue_that_the_topic_does_not_have_is_refused(scene):
    code, remark = refusal(send(scene, queue_id=4))

    assert code == ResponseCode.INVALID_PARAMETER
    assert remark.startswith("request queueId[4] is illegal, topic T ")
    assert remark.endswith("Producer: 10.0.0.1:40000")


@pytest.mark.parametrize("batch", [None, True])
def test_topic_without_queues_gives_nothing_to_choose(scene, batch):
    body = pack_batch([BatchItem(b"x")])

    answer = send(scene, body, topic="New", default_topic_queue_nums=-1, queue_id=-1, batch=batch)

    assert answer.code == ResponseCode.INVALID_PARAMETER


# topics


def test_unknown_topic_is_created_like_the_default_topic(scene):
    answer = send(scene, topic="New", default_topic_queue_nums=3)

    created = scene.topics.get("New")
    assert answer.code == 0
    assert (created.read_queue_nums, created.write_queue_nums, created.perm) == (3, 3, 6)
    assert created.topic_sys_flag == 0


def test_topic_created_in_unit_mode_says_so(scene):
    send(scene, topic="New", unit_mode=True)
    send(scene, topic="%RETRY%g", unit_mode=True)

    assert scene.topics.get("New").topic_sys_flag == 1
    assert scene.topics.get("%RETRY%g").topic_sys_flag == 2


@pytest.mark.parametrize("default_topic", ["TBW102", "Unknown", "T"])
def test_unknown_topic_is_refused_where_none_can_be_inherited(default_topic):
    scene = a_scene(autoCreateTopicEnable=False)

    code, remark = refusal(send(scene, topic="New", default_topic=default_topic))

    assert code == ResponseCode.TOPIC_NOT_EXIST
    assert remark.startswith("topic[New] not exist, apply first please!")
    assert scene.topics.get("New") is None


@pytest.mark.parametrize(
    ("topic", "remark"),
    [
        ("", "The specified topic is blank."),
        ("  ", "The specified topic is blank."),
        (
            "a b",
            "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$",
        ),
        ("t" * 128, "The specified topic is longer than topic max length."),
    ],
)
def test_name_that_no_topic_can_have_is_refused(scene, topic, remark):
    assert refusal(send(scene, topic=topic)) == (ResponseCode.INVALID_PARAMETER, remark)


@pytest.mark.parametrize("topic", ["SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC"])
def test_topic_of_the_brokers_own_is_refused(scene, topic):
    assert refusal(send(scene, topic=topic)) == (
        ResponseCode.NO_PERMISSION,
        f"Sending message to topic[{topic}] is forbidden.",
    )


def test_broker_that_may_not_be_written_refuses_ordered_topics_only(scene):
    scene.topics.update(TopicConfig(topic_name="Ordered", order=True))
    scene.permission = 4

    assert send(scene).code == 0
    assert refusal(send(scene, topic="Ordered")) == (
        ResponseCode.NO_PERMISSION,
        "the broker[10.0.0.2] sending message is forbidden",
    )


def test_broker_accepts_nothing_before_its_time():
    begin_ms = Scene().clock.wall_ms() + 1000
    scene = a_scene(accept_from_ms=begin_ms)

    assert refusal(send(scene)) == (
        ResponseCode.SYSTEM_ERROR,
        f"broker unable to service, until {begin_ms} ms since 1970",
    )
    scene.clock.advance(1000)
    assert send(scene).code == 0


# another try, and dead letters


def test_message_for_another_try_goes_to_its_retry_topic(scene):
    scene.groups.update(SubscriptionGroupConfig(group_name="g", retry_max_times=2))

    answer = send(scene, topic="%RETRY%g", reconsume_times=2)

    assert answer.code == 0
    assert scene.stored("%RETRY%g").reconsume_times == 2


def test_retry_topic_is_created_even_where_topics_are_not():
    scene = a_scene(autoCreateTopicEnable=False)

    assert send(scene, topic="%RETRY%g").code == 0
    assert scene.topics.get("%RETRY%g").write_queue_nums == 1


def test_message_tried_too_often_goes_to_the_dead_letters():
    scene = a_scene(chance=[5])
    scene.groups.update(SubscriptionGroupConfig(group_name="g", retry_max_times=2))

    answer = send(scene, topic="%RETRY%g", reconsume_times=3, properties=PLAIN + "DELAY\x013\x02")

    dead = scene.topics.get("%DLQ%g")
    assert answer.code == 0
    assert (dead.read_queue_nums, dead.write_queue_nums, dead.perm) == (1, 1, 6)
    assert scene.stored("%DLQ%g").reconsume_times == 3
    assert "DELAY" not in scene.stored_properties("%DLQ%g")
    assert scene.store.max_offset("%RETRY%g", 0) == 0


@pytest.mark.parametrize(("version", "topic"), [(120, "%RETRY%g"), (121, "%DLQ%g")])
def test_newer_clients_say_themselves_how_often_is_too_often(version, topic):
    scene = a_scene(chance=[0])

    send(scene, topic="%RETRY%g", reconsume_times=2, max_reconsume_times=1, version=version)

    assert scene.stored(topic).reconsume_times == 2


def test_group_that_consumes_in_order_has_its_failures_among_the_dead_letters():
    scene = a_scene(chance=[0])
    scene.locks.lock("g", [MessageQueue(broker_name="broker-a", topic="T")], "c1")

    send(scene, topic="%RETRY%g", reconsume_times=1)

    assert scene.stored("%DLQ%g").reconsume_times == 1


def test_retry_topic_of_an_unknown_group_is_refused():
    scene = a_scene(autoCreateSubscriptionGroup=False)

    assert refusal(send(scene, topic="%RETRY%g")) == (
        ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
        "subscription group not exist, g",
    )


# batches


def test_batch_is_stored_message_by_message(scene):
    items = [
        BatchItem(b"one", b"UNIQ_KEY\x01U1\x02", 1),
        BatchItem(b"two", b"UNIQ_KEY\x01U2\x02", 2),
    ]

    answer = send(scene, pack_batch(items), BATCH, batch=True, properties="WAIT\x01true\x02")

    first, second = scene.stored("T"), scene.stored("T", 0, 1)
    assert answer.code == 0
    assert answer.ext_fields["queueOffset"] == "0"
    assert answer.ext_fields["msgId"] == ",".join(
        HOST.hex().upper() + f"{record.position:016X}" for record in (first, second)
    )
    assert (first.body, first.flag) == (b"one", 1)
    assert (second.body, second.flag) == (b"two", 2)
    assert props.parse(second.properties) == {"UNIQ_KEY": "U2", "WAIT": "true"} | ADDED


def test_pop_check_point_of_a_batch_is_not_stored(scene):
    body = pack_batch([BatchItem(b"x")])

    send(scene, body, batch=True, properties="POP_CK\x011 2\x02")

    assert scene.stored_properties("T") == ADDED


def test_batch_for_another_try_is_refused(scene):
    body = pack_batch([BatchItem(b"x")])

    assert refusal(send(scene, body, batch=True, topic="%RETRY%g")) == (
        ResponseCode.MESSAGE_ILLEGAL,
        "batch request does not support retry group %RETRY%g",
    )


@pytest.mark.parametrize("body", [b"no batch", b""])
def test_body_that_is_no_batch_is_refused(scene, body):
    assert send(scene, body, batch=True).code == ResponseCode.MESSAGE_ILLEGAL


# what the store refuses


def test_too_long_body_is_refused():
    scene = a_scene(store={"message_size_max": 10})

    assert send(scene, b"x" * 10).code == 0
    assert send(scene, b"x" * 11).code == ResponseCode.MESSAGE_ILLEGAL


def test_too_long_properties_are_refused(scene):
    scene = a_scene(store={"commit_log_file_size": 1 << 20})

    answer = send(scene, properties=PLAIN + "A\x01" + "x" * 32_767 + "\x02")

    assert answer.code == ResponseCode.MESSAGE_ILLEGAL


def test_full_disk_is_named_as_the_cause(scene):
    scene.disk.fail_reserve = OSError(28, "No space left on device")

    code, remark = refusal(send(scene))

    assert code == ResponseCode.SERVICE_NOT_AVAILABLE
    assert "No space left on device" in remark


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (PutStatus.FLUSH_SLAVE_TIMEOUT, ResponseCode.FLUSH_SLAVE_TIMEOUT),
        (PutStatus.SLAVE_NOT_AVAILABLE, ResponseCode.SLAVE_NOT_AVAILABLE),
        (PutStatus.OS_PAGE_CACHE_BUSY, ResponseCode.SYSTEM_BUSY),
        (PutStatus.PROPERTIES_SIZE_EXCEEDED, ResponseCode.MESSAGE_ILLEGAL),
    ],
)
def test_rare_ends_of_a_put_have_the_codes_of_java(status, code):
    assert CODES[status] is code


# waiting for the disk


@pytest.mark.parametrize("batch", [None, True])
def test_message_that_must_survive_is_answered_when_it_is_on_disk(batch):
    scene = a_scene(sync_flush=True)

    assert send(scene, pack_batch([BatchItem(b"x")]), batch=batch) is None
    scene.clock.advance(0)
    assert scene.peer.replies == []
    scene.worker.finish()

    (answer,) = scene.peer.replies
    assert answer.code == 0
    assert answer.ext_fields["transactionId"] == "K1"
    assert scene.store.flushed_position == scene.store.written_position


@pytest.mark.parametrize("batch", [None, True])
def test_sender_that_does_not_wait_is_answered_at_once(batch):
    scene = a_scene(sync_flush=True)
    body = pack_batch([BatchItem(b"x")])

    assert send(scene, body, batch=batch, properties=PLAIN + "WAIT\x01false\x02").code == 0
    assert send(scene, body, batch=batch, properties="WAIT\x01false\x02" + PLAIN).code == 0


def test_property_whose_name_only_ends_with_wait_makes_nobody_hurry():
    scene = a_scene(sync_flush=True)

    assert send(scene, properties=PLAIN + "MAY_WAIT\x01false\x02") is None


def test_disk_that_takes_too_long_is_told_with_the_place_of_the_message():
    scene = a_scene(sync_flush=True)
    send(scene)

    scene.clock.advance(5000)

    (answer,) = scene.peer.replies
    assert answer.code == ResponseCode.FLUSH_DISK_TIMEOUT
    assert answer.ext_fields["queueOffset"] == "0"


def test_disk_that_fails_refuses_what_waits_and_all_that_follows():
    scene = a_scene(sync_flush=True)
    send(scene)
    scene.clock.advance(0)

    scene.worker.fail(OSError(5, "Input/output error"))

    assert scene.peer.replies[0].code == ResponseCode.SERVICE_NOT_AVAILABLE
    later = send(scene)
    assert later.code == ResponseCode.SERVICE_NOT_AVAILABLE
    assert "Input/output error" in later.remark


def test_refused_message_waits_for_no_disk():
    scene = a_scene(sync_flush=True, store={"message_size_max": 10})

    assert send(scene, b"x" * 11).code == ResponseCode.MESSAGE_ILLEGAL


@pytest.mark.parametrize("batch", [None, True])
def test_of_too_few_brokers_in_step_what_is_waited_for_is_refused(scene, batch):
    body = pack_batch([BatchItem(b"x")])
    scene.sending.enough = lambda: False

    answer = send(scene, body, batch=batch)

    assert refusal(answer) == (ResponseCode.SYSTEM_ERROR, "in-sync replicas not enough")
    assert scene.store.written_position == 0
    assert send(scene, body, batch=batch, properties=PLAIN + "WAIT\x01false\x02").code == 0
    scene.sending.enough = lambda: True
    assert send(scene, body, batch=batch).code == 0


# roles


@pytest.mark.parametrize("code", [SHORT, LONG])
def test_a_slave_takes_no_message(scene, code):
    scene.role.set(A_SLAVE)

    answer = send(scene, code=code, topic="new")

    assert answer.code == ResponseCode.SYSTEM_BUSY
    assert answer.remark.startswith("[REJECTREQUEST]system busy, start flow control for a while")
    assert scene.topics.get("new") is None
    assert scene.store.written_position == 0


def test_a_slave_takes_no_batch(scene):
    scene.role.set(A_SLAVE)

    answer = send(scene, b"", BATCH, batch=True)

    assert answer.code == ResponseCode.SYSTEM_BUSY


def test_a_slave_that_may_act_as_master_leaves_it_to_its_store():
    scene = a_scene(enableSlaveActingMaster=True)
    scene.role.set(A_SLAVE)
    scene.store.follow("a slave")

    assert refusal(send(scene)) == (ResponseCode.SERVICE_NOT_AVAILABLE, "a slave")


def test_a_slave_that_became_master_takes_messages(scene):
    scene.role.set(A_SLAVE)
    scene.role.set(A_MASTER)

    assert send(scene).code == ResponseCode.SUCCESS
