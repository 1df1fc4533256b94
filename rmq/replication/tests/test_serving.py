import logging

import pytest

from codec.ha.default import pack_report
from rmq.replication.serving import SLAVES_MAX
from rmq.replication.tests.masters import FILE_SIZE, AWire, EagerWire, World, drain


def test_nothing_is_sent_before_the_first_report():
    world = World(100)

    slave, wire = world.slave()
    world.append(10)
    world.clock.advance(6_000)

    assert wire.chunks == []
    assert not wire.closed
    assert slave.position == -1


def test_a_slave_gets_a_sign_of_life_and_then_the_log_chunk_by_chunk():
    world = World(2_500)
    slave, wire = world.slave()

    slave.receive(pack_report(300))

    assert wire.headers == [(300, 0)]
    slave.ready()
    assert wire.headers[1:] == [(300, 1_000)]
    drain(slave, wire)
    assert wire.headers[2:] == [(1_300, 1_000), (2_300, 200)]
    assert b"".join(chunk[2] for chunk in wire.chunks) == world.log.content[300:]


def test_a_connection_that_takes_chunks_at_once_gets_one_in_each_turn():
    world = World(2_500)
    wire = EagerWire()
    wire.slave = slave = world.master.accept(wire, "a")
    slave.ready()

    slave.receive(pack_report(300))

    assert wire.headers == [(300, 0)]
    world.clock.advance(0)
    assert wire.headers[1:] == [(300, 1_000), (1_300, 1_000), (2_300, 200)]
    world.append(100)
    assert len(wire.chunks) == 4
    world.clock.advance(0)
    assert wire.headers[4:] == [(2_500, 100)]


def test_a_limited_slave_that_takes_chunks_at_once_waits_for_the_next_second():
    world = World(2_500, rate_max=1_200)
    wire = EagerWire()
    wire.slave = slave = world.master.accept(wire, "a")
    slave.ready()

    slave.receive(pack_report(1))
    world.clock.advance(0)

    assert sum(len(chunk[2]) for chunk in wire.chunks) <= 1_200


def test_no_chunk_spans_two_files():
    world = World(FILE_SIZE + 500)
    slave, wire = world.slave()

    slave.receive(pack_report(FILE_SIZE - 300))
    drain(slave, wire)

    assert wire.headers[1:] == [(FILE_SIZE - 300, 300), (FILE_SIZE, 500)]


def test_a_report_may_come_before_the_connection_can_take_anything():
    world = World(1_000)
    wire = AWire()
    slave = world.master.accept(wire, "a")

    slave.receive(pack_report(600))
    assert wire.chunks == []
    slave.ready()

    assert wire.headers == [(600, 400)]


def test_what_is_appended_in_one_turn_goes_out_at_its_end_in_one_chunk():
    world = World(1_000)
    _, wire = world.following(1_000)

    world.append(100)
    world.append(100)
    assert wire.chunks == []
    world.clock.advance(0)

    assert wire.headers == [(1_000, 200)]


def test_appending_costs_no_timer_without_slaves():
    world = World()
    owed = world.clock.owed

    world.append(100)

    assert world.clock.owed == owed


def test_one_chunk_at_a_time_is_on_its_way():
    world = World(1_000)
    slave, wire = world.following(1_000)

    for _ in range(3):
        world.append(100)
        world.clock.advance(0)
    assert wire.headers == [(1_000, 100)]
    slave.ready()

    assert wire.headers[1:] == [(1_100, 200)]


def test_bytes_that_nobody_announced_go_out_by_time():
    world = World(1_000)
    _, wire = world.following(1_000)

    world.log.grow(7)
    world.clock.advance(1_000)

    assert wire.headers == [(1_000, 7)]


def test_heartbeats_come_while_nothing_else_does():
    world = World(1_000)
    slave, wire = world.following(1_000)

    for _ in range(2):
        world.clock.advance(5_000)
        slave.ready()
        slave.receive(pack_report(1_000))

    assert wire.headers == [(1_000, 0), (1_000, 0)]


def test_acknowledgements_are_counted_over_all_slaves():
    world = World(1_000)
    first, _ = world.following(100)
    second, _ = world.following(200)

    assert world.master.acked_by(1) == 200
    assert world.master.acked_by(2) == 100
    assert world.master.acked_by(3) == 0
    first.receive(pack_report(1_000))
    assert world.master.acked_by(1) == 1_000
    second.lost("closed")
    assert world.master.acked_by(2) == 0


def test_a_report_of_the_same_position_tells_nobody():
    world = World(1_000)
    slave, _ = world.following(100)

    slave.receive(pack_report(100))

    assert world.acks == 1


