import json
from pathlib import Path

import pytest

from codec.bodies.heartbeat import SubscriptionData
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.broker import consumer_filters
from rmq.broker.consumer_filters import SILENT_MS, ConsumerFilters
from rmq.broker.consumers import ConsumerGroup
from rmq.broker.tests.tables import FOLDER, FullDisk, config, table_file

DAY_MS = 86_400_000
NAME = "consumerFilter.json"
GOLDEN = Path(__file__).parents[3] / "codec/bodies/tests/golden/files" / NAME


def sql(text, version=1, topic="T", kind="SQL92"):
    return SubscriptionData(topic=topic, sub_string=text, sub_version=version, expression_type=kind)


class World:
    def __init__(self, disk=None, **changed):
        self.clock = ManualClock(1_700_000_000_000)
        self.disk = disk or FullDisk(self.clock)
        self.filters = ConsumerFilters(config(**changed), self.clock, table_file(self.disk, NAME))

    def register(self, *subscriptions):
        self.filters.register("g", subscriptions)

    def known(self, topic="T"):
        return self.filters.get(topic, "g")

    @property
    def text(self):
        return self.known().expression.text

    def saved(self):
        self.filters.persist()
        return self.disk.read(f"{FOLDER}/{NAME}").decode()

    def restarted(self, **changed):
        self.filters.persist()
        other = World(self.disk, **changed)
        other.filters.load()
        return other


@pytest.fixture
def world():
    return World()


def test_a_heartbeats_expression_is_known(world):
    group = ConsumerGroup("g")
    group.subscriptions = {"T": sql("a > 5"), "U": SubscriptionData(topic="U", sub_string="x")}

    world.filters.group_changed("g", group)

    assert world.known().expression.matches(b"a\x016\x02")
    assert not world.known().is_dead
    assert world.known("U") is None
    assert world.filters.get("T", "h") is None


def test_only_a_newer_version_changes_the_expression(world):
    world.register(sql("a > 5", version=2))

    world.register(sql("a > 6", version=1))
    world.register(sql("a > 6", version=2))
    assert world.text == "a > 5"
    world.register(sql("a > 7", version=3))

    assert world.text == "a > 7"
    assert world.known().data.client_version == 3


def test_a_newer_version_of_the_same_expression_keeps_its_birth(world):
    world.register(sql("a > 5", version=2))
    born_ms = world.known().data.born_time
    world.clock.advance(1000)

    world.register(sql("a > 5", version=3))

    assert (world.known().data.born_time, world.known().data.client_version) == (born_ms, 3)


@pytest.mark.parametrize("text", ["a >", ""])
@pytest.mark.parametrize("kind", ["SQL92", "SQL93"])
def test_what_cannot_be_compiled_is_not_registered(world, text, kind):
    world.register(sql(text, kind=kind))

    assert world.known() is None


def test_what_cannot_be_compiled_ends_its_predecessor(world):
    world.register(sql("a > 5"), sql("b = 1", topic="U"))

    world.register(sql("a >", version=2), sql("b = 1", topic="U"))

    assert world.known() is None
    assert world.known("U") is not None


def test_filter_dies_with_its_group_or_its_subscription_and_comes_back(world):
    world.register(sql("a > 5"), sql("b = 1", topic="U"))

    world.register(sql("b = 1", topic="U"))
    assert [world.known().is_dead, world.known("U").is_dead] == [True, False]
    world.filters.group_changed("g", None)
    assert [world.known().is_dead, world.known("U").is_dead] == [True, True]
    world.register(sql("a > 5"), sql("b = 1", version=2, topic="U"))
    assert [world.known().is_dead, world.known("U").is_dead] == [False, False]


def test_filter_that_is_dead_for_a_day_is_forgotten(world):
    world.register(sql("a > 5"), sql("b = 1", topic="U"))
    world.clock.advance(1000)
    world.register(sql("b = 1", topic="U"))

    world.clock.advance(DAY_MS - 1)
    world.filters.persist()
    assert world.known() is not None
    world.clock.advance(1)
    world.filters.persist()

    assert world.known() is None
    assert world.known("U") is not None
    assert '"T"' not in world.saved()


