import pytest

from codec.bodies.data_version import DataVersion
from codec.bodies.topics import TopicConfig
from rmq.base.errors import CommandError, StoreError
from rmq.base.manual import ManualClock
from rmq.broker.tests.tables import FOLDER, FullDisk, config, table_file
from rmq.broker.topics import UNIT_SUB_FLAG, Topics

PATH = f"{FOLDER}/topics.json"

JAVA_SAMPLE = """{
	"dataVersion":{
		"counter":3,
		"stateVersion":0,
		"timestamp":1700000000000
	},
	"topicConfigTable":{
		"TopicB":{
			"attributes":{
				"message.type":"FIFO"
			},
			"order":true,
			"perm":6,
			"readQueueNums":4,
			"topicFilterType":"SINGLE_TAG",
			"topicName":"TopicB",
			"topicSysFlag":0,
			"writeQueueNums":4
		},
		"TopicA":{
			"attributes":{},
			"order":false,
			"perm":6,
			"readQueueNums":8,
			"topicFilterType":"SINGLE_TAG",
			"topicName":"TopicA",
			"topicSysFlag":0,
			"writeQueueNums":8
		}
	}
}"""
"""Written by Java 5.3.3."""


class World:
    def __init__(self, **changed):
        self.clock = ManualClock()
        self.disk = FullDisk(self.clock)
        self.told = []
        self.topics = self.again(**changed)
        self.topics.on_change(lambda topics: self.told.append([t.topic_name for t in topics]))

    def again(self, **changed):
        return Topics(config(**changed), self.clock, table_file(self.disk, "topics.json"))


@pytest.fixture
def world():
    return World()


def shape(topic):
    return (topic.read_queue_nums, topic.write_queue_nums, topic.perm)


def test_system_topics_are_there_from_the_start(world):
    assert {name: shape(topic) for name, topic in world.topics.table.items()} == {
        "SELF_TEST_TOPIC": (1, 1, 6),
        "TBW102": (8, 8, 7),
        "BenchmarkTest": (1024, 1024, 6),
        "C": (16, 16, 7),
        "broker-a": (1, 1, 7),
        "OFFSET_MOVED_EVENT": (1, 1, 6),
        "SCHEDULE_TOPIC_XXXX": (18, 18, 6),
        "C_REPLY_TOPIC": (1, 1, 6),
        "rmq_sys_REVIVE_LOG_C": (8, 8, 6),
        "rmq_sys_SYNC_BROKER_MEMBER_broker-a": (1, 1, 1),
        "RMQ_SYS_TRANS_HALF_TOPIC": (1, 1, 6),
        "RMQ_SYS_TRANS_OP_HALF_TOPIC": (1, 1, 6),
        "rmq_sys_wheel_timer": (1, 1, 6),
    }
    assert len(world.topics) == 13
    assert "TBW102" in world.topics


def test_system_topics_follow_the_settings():
    topics = Topics(
        config(
            autoCreateTopicEnable=False,
            clusterTopicEnable=False,
            brokerTopicEnable=False,
            traceTopicEnable=True,
        ),
        ManualClock(),
        table_file(FullDisk(ManualClock()), "topics.json"),
        timer_wheel_enabled=False,
    )

    assert "TBW102" not in topics
    assert "rmq_sys_wheel_timer" not in topics
    assert shape(topics.get("C")) == (16, 16, 1)
    assert shape(topics.get("broker-a")) == (1, 1, 1)
    assert shape(topics.get("RMQ_SYS_TRACE_TOPIC")) == (1, 1, 6)


def test_topics_named_after_cluster_and_broker_are_system_topics(world):
    assert world.topics.is_system("C")
    assert world.topics.is_system("broker-a")
    assert world.topics.is_system("RMQ_SYS_TRACE_TOPIC")
    assert world.topics.is_system("rmq_sys_x")
    assert not world.topics.is_system("orders")


