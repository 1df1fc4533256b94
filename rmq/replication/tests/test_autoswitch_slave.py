import pytest

from codec.disk.epoch import EpochStart
from codec.ha.autoswitch import (
    ChunkHeader,
    Greeting,
    pack_chunk_header,
    pack_epochs,
    pack_greeting,
    pack_report,
)
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.net.memory_disk import MemoryDisk
from rmq.replication.autoswitch_slave import AutoSwitchSlave
from rmq.replication.epochs import Epochs
from rmq.replication.following import CHUNK_SIZE_MAX
from rmq.replication.serving import HaSettings

FILE_SIZE = 4_096
GREETING = Greeting(True, False, 2)


class ALog:
    log_file_size = FILE_SIZE

    def __init__(self, size, begin=0):
        self.begin = begin
        self.content = bytes(size)
        self.torn = 0
        self.confirmed_position = 0
        self.limits = []
        self.fails = None

    @property
    def written_position(self):
        return self.begin + len(self.content)

    def append_raw(self, position, data):
        if self.fails == "append":
            raise StoreError("no room")
        if not self.content:
            self.begin = position
        assert position == self.written_position
        self.content += data

    def drop_torn_tail(self):
        if self.fails == "tail":
            raise StoreError("disk gone")
        self.content = self.content[: len(self.content) - self.torn]
        return self.written_position

    def truncate(self, position):
        self.content = self.content[: position - self.begin]

    def limit_dispatch(self, position):
        self.limits.append(position)

    def dispatch(self):
        if self.fails == "dispatch":
            raise StoreError("no room for queues")
        return 0


class AWire:
    def __init__(self):
        self.sent = b""
        self.closed = False

    def send(self, data):
        self.sent += data

    def close(self):
        self.closed = True

    def said(self):
        sent, self.sent = self.sent, b""
        return sent


class World:
    def __init__(self, size=0, begin=0, epochs=(), torn=0):
        self.clock = ManualClock()
        self.log = ALog(size, begin)
        self.log.torn = torn
        self.epochs = Epochs(MemoryDisk(self.clock), "/epochs")
        for epoch in epochs:
            self.epochs.append(*epoch)
        self.slave = AutoSwitchSlave(
            self.log, self.epochs, self.clock, HaSettings(), lambda: GREETING
        )
        self.wire = AWire()

    def connect(self):
        self.wire = AWire()
        self.slave.connected(self.wire)

    def follow(self, *epochs, end):
        self.connect()
        assert self.wire.said() == pack_greeting(GREETING)
        self.slave.receive(pack_epochs(starts(*epochs), end))


def following(size=0, epochs=(), **more):
    """A slave of whose log all is the master's, too."""
    world = World(size, epochs=epochs, **more)
    world.follow(*(epochs or ((1, 0),)), end=size)
    assert world.wire.said() == pack_report(size)
    return world


def chunk(position, size, epoch=1, start=0, confirmed=0):
    return pack_chunk_header(ChunkHeader(size, position, epoch, start, confirmed)) + b"x" * size


def starts(*pairs):
    return [EpochStart(*pair) for pair in pairs]


def test_a_new_slave_greets_and_reports_at_once():
    world = World()

    world.follow((1, 0), end=900)

    assert world.wire.said() == pack_report(0)
    assert world.epochs.entries == []


def test_what_comes_is_appended_saved_and_reported_however_it_is_cut():
    world = following()
    data = chunk(0, 100) + chunk(100, 50, 2, 100) + chunk(150, 0, 2, 100)

    for at in range(len(data)):
        world.slave.receive(data[at : at + 1])

    assert world.log.content == b"x" * 150
    assert world.epochs.entries == starts((1, 0), (2, 100))
    assert world.wire.said() == pack_report(100) + pack_report(150)


def test_javas_chunk_at_an_epochs_end_carries_the_next_one():
    world = following(100, ((1, 0),))

    world.slave.receive(chunk(100, 60, 2, 160) + chunk(160, 10, 2, 160))

    assert world.epochs.entries == starts((1, 0), (2, 160))
    assert world.log.written_position == 170


def test_what_is_confirmed_may_be_read_as_far_as_it_is_there():
    world = following()

    world.slave.receive(chunk(0, 100, confirmed=60))
    world.slave.receive(chunk(100, 100, confirmed=500))
    world.slave.receive(chunk(200, 0, confirmed=-1))

    assert world.log.limits == [60, 200]
    assert world.log.confirmed_position == 200


def test_a_log_is_cut_to_the_common_point_and_the_masters_epochs_are_ours():
    world = World(300, epochs=((1, 0), (2, 200)))

    world.follow((1, 0), (3, 150), end=500)

    assert world.log.written_position == 150
    assert world.epochs.entries == starts((1, 0), (3, 150))
    assert world.wire.said() == pack_report(150)
    world.slave.receive(chunk(150, 20, 3, 150))
    assert world.epochs.entries == starts((1, 0), (3, 150))


def test_what_nobody_confirmed_and_nobody_else_has_is_cut_off():
    world = World(300, epochs=((1, 0),))

    world.follow((2, 0), end=500)

    assert world.wire.said() == pack_report(0)
    assert world.log.written_position == 0
    world.slave.receive(chunk(0, 20, 2, 0))
    assert world.epochs.entries == starts((2, 0))


def test_epochs_that_wrote_nothing_are_noted_with_the_next_one():
    world = World(100, epochs=((1, 0),))
    world.follow((1, 0), (2, 200), (4, 200), end=300)

    world.slave.receive(chunk(100, 100) + chunk(200, 50, 4, 200))

    assert world.epochs.entries == starts((1, 0), (2, 200), (4, 200))