def test_group_whose_filters_are_all_forgotten_is_forgotten(world):
    world.register(sql("a > 5"))
    world.register()

    world.clock.advance(DAY_MS)

    assert json.loads(world.saved()) == {"filterDataByTopic": {}}
    assert world.known() is None


def test_filters_are_kept_in_javas_form(world):
    world.register(sql("a > 5", version=7))

    kept = json.loads(world.saved())

    assert kept == {
        "filterDataByTopic": {
            "T": {
                "groupFilterData": {
                    "g": {
                        "bloomFilterData": {"bitNum": 112, "bitPos": [90, 68, 28]},
                        "bornTime": 1_700_000_000_000,
                        "clientVersion": 7,
                        "consumerGroup": "g",
                        "dead": False,
                        "deadTime": 0,
                        "expression": "a > 5",
                        "expressionType": "SQL92",
                        "topic": "T",
                    }
                },
                "topic": "T",
            }
        }
    }


def test_javas_file_is_read_and_written_back(world):
    text = GOLDEN.read_text()
    world.disk.replace(f"{FOLDER}/{NAME}", text.encode())
    other = World(world.disk, expectConsumerNumUseFilter=64)

    other.filters.load()
    other.filters.register("G1", [sql("a > 5", 1_700_000_000_000, "TopicA")])

    assert other.saved() == text


def test_after_a_start_all_count_as_dead_until_they_are_heard_of(world):
    world.register(sql("a > 5"))

    other = world.restarted()
    assert other.known().is_dead
    assert other.known().data.dead_time == other.known().data.born_time
    assert other.known().expression.matches(b"a\x016\x02")
    other.register(sql("a > 5"))

    assert not other.known().is_dead


def test_death_is_dated_a_little_before_the_start_or_stays_what_it_was(world):
    world.register(sql("a > 5"), sql("b = 1", topic="U"))
    world.register(sql("a > 5"))
    died_ms = world.known("U").data.dead_time
    world.filters.persist()
    other = World(world.disk)
    other.clock.advance(DAY_MS)

    other.filters.load()

    assert other.known().data.dead_time == other.clock.wall_ms() - SILENT_MS
    assert other.known("U").data.dead_time == died_ms


def test_filters_with_bits_of_another_size_are_not_taken_over(world):
    world.register(sql("a > 5"))

    assert world.restarted(expectConsumerNumUseFilter=64).known() is None


def test_filter_on_disk_that_cannot_be_compiled_is_not_taken_over(world):
    world.register(sql("a > 5"), sql("b = 1", topic="U"))
    text = world.saved().replace("a > 5", "a >")
    world.disk.replace(f"{FOLDER}/{NAME}", text.encode())
    other = World(world.disk)

    other.filters.load()

    assert other.known() is None
    assert other.known("U") is not None


def test_nothing_on_disk_is_no_filters(world):
    world.filters.load()

    assert world.known() is None


def test_broken_file_stops_the_start(world):
    world.disk.replace(f"{FOLDER}/{NAME}", b'{"filterDataByTopic":[]}')

    with pytest.raises(StoreError):
        world.filters.load()


def test_what_the_disk_refused_is_saved_later(world):
    world.register(sql("a > 5"))
    world.disk.full = True
    world.filters.persist()
    world.disk.full = False

    assert "a > 5" in world.saved()


def test_filters_have_a_limit(world, monkeypatch):
    monkeypatch.setattr(consumer_filters, "FILTERS_MAX", 1)
    world.register(sql("a > 5"))

    world.register(sql("a > 6", version=2), sql("b = 1", topic="U"))

    assert world.text == "a > 6"
    assert world.known("U") is None


def test_retries_are_judged_as_their_first_topic(world):
    world.register(sql("a > 5 OR a = 1"), sql("b = 1", topic="U"))

    judge = world.filters.for_retries("g")

    assert judge.cost == 2
    assert judge.matches(b"a\x016\x02RETRY_TOPIC\x01T\x02")
    assert not judge.matches(b"a\x015\x02RETRY_TOPIC\x01T\x02")
    assert not judge.matches(b"a\x016\x02RETRY_TOPIC\x01U\x02")
    assert judge.matches(b"RETRY_TOPIC\x01other\x02")
    assert judge.matches(b"")
    assert world.filters.for_retries("h").cost == 1
