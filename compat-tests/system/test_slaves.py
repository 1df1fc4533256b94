"""Slaves of a broker: what they get is its commit log, and who only seems one harms nobody."""

import hashlib
import socket
import struct
import time

import pytest

import wire

HEADER = struct.Struct(">qi")
LOG_FILE_SIZE = 1 << 20
FLUSH_SLAVE_TIMEOUT = 12


class Slave:
    """A slave's connection; ``log`` is what it has, from ``first`` on."""

    def __init__(self, port: int, end: int = 0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port + 1), 10)
        self.stream = self.socket.makefile("rb")
        self.first: int | None = None
        self.log = b""
        self.report(end)

    def report(self, end: int) -> None:
        self.socket.sendall(struct.pack(">q", end))

    def read(self) -> int:
        """Take one chunk and acknowledge it; gives its size."""
        head = self.stream.read(HEADER.size)
        if len(head) < HEADER.size:
            raise ConnectionError("the master hung up")
        position, size = HEADER.unpack(head)
        if self.first is None:
            self.first = position
        assert position == self.end, "not where the last one ended"
        assert size == 0 or position // LOG_FILE_SIZE == (position + size - 1) // LOG_FILE_SIZE
        self.log += self.stream.read(size)
        self.report(self.end)
        return size

    def close(self) -> None:
        """Hang up."""
        self.stream.close()
        self.socket.close()

    @property
    def end(self) -> int:
        return self.first + len(self.log)

    def follow(self, end: int) -> None:
        """Read up to a position."""
        while self.first is None or self.end < end:
            self.read()
        assert self.end == end


@pytest.fixture
def master(broker):
    return lambda **settings: broker(mappedFileSizeCommitLog=LOG_FILE_SIZE, **settings).start()


@pytest.fixture
def slave_of():
    """Connect slaves that end with the test: slave_of(server, end of its log)."""
    connected = []

    def connect(server, end=0):
        connected.append(Slave(server.port, end))
        return connected[-1]

    yield connect
    for one in connected:
        one.close()


def send(server, count, size=1000):
    """Send messages; gives where the log ends."""
    with server.peer() as peer:
        for number in range(count):
            keys = {"UNIQ_KEY": f"K{number:08d}"}
            fields = wire.send_fields("slaves", number % 4, keys)
            assert peer.call(wire.SEND, fields, bytes([number % 256]) * size).code == wire.SUCCESS
        return log_end(peer)


def log_end(peer):
    status = wire.json.loads(peer.call(wire.HA_STATUS).body)
    return status["masterCommitLogMaxOffset"]


def log_of(server, begin, end):
    """The bytes of the files."""
    files = sorted((server.folder / "store/commitlog").iterdir())
    log = b"".join(path.read_bytes() for path in files)
    first = int(files[0].name)
    return log[begin - first : end - first]


def test_a_slave_that_is_there_from_the_beginning_has_the_same_bytes(master, slave_of):
    server = master()
    slave = slave_of(server)

    end = send(server, 3000)
    slave.follow(end)

    assert slave.first == 0
    assert end > 3 * LOG_FILE_SIZE
    digest = hashlib.sha256(slave.log).digest()
    assert digest == hashlib.sha256(log_of(server, 0, end)).digest()


def test_an_empty_slave_begins_with_the_last_file_and_one_that_returns_where_it_was(
    master, slave_of
):
    server = master()
    end = send(server, 1500)
    late = slave_of(server)

    late.follow(end)
    assert late.first == end - end % LOG_FILE_SIZE
    late.close()
    more = send(server, 100)
    again = slave_of(server, end)
    again.follow(more)

    assert again.first == end
    assert late.log + again.log == log_of(server, late.first, more)


def test_new_messages_reach_a_slave_at_once(master, slave_of):
    server = master()
    slave = slave_of(server)
    slave.follow(send(server, 10))

    spent = []
    with server.peer() as peer:
        for number in range(50):
            fields = wire.send_fields("slaves", 0, {"UNIQ_KEY": f"L{number:08d}"})
            begin = time.monotonic()
            peer.post(wire.SEND, fields, b"x")
            while not slave.read():
                pass
            spent.append(time.monotonic() - begin)
            peer.read()

    assert sorted(spent)[25] < 0.05, spent


def test_a_sync_master_answers_when_its_slave_has_the_message(master, slave_of):
    server = master(brokerRole="SYNC_MASTER", inSyncReplicas=2, slaveTimeout=300)
    fields = wire.send_fields("slaves", 0, {"UNIQ_KEY": "K1"})
    with server.peer() as peer:
        assert peer.call(wire.SEND, fields, b"alone").code == FLUSH_SLAVE_TIMEOUT
        slave = slave_of(server)
        slave.follow(log_end(peer))

        peer.post(wire.SEND, fields, b"together")
        while not slave.read():
            pass

        assert peer.read().code == wire.SUCCESS
        peer.post(wire.SEND, {**fields, "i": "UNIQ_KEY\x01K2\x02WAIT\x01false\x02"}, b"alone again")
        assert peer.read().code == wire.SUCCESS
        peer.post(wire.SEND, fields, b"too late")
        assert peer.read().code == FLUSH_SLAVE_TIMEOUT


@pytest.mark.parametrize(
    "said",
    [
        struct.pack(">q", -1),
        struct.pack(">q", 1 << 40),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + b" " * 5,
        b"\xff" * (1 << 16),
        struct.pack(">qq", 0, 1 << 20),
    ],
    ids=["negative", "beyond the end", "of another protocol", "a flood", "not what was sent"],
)
def test_a_liar_is_dropped_with_one_line_and_slaves_go_on(master, slave_of, said):
    server = master()
    slave = slave_of(server)
    slave.follow(send(server, 10))

    with socket.create_connection(("127.0.0.1", server.port + 1), 10) as liar:
        liar.sendall(said)
        assert _is_closed(liar, 5)

    slave.follow(send(server, 10))
    assert server.log().count("slave gone") == 1
    assert "Traceback" not in server.log()


def test_the_silent_and_those_who_do_not_read_are_dropped_and_cost_no_memory(master):
    server = master(haHousekeepingInterval=1500, haSendHeartbeatInterval=200)
    send(server, 1)
    silent = [socket.create_connection(("127.0.0.1", server.port + 1), 10) for _ in range(10)]
    deaf = [socket.create_connection(("127.0.0.1", server.port + 1), 10) for _ in range(10)]
    for one in deaf:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(struct.pack(">q", 100))
    before = server.rss
    send(server, 8000, 4000)
    assert server.rss - before < 20 << 20

    end = time.monotonic() + 15
    while server.log().count("slave gone") < 20:
        for one in deaf:
            try:
                one.sendall(struct.pack(">q", 100))
            except OSError:
                continue
        assert time.monotonic() < end
        time.sleep(0.1)

    assert server.log().count("said nothing") == 10
    assert server.log().count("read nothing") == 10
    for one in silent + deaf:
        one.close()


def test_a_slave_needs_a_number_of_its_own(broker):
    refused = broker(brokerRole="SLAVE", brokerId=0).launch()

    assert refused.wait(30) == 2
    last = refused.log().splitlines()[-1]
    assert "Slave's brokerId must be > 0" in last


def _is_closed(connection, seconds):
    connection.settimeout(seconds)
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True
