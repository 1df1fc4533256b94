import pytest

from rmq.base.manual import ManualClock
from rmq.broker.clients import Client
from rmq.broker.producers import SILENT_MS_MAX, Producers
from rmq.remoting.testing import FakeChannel


class World:
    def __init__(self):
        self.clock = ManualClock()
        self.producers = Producers(self.clock)
        self.channels = [FakeChannel(f"10.0.0.{number}:1") for number in range(3)]

    def beat(self, group, number):
        self.producers.register(group, Client(self.channels[number], f"c{number}"))


@pytest.fixture
def world():
    return World()


def test_producer_is_listed_from_its_first_heartbeat(world):
    world.beat("g", 0)
    world.clock.advance(5)
    world.beat("g", 0)
    world.beat("g", 1)

    assert [client.client_id for client in world.producers.connections("g")] == ["c0", "c1"]
    assert world.producers.connections("g")[0].heard_ms == 5
    assert world.producers.connections("unknown") == []
    assert world.producers.is_online("g")
    assert not world.producers.is_online("unknown")
    assert world.producers.channel_of("c1") is world.channels[1]
    assert list(world.producers.groups) == ["g"]


def test_producer_leaves_one_group_at_a_time(world):
    world.beat("g", 0)
    world.beat("h", 0)

    world.producers.unregister("g", world.channels[0])
    world.producers.unregister("g", world.channels[0])
    assert list(world.producers.groups) == ["h"]
    assert world.producers.channel_of("c0") is world.channels[0]

    world.producers.unregister("h", world.channels[0])
    assert not world.producers.groups
    assert world.producers.channel_of("c0") is None


def test_others_stay_when_one_leaves(world):
    world.beat("g", 0)
    world.beat("g", 1)

    world.producers.unregister("g", world.channels[0])

    assert [client.client_id for client in world.producers.connections("g")] == ["c1"]


def test_closed_connection_leaves_all_groups(world):
    world.beat("g", 0)
    world.beat("h", 0)

    assert world.producers.channel_closed(world.channels[0])
    assert not world.producers.channel_closed(world.channels[0])

    assert not world.producers.groups


def test_client_that_came_back_is_found_by_its_new_connection(world):
    world.beat("g", 0)
    world.producers.register("g", Client(world.channels[1], "c0"))

    world.producers.channel_closed(world.channels[0])

    assert world.producers.channel_of("c0") is world.channels[1]


def test_silent_producer_is_closed(world):
    world.beat("g", 0)
    world.clock.advance(SILENT_MS_MAX)
    world.beat("g", 1)
    assert world.producers.close_silent() == 0

    world.clock.advance(1)

    assert world.producers.close_silent() == 1
    assert not world.channels[0].is_open
    assert world.channels[1].is_open


def test_members_are_taken_in_turn_and_closed_ones_passed_over(world):
    for number in range(3):
        world.beat("g", number)
    world.channels[2].close("gone")

    taken = [world.producers.next_channel("g") for _ in range(4)]

    assert set(taken) == {world.channels[0], world.channels[1]}


def test_members_are_shown_to_operators(world):
    world.producers.register("g", Client(world.channels[0], "c0", "GO", 7))

    (shown,) = world.producers.connection_list("g").connection_set
    assert (shown.client_id, shown.client_addr) == ("c0", "10.0.0.0:1")
    assert (shown.language, shown.version) == ("GO", 7)
    assert world.producers.connection_list("unknown").connection_set == []


def test_everybody_is_shown_with_the_time_of_the_last_heartbeat(world):
    world.clock.advance(7)
    world.beat("g", 0)
    world.clock.advance(5)

    (shown,) = world.producers.table_info().data["g"]

    assert shown.remote_ip == "/10.0.0.0:1"
    assert shown.last_update_timestamp == world.clock.wall_ms() - 5


def test_without_open_member_there_is_no_channel(world):
    world.beat("g", 0)
    world.channels[0].close("gone")

    assert world.producers.next_channel("g") is None
    assert world.producers.next_channel("unknown") is None
