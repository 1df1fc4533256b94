import pytest

from rmq.base.manual import ManualClock
from rmq.broker.offsets import LONG_MAX, NO_OFFSET, ConsumerOffsets
from rmq.broker.tests.tables import FOLDER, FullDisk, config, table_file

PATH = f"{FOLDER}/consumerOffset.json"

JAVA_SAMPLE = """{
	"dataVersion":{
		"counter":3,
		"stateVersion":0,
		"timestamp":1700000000000
	},
	"groupTopicMap":{
		"G1":["TopicA"]
	},
	"offsetTable":{
		"TopicA@G1":{0:5,1:7
		}
	}
}"""
"""Written by Java 5.3.3."""


class World:
    def __init__(self, **changed):
        self.clock = ManualClock()
        self.disk = FullDisk(self.clock)
        self.first_stored = {}
        self.offsets = self.again(**changed)

    def again(self, **changed):
        return ConsumerOffsets(
            config(**changed),
            self.clock,
            table_file(self.disk, "consumerOffset.json"),
            lambda topic, queue_id: self.first_stored.get((topic, queue_id), 0),
        )


@pytest.fixture
def world():
    return World()


@pytest.fixture
def offsets(world):
    return world.offsets


def test_committed_offset_is_found(offsets):
    offsets.commit("g", "t", 0, 5)
    offsets.commit("g", "t", 1, 7)
    offsets.commit("g", "t", 0, 4)

    assert offsets.query("g", "t", 0) == 4
    assert offsets.queues("g", "t") == {0: 4, 1: 7}


def test_nothing_known_is_no_offset(offsets):
    offsets.commit("g", "t", 0, 5)

    assert offsets.query("g", "t", 1) == NO_OFFSET
    assert offsets.query("h", "t", 0) == NO_OFFSET
    assert offsets.queues("h", "t") == {}


def test_version_grows_every_so_many_commits():
    offsets = World(consumerOffsetUpdateVersionStep=3).offsets

    for offset in range(7):
        offsets.commit("g", "t", 0, offset)

    assert offsets.data_version.counter == 2


def test_pulled_offset_stands_before_the_commit(offsets):
    offsets.commit("g", "t", 0, 5)
    assert offsets.query_pulled("g", "t", 0) == 5

    offsets.pulled("g", "t", 0, 8)
    offsets.pulled("g", "t", 0, 9)
    assert offsets.query_pulled("g", "t", 0) == 9


def test_topics_and_groups_are_listed(offsets):
    offsets.commit("g", "t", 0, 1)
    offsets.commit("g", "u", 0, 1)
    offsets.commit("h", "t", 0, 1)

    assert offsets.topics_of("g") == {"t", "u"}
    assert offsets.groups_of("t") == {"g", "h"}
    assert offsets.group_topics() == {"g": ["t", "u"], "h": ["t"]}
    assert list(offsets.table) == ["t@g", "u@g", "t@h"]


def test_lowest_commit_counts_only_stored_messages(world, offsets):
    offsets.commit("g", "t", 0, 5)
    offsets.commit("h", "t", 0, 8)
    offsets.commit("h", "t", 1, 1)
    offsets.commit("h", "u", 0, 1)
    world.first_stored["t", 1] = 2

    assert offsets.lowest("t") == {0: 5}
    assert offsets.lowest("t", ["g"]) == {0: 8}
    assert offsets.query("g", "t", 0) == 5


def test_correction_compares_with_one_group(world, offsets):
    offsets.commit("g", "t", 0, 5)
    offsets.commit("g", "t", 1, 5)
    offsets.commit("one", "t", 0, 4)
    offsets.commit("one", "t", 1, 6)
    offsets.commit("one", "t", 2, 1)
    world.first_stored["t", 2] = 3

    assert offsets.correction("t", ["one"], "one") == {0: LONG_MAX, 1: 5}
    assert offsets.correction("t", [], "unknown") == {0: 4, 1: 5}


