import logging

import pytest

from codec.ha.default import pack_report
from rmq.replication.tests.masters import FILE_SIZE, World, drain


def test_an_empty_slave_gets_the_last_file():
    world = World(2 * FILE_SIZE + 5)
    slave, wire = world.slave()

    slave.receive(pack_report(0))
    drain(slave, wire)

    assert wire.headers == [(2 * FILE_SIZE, 0), (2 * FILE_SIZE, 5)]


def test_an_empty_slave_of_an_empty_master_begins_at_0():
    world = World()
    slave, wire = world.slave()

    slave.receive(pack_report(0))

    assert wire.headers == [(0, 0)]


def test_a_report_may_come_in_pieces():
    world = World(1_000)
    slave, wire = world.slave()
    report = pack_report(600)

    for at in range(7):
        slave.receive(report[at : at + 1])
    assert wire.chunks == []
    slave.receive(report[7:])

    assert wire.headers == [(600, 0)]


def test_of_many_reports_the_last_counts_and_a_piece_is_kept():
    world = World(1_000)
    slave, _ = world.following(600)

    slave.receive(pack_report(700) + pack_report(800) + pack_report(900)[:3])
    slave.receive(pack_report(900)[3:])

    assert slave.acked == 900
    assert world.acks == 3


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (pack_report(1_001), "not our slave"),
        (b"\xff" * 8, "expected 0 or more"),
        (b"GET / HT", "not our slave"),
    ],
)
def test_a_first_report_that_cannot_be_drops_the_slave(said, why, caplog):
    caplog.set_level(logging.INFO)
    world = World(1_000)
    slave, wire = world.slave()

    slave.receive(said)

    assert wire.closed
    assert wire.chunks == []
    assert world.master.slaves == []
    assert [why in record.getMessage() for record in caplog.records] == [True]