@pytest.mark.parametrize(("asked", "queues"), [(4, 4), (16, 8), (0, 0), (-3, 0)])
def test_topic_is_created_by_sending(world, asked, queues):
    created = world.topics.create_on_send("orders", "TBW102", "10.0.0.1:1", asked, UNIT_SUB_FLAG)

    assert created == world.topics.get("orders")
    assert shape(created) == (queues, queues, 6)
    assert created.topic_sys_flag == UNIT_SUB_FLAG
    assert world.topics.data_version.counter == 1
    assert world.told == [["orders"]]
    assert b'"orders"' in world.disk.read(PATH)


def test_known_topic_is_not_created_again(world):
    first = world.topics.create_on_send("orders", "TBW102", "10.0.0.1:1", 4, 0)
    second = world.topics.create_on_send("orders", "TBW102", "10.0.0.1:1", 8, 0)

    assert second is first
    assert world.told == [["orders"]]


def test_topic_is_created_like_any_inheritable_topic(world):
    world.topics.update(TopicConfig(topic_name="model", write_queue_nums=3, perm=5))

    created = world.topics.create_on_send("orders", "model", "10.0.0.1:1", 4, 0)

    assert shape(created) == (3, 3, 4)


@pytest.mark.parametrize("default_topic", ["unknown", "BenchmarkTest"])
def test_topic_is_not_created_like_one_that_may_not_be_inherited(world, default_topic):
    assert world.topics.create_on_send("orders", default_topic, "10.0.0.1:1", 4, 0) is None
    assert "orders" not in world.topics
    assert world.told == []


def test_automatic_creation_can_be_switched_off_while_running(world):
    world.topics.config = config(autoCreateTopicEnable=False)

    assert world.topics.create_on_send("orders", "TBW102", "10.0.0.1:1", 4, 0) is None
    assert world.topics.create_on_send("orders", "C", "10.0.0.1:1", 4, 0) is not None


def test_retry_topic_is_created_and_follows_the_order_flag(world):
    created = world.topics.create_on_send_back("%RETRY%g", 1, 6, UNIT_SUB_FLAG)
    same = world.topics.create_on_send_back("%RETRY%g", 9, 6)
    ordered = world.topics.create_on_send_back("%RETRY%g", 9, 6, order=True)

    assert shape(created) == (1, 1, 6)
    assert same is created
    assert ordered.order
    assert ordered.topic_sys_flag == UNIT_SUB_FLAG
    assert world.topics.is_ordered("%RETRY%g")
    assert not world.topics.is_ordered("unknown")
    assert world.told == [["%RETRY%g"]]


def test_topic_is_put_if_absent_only(world):
    first = world.topics.create_if_absent(TopicConfig(topic_name="t", read_queue_nums=1))
    second = world.topics.create_if_absent(TopicConfig(topic_name="t", read_queue_nums=2))

    assert second is first
    assert first.read_queue_nums == 1


def test_update_creates_and_alters(world):
    world.topics.update(TopicConfig(topic_name="t", attributes={"+message.type": "FIFO"}))
    updated = world.topics.update(TopicConfig(topic_name="t", read_queue_nums=2))

    assert updated.attributes == {"message.type": "FIFO"}
    assert world.topics.get("t").read_queue_nums == 2
    assert world.topics.data_version.counter == 2


def test_update_of_many_is_all_or_nothing(world):
    good = TopicConfig(topic_name="good")
    bad = TopicConfig(topic_name="bad", attributes={"odd": "x"})

    with pytest.raises(CommandError, match="only add attribute"):
        world.topics.update_all([good, bad])

    assert "good" not in world.topics
    assert world.told == []


def test_update_of_many_is_told_once(world):
    world.topics.update_all([TopicConfig(topic_name="a"), TopicConfig(topic_name="b")])

    assert world.told == [["a", "b"]]


def test_topic_in_the_hand_of_another_never_changes(world):
    held = world.topics.update(TopicConfig(topic_name="t"))
    world.topics.update(TopicConfig(topic_name="t", topic_sys_flag=UNIT_SUB_FLAG))

    assert held.topic_sys_flag == 0
    assert world.topics.get("t").topic_sys_flag == UNIT_SUB_FLAG


