import pytest

from codec.ha.default import pack_chunk_header
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.replication.following import CHUNK_SIZE_MAX
from rmq.replication.serving import HaSettings
from rmq.replication.slave import ClassicSlave
from rmq.replication.tests.slaves import FILE_SIZE, ALog, AWire, World


def test_a_chunk_is_appended_reported_and_dispatched_in_this_order():
    world = World(300)

    world.chunk(300, b"abc")

    assert world.log.appended == [(300, b"abc")]
    assert world.wire.reports == [300, 303]
    assert world.log.said == ["reported", "dispatched"]
    assert world.grown == 1


def test_an_empty_log_begins_where_a_file_does():
    world = World()

    world.chunk(2 * FILE_SIZE, b"")
    world.chunk(2 * FILE_SIZE, b"abc")

    assert world.log.appended == [(2 * FILE_SIZE, b"abc")]
    assert world.wire.reports == [0, 2 * FILE_SIZE + 3]


def test_a_file_is_filled_to_its_end():
    world = World(FILE_SIZE - 3)

    world.chunk(FILE_SIZE - 3, b"abc")
    world.chunk(FILE_SIZE, b"d")

    assert world.wire.reports == [FILE_SIZE - 3, FILE_SIZE, FILE_SIZE + 1]


@pytest.mark.parametrize(
    ("end", "said", "cause"),
    [
        (300, pack_chunk_header(299, 1) + b"x", "sends from 299, our log ends at 300"),
        (300, pack_chunk_header(301, 0), "sends from 301, our log ends at 300"),
        (0, pack_chunk_header(7, 0), "our log is empty, and files of 4096 bytes"),
        (300, pack_chunk_header(300, CHUNK_SIZE_MAX + 1), f"a chunk of {CHUNK_SIZE_MAX + 1} bytes"),
        (300, pack_chunk_header(300, FILE_SIZE - 299), "reaches beyond a file of 4096"),
        (300, b"HTTP/1.1 400 Bad Request\r\n\r\n", "our log ends at 300"),
        (300, b"\xff" * 12, "expected nothing negative"),
    ],
)
def test_a_master_that_lies_is_dropped_with_the_cause(end, said, cause, caplog):
    world = World(end)

    world.slave.receive(said)
    world.slave.receive(said)

    assert world.wire.closed
    assert world.log.appended == []
    assert world.wire.reports == [end]
    assert caplog.text.count("master dropped reason=") == 1
    assert cause in caplog.text


def test_what_came_before_a_lie_stays_and_is_dispatched():
    world = World(300)

    world.slave.receive(pack_chunk_header(300, 1) + b"a" + pack_chunk_header(300, 1) + b"b")

    assert world.wire.closed
    assert world.log.appended == [(300, b"a")]
    assert world.log.said == ["dispatched"]


def test_a_store_that_cannot_append_drops_the_master(caplog):
    world = World(300)
    world.log.append_error = StoreError("no room")

    world.chunk(300, b"abc")

    assert world.wire.closed
    assert world.wire.reports == [300]
    assert "master dropped reason=no room" in caplog.text


def test_a_store_that_cannot_dispatch_drops_the_master(caplog):
    world = World(300)
    world.log.dispatch_error = StoreError("no record")

    world.chunk(300, b"abc")

    assert world.wire.closed
    assert "master dropped reason=no record" in caplog.text


def test_half_a_chunk_is_forgotten_with_its_connection():
    world = World(300)
    world.slave.receive(pack_chunk_header(300, 10) + b"half")

    world.slave.lost("reset")
    world.slave.receive(b"of the old connection")
    world.wire = AWire(world.log)
    world.slave.connected(world.wire)
    world.chunk(300, b"abc")

    assert world.log.appended == [(300, b"abc")]
    assert world.wire.reports == [300, 303]


def test_a_slave_that_gets_nothing_says_every_5_s_where_it_is():
    world = World(300)

    world.clock.advance(4_999)
    assert world.wire.reports == [300]
    world.clock.advance(10_001)

    assert world.wire.reports == [300] * 4


def test_a_silent_master_is_dropped(caplog):
    world = World(300)

    world.clock.advance(15_000)
    world.chunk(300, b"")
    world.clock.advance(20_000)
    assert not world.wire.closed
    world.clock.advance(1_000)

    assert world.wire.closed
    assert "it said nothing for 20000 ms" in caplog.text


def test_a_slave_that_is_apart_says_nothing():
    world = World(300)

    world.slave.lost("reset")
    world.clock.advance(60_000)

    assert world.wire.reports == [300]
    assert not world.wire.closed


def test_operators_see_when_the_master_was_heard_and_how_fast_it_sends():
    world = World(300)
    begin_ms = world.clock.wall_ms()
    world.clock.advance(500)
    world.chunk(300, bytes(988))
    world.clock.advance(600)

    state = world.slave.state("m:1")

    assert (state.address, state.rate) == ("m:1", 1000)
    assert (state.heard_ms, state.said_ms) == (begin_ms + 500, begin_ms + 500)
    world.slave.lost("reset")
    assert world.slave.state("m:1").rate == 0


def test_a_master_that_was_never_there_was_never_heard():
    clock = ManualClock()

    state = ClassicSlave(ALog(), clock, HaSettings()).state(None)

    assert (state.address, state.heard_ms, state.said_ms) == (None, 0, 0)


def test_who_is_apart_can_neither_speak_nor_drop_anybody(caplog):
    world = World(300)
    world.slave.lost("reset")

    world.slave.report()
    world.slave.drop("a reason")

    assert world.wire.reports == [300]
    assert not world.wire.closed
    assert caplog.text == ""
