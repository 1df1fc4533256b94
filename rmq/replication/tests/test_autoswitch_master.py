import logging

import pytest

from codec.disk.epoch import EpochStart
from codec.ha.autoswitch import (
    ChunkHeader,
    Greeting,
    pack_greeting,
    pack_report,
    parse_chunk_header,
    parse_epochs,
    parse_epochs_header,
)
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.net.memory_disk import MemoryDisk
from rmq.replication.autoswitch_master import AutoSwitchMaster, AutoSwitchSettings
from rmq.replication.epochs import Epochs
from rmq.replication.serving import SLAVES_MAX, HaSettings
from rmq.replication.sync_state import SyncState

FILE_SIZE = 4_096


class ALog:
    """Bytes of which each differs from its neighbours, in files of 4096, and who may read them."""

    log_file_size = FILE_SIZE

    def __init__(self, size, begin=0):
        self.min_position = begin
        self.written_position = size
        self.confirmed_position = 0
        self.limits = []
        self.fails = False

    def log_bytes(self, position, size_max):
        end = position - position % FILE_SIZE + FILE_SIZE
        end = min(end, position + max(size_max, 0), self.written_position)
        return bytes(n * 7 % 251 for n in range(position, end))

    def limit_dispatch(self, position):
        self.limits.append(position)

    def dispatch(self):
        if self.fails:
            raise StoreError("no room")
        return 0


class AWire:
    """Takes all, and says that it is sent when told to."""

    def __init__(self):
        self.sent = b""
        self.closed = False

    def send(self, data):
        self.sent += data

    def close(self):
        self.closed = True

    def epochs(self):
        header = parse_epochs_header(self.sent[:20])
        epochs = parse_epochs(self.sent[20 : 20 + header.size])
        self.sent = self.sent[20 + header.size :]
        return header.end, epochs

    def chunks(self):
        headers = []
        while self.sent:
            header = parse_chunk_header(self.sent[:36])
            headers.append(header)
            self.sent = self.sent[36 + header.size :]
        return headers


class World:
    def __init__(self, size=100, begin=0, epochs=((1, 0),), came_back_at=None, **settings):
        self.clock = ManualClock()
        self.log = ALog(size, begin)
        self.epochs = Epochs(MemoryDisk(self.clock), "/epochs")
        for epoch in epochs:
            self.epochs.append(*epoch)
        self.state = SyncState(1, 15_000)
        values = {"ha": HaSettings(chunk_max=1_000), "all_ack": True} | settings
        self.master = AutoSwitchMaster(
            self.log, self.epochs, self.state, self.clock, AutoSwitchSettings(**values)
        )
        self.proposals = []
        self.master.on_proposal(self.proposals.append)
        self.master.told(frozenset({1}), 1)
        self.master.lead(0, came_back_at)

    def slave(self):
        wire = AWire()
        slave = self.master.accept(wire, "10.0.0.9:1")
        slave.ready()
        return slave, wire

    def greeted(self, broker_id=2, **flags):
        slave, wire = self.slave()
        slave.receive(greeting(broker_id, **flags))
        return slave, wire

    def following(self, position, broker_id=2, **flags):
        slave, wire = self.greeted(broker_id, **flags)
        wire.epochs()
        slave.receive(pack_report(position))
        return slave, wire


def greeting(broker_id=2, from_last_file=False, is_learner=False):
    return pack_greeting(Greeting(from_last_file, is_learner, broker_id))


def drained(slave, wire):
    headers = wire.chunks()
    while True:
        slave.ready()
        more = wire.chunks()
        if not more:
            return headers
        headers += more


def starts(*pairs):
    return [EpochStart(*pair) for pair in pairs]


def test_a_greeting_is_answered_with_all_epochs():
    world = World(epochs=((1, 0), (3, 50)))
    slave, wire = world.slave()

    data = greeting()
    for at in range(len(data)):
        slave.receive(data[at : at + 1])

    assert wire.epochs() == (100, starts((1, 0), (3, 50)))
    assert wire.sent == b""
    assert slave.broker_id == 2


def test_nothing_else_is_sent_before_the_first_report():
    world = World()
    slave, wire = world.greeted()
    wire.epochs()

    slave.ready()
    world.clock.advance(6_000)

    assert wire.sent == b""
    assert not slave.has_reported


def test_chunks_are_of_one_file_and_one_epoch():
    world = World(4_500, epochs=((1, 0), (2, 1_300), (3, 4_300)))

    slave, wire = world.following(200)

    assert [header[:4] for header in drained(slave, wire)] == [
        (1_000, 200, 1, 0),
        (100, 1_200, 1, 0),
        (1_000, 1_300, 2, 1_300),
        (1_000, 2_300, 2, 1_300),
        (796, 3_300, 2, 1_300),
        (204, 4_096, 2, 1_300),
        (200, 4_300, 3, 4_300),
    ]


def test_a_chunk_says_how_much_is_confirmed():
    world = World(500)

    slave, wire = world.following(200)

    assert drained(slave, wire) == [ChunkHeader(300, 200, 1, 0, 500)]


def test_an_empty_slave_gets_all_or_the_last_file():
    world = World(3 * FILE_SIZE + 5, begin=FILE_SIZE)

    first, _ = world.following(0, 2)
    last, _ = world.following(0, 3, from_last_file=True)

    assert first.position == FILE_SIZE
    assert last.position == 3 * FILE_SIZE