def test_deleted_topic_is_gone(world):
    world.topics.update(TopicConfig(topic_name="t"))

    assert world.topics.delete("t")
    assert not world.topics.delete("t")

    assert world.topics.get("t") is None
    assert b'"t"' not in world.disk.read(PATH)


def test_change_bears_the_time_of_people(world):
    world.clock.set_wall_ms(1_800_000_000_000)
    world.topics.update(TopicConfig(topic_name="t"))

    assert world.topics.data_version.timestamp == 1_800_000_000_000


def test_table_survives_a_restart(world):
    world.topics.update(TopicConfig(topic_name="t", attributes={"+message.type": "FIFO"}))
    again = world.again()

    again.load()

    assert again.table == world.topics.table
    assert again.data_version == world.topics.data_version


def test_file_of_java_is_read_and_wins_over_defaults(world):
    text = JAVA_SAMPLE.replace("TopicA", "TBW102")
    world.disk.replace(PATH, text.encode())

    world.topics.load()

    assert world.topics.get("TopicB").order
    assert shape(world.topics.get("TBW102")) == (8, 8, 6)
    assert world.topics.data_version.counter == 3


def test_file_is_written_as_java_writes_it(world):
    world.disk.replace(PATH, JAVA_SAMPLE.encode())
    defaults = list(world.topics.table)
    world.topics.load()
    for name in defaults:
        world.topics.delete(name)

    written = world.disk.read(PATH).decode()

    assert written == JAVA_SAMPLE.replace('"counter":3', '"counter":16')


def test_nothing_on_disk_leaves_the_defaults(world):
    world.topics.load()

    assert len(world.topics) == 13


def test_unreadable_files_stop_the_start(world):
    world.disk.replace(PATH, b"[not a table")

    with pytest.raises(StoreError, match=r"topics\.json"):
        world.topics.load()


def test_full_disk_costs_no_topic_and_is_tried_again(world):
    world.disk.full = True
    world.topics.update(TopicConfig(topic_name="t"))
    world.topics.persist()
    assert world.disk.read(PATH) is None

    world.disk.full = False
    world.topics.persist()

    assert b'"t"' in world.disk.read(PATH)


def test_nothing_changed_is_nothing_to_save(world):
    world.topics.persist()

    assert world.disk.read(PATH) is None


def test_registration_tells_all_topics_or_some(world):
    topic = world.topics.update(TopicConfig(topic_name="t"))

    everything = world.topics.registration()
    some = world.topics.registration([topic])

    assert everything.topic_config_table == world.topics.table
    assert some.topic_config_table == {"t": topic}
    assert some.data_version == everything.data_version == world.topics.data_version


def test_registration_allows_no_more_than_the_broker(world):
    topic = world.topics.update(TopicConfig(topic_name="t", perm=6))
    world.topics.config = config(brokerPermission=4)

    assert world.topics.registration([topic]).topic_config_table["t"].perm == 4
    assert world.topics.get("t").perm == 6


def test_operators_are_shown_what_is_configured(world):
    world.topics.config = config(brokerPermission=4)

    shown = world.topics.all_configs()

    assert shown.topic_config_table == world.topics.table
    assert shown.data_version == world.topics.data_version


def test_version_can_be_bumped_without_a_change(world):
    world.topics.next_version()

    assert world.topics.data_version.counter == 1


def test_under_controllers_each_version_has_the_master_s_epoch(world):
    world.topics.state_version = 7

    world.topics.next_version()

    assert world.topics.data_version.state_version == 7


def test_what_is_adopted_is_found_by_who_held_the_look_up_before(world):
    get = world.topics.get
    theirs = world.topics.all_configs()
    theirs.topic_config_table = {"T": TopicConfig(topic_name="T")}
    theirs.data_version = DataVersion(counter=9)

    assert world.topics.adopt(theirs)

    assert get("T") == TopicConfig(topic_name="T")
    assert list(world.topics.table) == ["T"]