def test_slaves_are_shown_with_their_rate():
    world = World(4_000)
    slave, _ = world.following(3_000)
    world.clock.advance(1_000)
    slave.receive(pack_report(3_500))
    behind, _ = world.following(500)

    state, late = world.master.slaves

    assert (state.address, state.acked, state.position) == ("10.0.0.9:1", 3_500, 4_000)
    assert (state.behind, state.in_sync, state.rate) == (500, True, 12 + 12 + 1_000)
    assert (late.behind, late.in_sync) == (3_500, False)
    world.clock.advance(1_000)
    assert world.master.slaves[0].rate == 0
    assert behind.rate == 12 + 4 * 12 + 3_500


def test_a_limited_slave_gets_so_much_in_a_second():
    world = World(4_000, rate_max=1_500)
    slave, wire = world.slave()

    slave.receive(pack_report(100))
    drain(slave, wire)
    assert wire.headers == [(100, 0), (100, 1_000), (1_100, 476)]
    world.clock.advance(1_000)

    assert wire.headers[3:] == [(1_576, 1_000)]


@pytest.mark.parametrize("reported", [499, 1_001, 0])
def test_a_later_report_that_cannot_be_drops_the_slave(reported):
    world = World(1_000)
    slave, wire = world.following(500)

    slave.receive(pack_report(reported))

    assert wire.closed
    assert world.master.acked_by(1) == 0


def test_a_slave_that_is_gone_is_heard_no_more(caplog):
    caplog.set_level(logging.INFO)
    world = World(1_000)
    slave, wire = world.following(500)

    slave.drop("shutdown")
    slave.receive(pack_report(1_000))
    slave.ready()
    slave.lost("Connection was aborted")

    assert wire.closed
    assert wire.chunks == []
    assert sum("slave gone" in record.getMessage() for record in caplog.records) == 1


def test_silence_ends_a_connection_that_never_reported():
    world = World()
    _, wire = world.slave()

    world.clock.advance(20_000)
    assert not wire.closed
    world.clock.advance(1_000)

    assert wire.closed


def test_silence_ends_a_slave_and_reports_keep_it():
    world = World(1_000)
    slave, wire = world.following(1_000)

    for _ in range(10):
        world.clock.advance(5_000)
        slave.receive(pack_report(1_000))
        slave.ready()
    assert not wire.closed
    world.clock.advance(21_000)

    assert wire.closed


def test_a_slave_that_reports_but_does_not_read_is_dropped():
    world = World(4_000)
    slave, wire = world.slave()

    slave.receive(pack_report(100))
    for _ in range(5):
        assert not wire.closed
        world.clock.advance(4_500)
        slave.receive(pack_report(100))

    assert wire.headers == [(100, 0)]
    assert wire.closed


def test_what_is_deleted_is_not_sent_and_said_once(caplog):
    world = World(2 * FILE_SIZE, begin=FILE_SIZE)
    slave, wire = world.slave()

    slave.receive(pack_report(100))
    drain(slave, wire)
    for _ in range(3):
        world.clock.advance(5_000)
        slave.receive(pack_report(100))
        drain(slave, wire)

    assert set(wire.headers) == {(100, 0)}
    assert not wire.closed
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_log_that_cannot_be_read_drops_the_slave_only(caplog):
    caplog.set_level(logging.INFO)
    world = World(1_000)
    slave, wire = world.slave()
    slave.receive(pack_report(100))
    _, other = world.following(1_000)
    world.log.error = OSError("bad sector")

    slave.ready()

    assert wire.closed
    assert "bad sector" in caplog.text
    assert not other.closed


def test_too_many_connections_are_refused():
    world = World()
    slaves = [world.slave()[0] for _ in range(SLAVES_MAX)]

    assert world.master.accept(AWire(), "one more") is None
    slaves[0].lost("closed")

    assert world.master.accept(AWire(), "one more") is not None


def test_the_end_drops_all_slaves_and_owes_nothing():
    world = World(100)
    _, wire = world.following(100)

    world.master.stop()

    assert wire.closed
    assert world.clock.owed == 0


def test_a_slave_that_went_in_the_same_turn_gets_nothing():
    world = World(100)
    slave, wire = world.following(100)

    world.append(10)
    slave.lost("closed")
    world.clock.advance(0)

    assert wire.chunks == []


def test_frequent_heartbeats_need_frequent_looks_and_rates_stay_those_of_a_second():
    world = World(1_000, heartbeat_ms=100, chunk_max=900)
    slave, wire = world.following(0)

    world.clock.advance(100)
    assert wire.headers == [(1_000, 0)]
    assert slave.rate == 0
    world.clock.advance(900)

    assert slave.rate == 3 * 12 + 1_000 + 12