def test_who_asks_for_what_is_older_than_all_epochs_gets_heartbeats(caplog):
    world = World(500, epochs=((4, 300),))

    slave, wire = world.following(200)

    assert "older than all epochs" in caplog.text
    assert drained(slave, wire) == []
    world.clock.advance(5_000)
    assert wire.chunks()[0] == (0, 200, 4, 300, 500)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\0\0\3" + bytes(12), "state"),
        (b"GET / HTTP/1.1\r\n", "state"),
        (pack_report(5), "before it has greeted"),
        (greeting(1), "which we are"),
        (greeting(2) + greeting(3), "greets again"),
        (greeting(2) + pack_report(0) + greeting(2), "greets again"),
        (greeting(2) + pack_report(101), "not our slave"),
        (greeting(2) + pack_report(50) + pack_report(49), "expected 50"),
        (greeting(2) + pack_report(50) + pack_report(51), "expected 50 to 50"),
        (greeting(2) + bytes.fromhex("00000002 ffffffffffffffff"), "position"),
        (b"\0\0\0\1\0\2" + bytes(10), "greeting"),
    ],
)
def test_who_lies_is_dropped_and_never_acknowledges_more(data, reason, caplog):
    world = World(100)
    slave, wire = world.slave()

    with caplog.at_level(logging.INFO):
        slave.receive(data)

    assert wire.closed
    assert reason in caplog.text
    assert world.master.slaves == []
    assert world.master.acked_by(1) == 0
    slave.receive(pack_report(100))
    assert world.master.acked_by(1) == 0


def test_a_greeting_said_again_while_waiting_is_overlooked():
    world = World()
    slave, wire = world.slave()

    slave.receive(greeting() + greeting())
    wire.epochs()

    assert wire.sent == b""
    assert not wire.closed


def test_of_two_connections_of_a_broker_the_newer_counts():
    world = World(100)
    world.following(100)
    world.master.told(frozenset({1, 2}), 2)
    older = world.master._by_id[2]

    slave, wire = world.following(80)

    assert older.is_gone
    assert not wire.closed
    assert len(world.master.slaves) == 1
    assert world.master.confirm_position == 100
    world.log.written_position = 120
    world.clock.advance(0)
    assert world.master.confirm_position == 100
    drained(slave, wire)
    slave.receive(pack_report(120))
    assert world.master.confirm_position == 120


def test_there_are_at_most_so_many_slaves():
    world = World()
    for _ in range(SLAVES_MAX):
        world.slave()

    assert world.master.accept(AWire(), "10.0.0.8:2") is None


def test_who_is_behind_joins_when_it_has_nearly_all():
    world = World(2_000)
    slave, wire = world.following(0)
    assert world.proposals == []

    drained(slave, wire)
    world.clock.advance(400)
    world.log.written_position = 2_100
    slave.receive(pack_report(2_000))

    assert world.proposals == []
    assert world.master.confirm_position == 2_100  # and no more, until it has that
    world.log.written_position = 2_200
    drained(slave, wire)
    assert world.master.confirm_position == 2_100
    slave.receive(pack_report(2_100))
    assert world.proposals == [{1, 2}]
    assert world.log.limits[-1] == 2_100


def test_who_joins_and_hangs_holds_others_up_for_a_moment_only():
    world = World(2_000)
    slave, wire = world.following(0)
    drained(slave, wire)
    world.log.written_position = 2_100
    slave.receive(pack_report(2_000))
    world.log.written_position = 2_200

    world.clock.advance(1_000)
    assert world.master.confirm_position == 2_100
    world.clock.advance(1_000)

    assert world.master.confirm_position == 2_200
    assert world.log.limits[-1] is None


def test_who_took_long_is_no_candidate_yet():
    world = World(2_000)
    slave, wire = world.following(0)
    drained(slave, wire)
    world.clock.advance(501)
    world.log.written_position = 2_100

    slave.receive(pack_report(2_000))

    assert world.master.confirm_position == 2_100
    assert world.log.limits[-1] is None


def test_who_has_nothing_of_this_reign_is_no_candidate():
    world = World(100, epochs=((1, 0), (2, 60)))
    world.log.written_position = 60  # all that there was at its first report

    world.following(50)

    assert world.proposals == []


def test_a_disk_without_room_does_not_stop_acknowledgements(caplog):
    world = World(100)
    slave, wire = world.following(100)
    world.master.told(frozenset({1, 2}), 2)
    world.log.written_position = 150
    drained(slave, wire)
    world.log.fails = True

    slave.receive(pack_report(150))

    assert world.master.confirm_position == 150
    assert "not dispatched" in caplog.text


def test_epochs_of_deleted_files_are_forgotten():
    world = World(3 * FILE_SIZE, epochs=((1, 0), (2, 100), (3, 5_000)))

    world.log.min_position = FILE_SIZE
    world.clock.advance(5_000)

    assert world.epochs.entries == starts((2, 100), (3, 5_000))
    assert world.log.confirmed_position == 3 * FILE_SIZE


def test_first_a_slave_is_told_where_the_log_ended_when_the_master_came_back():
    world = World(100, came_back_at=100)
    world.log.written_position = 180

    slave, wire = world.greeted()
    assert wire.epochs() == (100, starts((1, 0)))
    slave.receive(pack_report(100))
    slave.drop("for a test")
    _, wire = world.greeted()

    assert wire.epochs() == (180, starts((1, 0)))


def test_who_does_not_lead_takes_no_slaves_and_proposes_nothing():
    world = World(100)
    world.following(100)
    world.proposals.clear()

    world.master.stop()
    world.master.settle()
    world.clock.advance(20_000)

    assert world.master.accept(AWire(), "10.0.0.8:2") is None
    assert world.proposals == []
    assert world.log.limits[-1] == world.log.confirmed_position == 100
    assert world.clock.owed == 0