def test_a_torn_record_and_its_epoch_go_before_greeting():
    world = World(300, epochs=((1, 0), (2, 290)), torn=20)

    world.follow((1, 0), (2, 290), end=500)

    assert world.wire.said() == pack_report(280)
    assert world.epochs.entries == starts((1, 0))


def test_an_empty_log_takes_the_masters_epochs_with_the_first_chunk():
    world = World(0, epochs=((1, 0),))

    world.follow((2, 0), end=100)

    assert world.wire.said() == pack_report(0)
    assert world.epochs.entries == starts((1, 0))
    world.slave.receive(chunk(0, 0, 2))
    assert world.epochs.entries == starts((2, 0))


def test_a_log_from_before_there_were_epochs_is_taken_as_it_is():
    world = World(300)

    world.follow((1, 200), end=500)
    world.slave.receive(chunk(300, 10, 1, 200))

    assert world.log.written_position == 310
    assert world.epochs.entries == starts((1, 200))


def test_a_new_slave_may_begin_in_a_later_file():
    world = World()
    world.follow((1, 0), (3, 1_000), (4, 5_000), end=9_000)

    world.slave.receive(chunk(FILE_SIZE, 100, 3, 1_000))

    assert world.log.written_position == FILE_SIZE + 100
    assert world.epochs.entries == starts((1, 0), (3, 1_000))


def test_the_heartbeats_of_a_master_without_a_log_are_taken():
    world = following()

    world.slave.receive(chunk(-1, 0, confirmed=-1))

    assert not world.wire.closed
    assert world.epochs.entries == []
    assert world.log.limits == []


def test_a_heartbeat_of_an_epoch_that_begins_beyond_is_not_noted():
    world = following(100)

    world.slave.receive(chunk(100, 0, 4, 300))

    assert not world.wire.closed
    assert world.epochs.entries == starts((1, 0))


def test_without_news_it_reports_by_time():
    world = following(50, ((1, 0),))

    world.clock.advance(4_000)
    assert world.wire.said() == b""
    world.clock.advance(1_000)

    assert world.wire.said() == pack_report(50)


def test_before_the_master_has_answered_it_reports_nothing():
    world = World(50)
    world.connect()
    world.wire.said()

    world.clock.advance(10_000)

    assert world.wire.said() == b""
    world.clock.advance(11_000)
    assert world.wire.closed


def test_a_master_that_is_silent_is_dropped():
    world = following()

    world.clock.advance(21_000)

    assert world.wire.closed


ANSWER = pack_epochs(starts((1, 0)), 100)
SHARED = ((1, 0), (3, 50))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        chunk(100, 0, 3, 50),  # it has not answered yet
        pack_epochs(starts((7, 0)), 100),  # nothing in common
        bytes.fromhex("00000001 7fffffff 0000000000000000 00000001"),
        bytes.fromhex("00000001 0000000c 0000000000000000 00000001 00000001 ffffffffffffffff"),
    ],
)
def test_a_master_that_answers_wrongly_is_dropped_and_nothing_changed(data, caplog):
    world = World(100, epochs=SHARED)
    world.log.confirmed_position = 1
    world.connect()

    world.slave.receive(data)

    assert world.wire.closed
    assert "master dropped" in caplog.text
    assert world.log.written_position == 100
    assert world.epochs.entries == starts(*SHARED)
    world.slave.receive(ANSWER)
    assert world.log.written_position == 100


@pytest.mark.parametrize(
    "data",
    [
        ANSWER,
        chunk(99, 10, 3, 50),
        chunk(101, 0, 3, 50),
        chunk(-1, 0, 3, 50),
        chunk(100, 10, 2, 20),  # an epoch that is over
        chunk(100, 10, 3, 40),  # ours began elsewhere
        chunk(100, 10, 4, 90),  # it would be in our log
        chunk(100, 10, 4, 50),
        chunk(100, 10, 4, 111),  # it begins later
        pack_chunk_header(ChunkHeader(CHUNK_SIZE_MAX + 1, 100, 3, 50, 0)),
        pack_chunk_header(ChunkHeader(FILE_SIZE - 99, 100, 3, 50, 0)),
        pack_chunk_header(ChunkHeader(5, 100, 3, 50, 0))[:-8] + b"\xff" * 8 + b"12345" + b"\0" * 36,
        b"\0\0\0\4" + bytes(40),
    ],
)
def test_a_master_that_lies_is_dropped_and_nothing_appended(data, caplog):
    world = following(100, SHARED)

    world.slave.receive(data)

    assert world.wire.closed
    assert "master dropped" in caplog.text
    assert world.log.written_position in (100, 105)
    assert world.epochs.entries == starts(*SHARED)


def test_chunks_of_an_empty_log_begin_a_file():
    world = following()

    world.slave.receive(chunk(100, 10))

    assert world.wire.closed


@pytest.mark.parametrize("call", ["append", "dispatch"])
def test_a_disk_that_fails_ends_the_connection(call, caplog):
    world = following()
    world.log.fails = call

    world.slave.receive(chunk(0, 10, confirmed=10))

    assert world.wire.closed
    assert "no room" in caplog.text


def test_a_disk_that_fails_before_greeting_ends_the_connection():
    world = World(10)
    world.log.fails = "tail"

    world.connect()

    assert world.wire.closed
    assert world.wire.sent == b""


def test_what_comes_after_the_connection_was_lost_is_not_taken():
    world = World()
    world.connect()
    world.wire.send = lambda _data: world.slave.lost("the socket broke while we wrote")

    world.slave.receive(pack_epochs(starts((1, 0)), 100) + chunk(0, 10))

    assert world.log.written_position == 0
