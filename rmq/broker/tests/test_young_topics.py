import pytest

from rmq.base.manual import ManualClock
from rmq.broker import names
from rmq.broker.tests.tables import config, table_file
from rmq.broker.topics import Topics
from rmq.broker.young_topics import NOTED_MAX, YoungTopics
from rmq.net.memory_disk import MemoryDisk


class World:
    def __init__(self):
        clock = ManualClock()
        self.topics = Topics(config(), clock, table_file(MemoryDisk(clock), "topics.json"))
        self.young = YoungTopics(self.topics)

    def copy(self, *made):
        """Ask for the table; the master has made these topics since."""
        self.young.asked()
        for topic in made:
            self.topics.create_on_send_back(topic, 1)
        self.young.copied()


@pytest.fixture
def world():
    return World()


def test_topic_that_is_in_the_table_is_not_wanted_and_known_from_then_on(world):
    world.topics.create_on_send_back("T", 1)

    assert not world.young.note("T", b"")

    assert world.young.known == {"T"}
    assert world.young.wanted == set()


def test_topic_that_is_unknown_is_wanted_once(world):
    assert world.young.note("T", b"")
    assert not world.young.note("T", b"")

    assert world.young.wanted == {"T"}


def test_copied_table_ends_it(world):
    world.young.note("T", b"")

    world.copy("T")

    assert world.young.wanted == set()
    assert not world.young.note("T", b"")


def test_topic_that_the_master_lacks_too_is_known_until_all_is_forgotten(world):
    world.young.note("gone", b"")

    world.copy()

    assert world.young.known == {"gone"}
    assert not world.young.note("gone", b"")
    world.young.forget()
    assert world.young.known == set()
    assert world.young.note("gone", b"")


def test_another_copy_does_not_make_what_is_gone_wanted_again(world):
    world.young.note("gone", b"")
    world.copy()

    world.young.note("T", b"")
    world.copy("T")

    assert world.young.known == {"gone"}


def test_topic_that_came_while_the_table_was_on_its_way_stays_wanted(world):
    world.young.note("T", b"")
    world.young.asked()
    world.young.note("later", b"")

    world.young.copied()

    assert world.young.wanted == {"later"}


def test_request_that_failed_leaves_all_wanted(world):
    world.young.note("T", b"")
    world.young.asked()

    world.young.asked()

    assert world.young.wanted == {"T"}


def test_topic_that_was_deleted_is_wanted_when_it_comes_again(world):
    world.topics.create_on_send_back("T", 1)
    world.young.note("T", b"")

    world.topics.delete("T")
    world.copy()

    assert world.young.note("T", b"")


@pytest.mark.parametrize("topic", ["rmq_sys_anything", names.OP_HALF_TOPIC])
def test_rocketmq_s_own_topics_are_never_wanted(world, topic):
    world.topics.delete(topic)

    assert not world.young.note(topic, b"")


@pytest.mark.parametrize("topic", [names.SCHEDULE_TOPIC, names.HALF_TOPIC, names.TIMER_TOPIC])
def test_message_that_waits_names_the_topic_that_it_is_for(world, topic):
    properties = b"UNIQ_KEY\x01U\x02REAL_TOPIC\x01T\x02REAL_QID\x010\x02"

    assert world.young.note(topic, properties)
    assert world.young.wanted == {"T"}
    assert not world.young.note(topic, properties)

    world.copy()
    assert not world.young.note(topic, properties)
    assert not world.young.note(topic, b"UNIQ_KEY\x01U\x02")
    assert world.young.known == {"T"}


def test_no_more_than_some_are_noted(world):
    for number in range(NOTED_MAX + 1):
        world.young.note(f"T{number}", b"")
    assert len(world.young.wanted) == NOTED_MAX

    world.copy()
    world.young.note("other", b"")
    world.copy()

    assert len(world.young.known) == NOTED_MAX
    assert "other" not in world.young.known


def test_who_becomes_master_wants_nothing_more(world):
    world.young.note("b", b"")
    world.young.note("a", b"")
    world.young.asked()

    assert world.young.give_up() == ["a", "b"]

    world.young.copied()
    assert world.young.wanted == world.young.known == set()