def test_reset_wins_over_commits_until_it_is_taken(offsets):
    offsets.commit("g", "t", 0, 50)
    offsets.reset("g", "t", 0, 10)
    offsets.reset("g", "t", 1, 11)
    offsets.commit("g", "t", 0, 51)

    assert offsets.has_reset("g", "t", 0)
    assert offsets.query("g", "t", 0) == 10
    assert offsets.take_reset("g", "t", 0) == 10
    assert offsets.query("g", "t", 0) == 51
    assert offsets.take_reset("g", "t", 0) is None
    assert offsets.query("g", "t", 1) == 11
    assert offsets.query("g", "u", 1) == NO_OFFSET
    assert offsets.take_reset("g", "t", 1) == 11
    assert offsets.take_reset("g", "t", 1) is None
    assert not offsets.has_reset("g", "t", 0)


def test_reset_is_only_a_commit_where_the_server_may_not_reset():
    offsets = World(useServerSideResetOffset=False).offsets
    offsets.reset("g", "t", 0, 10)
    offsets.commit("g", "t", 0, 51)

    assert offsets.query("g", "t", 0) == 51


@pytest.mark.parametrize(
    ("group", "topic", "queue_id", "offset"),
    [("", "t", 0, 0), ("g", "", 0, 0), ("g", "t", -1, 0), ("g", "t", 0, -1)],
)
def test_reset_of_nothing_is_ignored(offsets, group, topic, queue_id, offset):
    offsets.reset(group, topic, queue_id, offset)

    assert not offsets.table
    assert not offsets.has_reset(group, topic, queue_id)


def test_cloned_offsets_go_their_own_way(offsets):
    offsets.commit("g", "t", 0, 5)
    offsets.clone("g", "h", "t")
    offsets.clone("unknown", "i", "t")
    offsets.commit("g", "t", 0, 6)

    assert offsets.query("h", "t", 0) == 5
    assert offsets.query("i", "t", 0) == NO_OFFSET


def test_removed_group_leaves_nothing(offsets):
    for group in ("g", "gg"):
        offsets.reset(group, "t", 0, 5)
        offsets.pulled(group, "t", 0, 5)

    offsets.remove_group("g")

    assert offsets.query("g", "t", 0) == offsets.query_pulled("g", "t", 0) == NO_OFFSET
    assert not offsets.has_reset("g", "t", 0)
    assert offsets.has_reset("gg", "t", 0)


def test_removed_topic_leaves_nothing(offsets):
    for topic in ("t", "tt"):
        offsets.reset("g", topic, 0, 5)

    offsets.remove_topic("t")

    assert list(offsets.table) == ["tt@g"]
    assert not offsets.has_reset("g", "t", 0)


def test_file_of_java_is_read_and_written_alike(world, offsets):
    world.disk.replace(PATH, JAVA_SAMPLE.encode())
    offsets.load()

    offsets.commit("G1", "TopicA", 1, 7)
    offsets.persist()

    assert offsets.data_version.counter == 3
    assert world.disk.read(PATH) == JAVA_SAMPLE.encode()


def test_offsets_survive_a_restart(world, offsets):
    offsets.commit("g", "t", 3, 2**40)
    offsets.persist()
    again = world.again()

    again.load()

    assert again.query("g", "t", 3) == 2**40


def test_file_without_version_is_read(world, offsets):
    world.disk.replace(PATH, b'{"offsetTable":{"t@g":{0:5}}}')

    offsets.load()

    assert offsets.query("g", "t", 0) == 5
    assert offsets.data_version.counter == 0


def test_nothing_on_disk_is_nothing_known(offsets):
    offsets.load()

    assert not offsets.table


def test_only_changes_are_saved_and_a_full_disk_is_tried_again(world, offsets):
    offsets.persist()
    assert world.disk.read(PATH) is None

    offsets.commit("g", "t", 0, 1)
    world.disk.full = True
    offsets.persist()
    world.disk.full = False
    offsets.persist()

    assert b'"t@g"' in world.disk.read(PATH)


def test_under_controllers_each_version_has_the_master_s_epoch():
    offsets = World(consumerOffsetUpdateVersionStep=1).offsets
    offsets.state_version = 7

    offsets.commit("g", "t", 0, 5)

    assert offsets.data_version.state_version == 7


def test_a_new_version_is_later_and_is_saved(world):
    before = world.offsets.data_version

    world.offsets.next_version()
    world.offsets.persist()
    again = world.again()
    again.load()

    assert again.data_version == world.offsets.data_version
    assert again.data_version.counter == before.counter + 1
