"""A master and slaves of ours: the slaves get its log, make the same queues of it, and go on after
anybody's death.
"""

import hashlib
import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import servers
import wire

LOG_FILE_SIZE = 1 << 20
QUEUE_FILE_SIZE = 20 * 300
SYSTEM_BUSY, SLAVE_NOT_AVAILABLE, FLUSH_SLAVE_TIMEOUT = 2, 11, 12
END_TRANSACTION = 37
COMMIT = 8
FOLLOWED_MAX_S = 30
"""A slave finds its master when it registers, and tries again every 5 s."""

KNOWN_ID = re.compile(rb'"?(\d+)"?:"127.0.0.1:\d+"')
"""An entry of a broker's addresses, at the NameServer."""

SMALL = {"mappedFileSizeCommitLog": LOG_FILE_SIZE, "mappedFileSizeConsumeQueue": QUEUE_FILE_SIZE}


class Group:
    """A NameServer and the brokers of one set."""

    def __init__(self, namesrv: servers.Server, broker: Callable[..., servers.Server]) -> None:
        self.namesrv = namesrv.start()
        self._broker = broker

    def _member(self, name: str, settings: dict[str, object]) -> servers.Server:
        known = {"brokerName": "a", "namesrvAddr": f"127.0.0.1:{self.namesrv.port}", **SMALL}
        return self._broker(name, **{**known, **settings})

    def master(self, **settings: object) -> servers.Server:
        """Start it, and wait until the NameServer knows it: its slaves then find it at once."""
        server = self._member("master", {"brokerRole": "ASYNC_MASTER", **settings}).start()
        self.registered(0)
        return server

    def slave(self, number: int, **settings: object) -> servers.Server:
        """Start one."""
        role = {"brokerRole": "SLAVE", "brokerId": number}
        return self._member(f"slave-{number}", {**role, **settings}).start()

    def registered(self, *numbers: int) -> None:
        """Wait until the NameServer knows these brokerIds, and no others."""
        wanted = sorted(b"%d" % number for number in numbers)

        def known() -> bool:
            with self.namesrv.peer() as peer:  # the keys are numbers, which is no JSON
                return sorted(KNOWN_ID.findall(peer.call(wire.CLUSTER).body)) == wanted

        until(known, lambda: self.namesrv.log()[-1000:])


@pytest.fixture
def group(namesrv, broker) -> Group:
    return Group(namesrv(), broker)


def until(met: Callable[[], bool], said: Callable[[], str], max_s: float = FOLLOWED_MAX_S) -> None:
    """Wait for a condition."""
    end = time.monotonic() + max_s
    while not met():
        assert time.monotonic() < end, said()
        time.sleep(0.05)


def send(server: servers.Server, numbers: range, size: int = 1000) -> int:
    """Send messages, many under way at once; all must succeed. Gives where the log ends."""
    window = 64
    with server.peer() as peer:
        for sent, number in enumerate(numbers):
            if sent >= window:
                assert peer.read().code == wire.SUCCESS
            properties = {"UNIQ_KEY": f"K{number:08d}", "TAGS": f"T{number % 3}"}
            fields = wire.send_fields("copied", number % 4, properties)
            peer.post(wire.SEND, fields, bytes([number % 255 + 1]) * size)
        for _ in range(min(window, len(numbers))):
            assert peer.read().code == wire.SUCCESS
        return wire.json.loads(peer.call(wire.HA_STATUS).body)["masterCommitLogMaxOffset"]


def followed_by(master: servers.Server, count: int) -> None:
    """Wait until so many slaves are connected: an empty one begins with the last file of a log."""

    def followed() -> bool:
        with master.peer() as peer:
            slaves = wire.json.loads(peer.call(wire.HA_STATUS).body)["haConnectionInfo"]
        return len(slaves) == count and all(slave["transferFromWhere"] >= 0 for slave in slaves)

    until(followed, lambda: report(master))


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def log_of(server: servers.Server, begin: int = 0) -> bytes:
    """The commit log from ``begin`` on, without the zeros behind its end."""
    files = [path for path in files_of(server.folder / "store/commitlog") if path.name.isdigit()]
    data = b"".join(path.read_bytes() for path in files if int(path.name) >= begin)
    return data.rstrip(b"\0")


def first_file(server: servers.Server) -> int:
    return int(files_of(server.folder / "store/commitlog")[0].name)


def queues_of(server: servers.Server) -> dict[str, bytes]:
    """The files of all consume queues."""
    folder = server.folder / "store/consumequeue"
    return {str(path.relative_to(folder)): path.read_bytes() for path in files_of(folder)}


def same(master: servers.Server, *slaves: servers.Server) -> None:
    """Wait until the slaves have the master's log and queues."""
    wanted = hashlib.sha256(log_of(master)).digest()
    for slave in slaves:
        until(lambda: hashlib.sha256(log_of(slave)).digest() == wanted, lambda: report(slave))  # noqa: B023
        until(lambda: queues_of(slave) == queues_of(master), lambda: report(slave))  # noqa: B023


def report(server: servers.Server) -> str:
    return f"{server.folder.name} is behind:\n{server.log()[-3000:]}"


def test_two_slaves_have_the_log_and_the_queues_of_their_master(group):
    master = group.master()
    first, second = group.slave(1), group.slave(2)
    group.registered(0, 1, 2)
    followed_by(master, 2)

    end = send(master, range(5000))

    same(master, first, second)
    assert len(log_of(master)) == end > 4 * LOG_FILE_SIZE
    for server in (master, first, second):
        assert "Traceback" not in server.log()


def test_a_slave_that_was_killed_goes_on_where_it_was(group):
    master = group.master()
    slave = group.slave(1)
    followed_by(master, 1)
    send(master, range(1000))
    same(master, slave)
    sender = threading.Thread(target=send, args=(master, range(1000, 5000)))
    sender.start()

    for _ in range(3):
        time.sleep(0.2)
        slave.kill()
        slave.start()
    sender.join()

    same(master, slave)


def test_slaves_find_a_master_that_was_killed_again(group):
    master = group.master()
    slaves = group.slave(1), group.slave(2)
    followed_by(master, 2)
    send(master, range(1000))
    same(master, *slaves)

    master.kill()
    master.start()
    send(master, range(1000, 3000))

    same(master, *slaves)


def test_an_empty_slave_of_a_log_that_has_lost_its_begin_starts_with_the_last_file(group):
    master = group.master()
    send(master, range(5000))
    assert master.terminate() == 0
    for path in files_of(master.folder / "store/commitlog")[:2]:
        path.unlink()
    master.start()

    slave = group.slave(1)
    end = send(master, range(5000, 5100))

    begin = end - end % LOG_FILE_SIZE
    until(lambda: log_of(slave) == log_of(master, begin), lambda: report(slave))
    assert first_file(slave) == begin > 0
    with master.peer() as told, slave.peer() as asked:
        for queue in range(4):
            fields = {"topic": "copied", "queueId": queue}
            newest, wanted = (peer.call(wire.MAX_OFFSET, fields) for peer in (asked, told))
            assert newest.fields == wanted.fields
            oldest = int(asked.call(wire.MIN_OFFSET, fields).fields["offset"])
            assert 0 < oldest < int(newest.fields["offset"])


def test_a_slave_with_an_old_end_of_a_log_that_has_lost_its_begin_goes_on(group):
    master = group.master()
    slave = group.slave(1)
    followed_by(master, 1)
    send(master, range(3000))
    same(master, slave)
    assert slave.terminate() == 0
    send(master, range(3000, 5000))
    assert master.terminate() == 0
    files_of(master.folder / "store/commitlog")[0].unlink()
    master.start()

    slave.start()
    send(master, range(5000, 5100))

    begin = first_file(master)
    assert begin == LOG_FILE_SIZE
    until(lambda: log_of(slave, begin) == log_of(master), lambda: report(slave))


def test_a_sync_master_answers_when_a_slave_of_ours_has_the_message(group):
    master = group.master(brokerRole="SYNC_MASTER", inSyncReplicas=2, slaveTimeout=500)
    fields = wire.send_fields("copied", 0, {"UNIQ_KEY": "K1"})
    with master.peer() as peer:
        assert peer.call(wire.SEND, fields, b"alone").code == FLUSH_SLAVE_TIMEOUT
        slave = group.slave(1)
        until(lambda: log_of(slave) == log_of(master), lambda: report(slave))

        for number in range(100):
            begin = time.monotonic()
            assert peer.call(wire.SEND, fields, b"%d" % number).code == wire.SUCCESS
            assert time.monotonic() - begin < 0.5
            assert b"%d" % number in log_of(slave)[-300:]

        slave.kill()
        assert peer.call(wire.SEND, fields, b"alone again").code == FLUSH_SLAVE_TIMEOUT
        slave.start()
        until(lambda: log_of(slave) == log_of(master), lambda: report(slave))
        assert peer.call(wire.SEND, fields, b"together again").code == wire.SUCCESS


def test_a_slave_sends_producers_away(group):
    master = group.master()
    slave = group.slave(1)
    followed_by(master, 1)
    send(master, range(10))
    same(master, slave)
    before = log_of(slave)

    with slave.peer() as peer:
        sent = peer.call(wire.SEND, wire.send_fields("copied", 0, {"UNIQ_KEY": "K1"}), b"x")
        ended = peer.call(
            END_TRANSACTION,
            {
                "topic": "copied",
                "producerGroup": "g",
                "tranStateTableOffset": 0,
                "commitLogOffset": 0,
                "commitOrRollback": COMMIT,
                "fromTransactionCheck": "false",
                "msgId": "K1",
                "transactionId": "K1",
            },
        )

    assert sent.code == SYSTEM_BUSY
    assert sent.remark.startswith("[REJECTREQUEST]system busy, start flow control for a while")
    assert ended.code == SLAVE_NOT_AVAILABLE
    assert log_of(slave) == before


def begin_of(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


class Script:
    """A server started by a script, from the folder of its files."""

    def __init__(self, folder: Path, name: str, config: Path) -> None:
        self.folder = folder
        self._said = folder / f"{config.stem}.out"
        with self._said.open("wb") as said:
            command = ["sh", str(servers.ROOT / "scripts" / name), "-c", str(config)]
            self.process = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)

    def said(self) -> str:
        return self._said.read_text()


def test_the_sample_of_a_master_and_two_slaves_works_as_it_is(tmp_path):
    """But for the ports, which other servers of this machine may have, and the folder."""
    ports = {str(port): str(servers.free_port()) for port in (9876, 10911, 10921, 10931)}
    ports |= {str(port + 1): str(int(ports[str(port)]) + 1) for port in (10911, 10921, 10931)}

    def sample(path: Path) -> Path:
        text = re.sub("|".join(ports), lambda found: ports[found[0]], path.read_text())
        copy = tmp_path / path.name
        copy.write_text(text)
        return copy

    namesrv = tmp_path / "namesrv.conf"
    namesrv.write_text(f"listenPort={ports['9876']}\nkvConfigPath={tmp_path}/kv.json\n")
    names = ("broker-a", "broker-a-s1", "broker-a-s2")
    running = [Script(tmp_path, "mqnamesrv", namesrv)]
    try:
        until(lambda: "boot success" in running[0].said(), running[0].said)
        for name in names:
            config = sample(servers.ROOT / "conf/1m-2s-sync" / f"{name}.properties")
            running.append(Script(tmp_path, "mqbroker", config))
            until(lambda: "boot success" in running[-1].said(), running[-1].said)
        logs = [tmp_path / "store" / name / "commitlog" / ("0" * 20) for name in names]
        until(lambda: all("master connected" in one.said() for one in running[2:]), str)
        with wire.Peer(int(ports["10911"])) as peer:
            for number in range(100):
                fields = wire.send_fields("TBW102", 0, {"UNIQ_KEY": f"K{number}"})
                assert peer.call(wire.SEND, fields, b"x").code == wire.SUCCESS
            end = wire.json.loads(peer.call(wire.HA_STATUS).body)["masterCommitLogMaxOffset"]

        until(lambda: len({begin_of(log, end) for log in logs}) == 1, running[-1].said)
    finally:
        for one in reversed(running):
            one.process.terminate()
        codes = [one.process.wait(20) for one in running]
    assert codes == [0] * 4


class Liar:
    """What listens where a master should; each connection's first word is in ``reports``."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(20)
        self.address = "127.0.0.1:%d" % self._listening.getsockname()[1]

    def accept(self) -> tuple[socket.socket, int]:
        """The next connection, and where its slave says that its log ends."""
        connection, _ = self._listening.accept()
        connection.settimeout(10)
        return connection, struct.unpack(">q", connection.recv(8, socket.MSG_WAITALL))[0]

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def liar() -> Iterator[Liar]:
    made = Liar()
    yield made
    made.close()


def chunk(position: int, data: bytes = b"") -> bytes:
    return struct.pack(">qi", position, len(data)) + data


def is_closed(connection: socket.socket) -> bool:
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionError:
        return True
    return True


def test_a_slave_drops_masters_that_lie_and_keeps_what_it_has(broker, liar):
    master = broker("master", **SMALL).start()
    send(master, range(20))
    copied = log_of(master)
    end = len(copied)
    settings = {"brokerRole": "SLAVE", "brokerId": 1, "haMasterAddress": liar.address, **SMALL}
    slave = broker("slave", **settings).start()
    lies = {
        "the master sends from 7,": chunk(7),
        "at most": struct.pack(">qi", end, 1 << 30),
        f"the master sends from 0, our log ends at {end}": chunk(0, copied),
        "the master sends from 5211883372140375601": b"HTTP/1.1 200 OK\r\n\r\n",
        "reaches beyond a file": chunk(end, bytes(LOG_FILE_SIZE)),
    }
    for number, (cause, lie) in enumerate(lies.items()):
        connection, reported = liar.accept()
        assert reported == (0 if number == 0 else end)
        connection.sendall(lie)
        assert is_closed(connection)
        assert cause in slave.log(), slave.log()[-2000:]
        connection.close()
        if number == 0:
            connection, _ = liar.accept()
            connection.sendall(chunk(0, copied))
            until(lambda: log_of(slave) == copied, lambda: report(slave))
            connection.close()

    assert log_of(slave) == copied
    with slave.peer() as peer:
        fields = {"topic": "copied", "queueId": 1}
        assert peer.call(wire.MAX_OFFSET, fields).fields["offset"] == "5"
    assert slave.log().count("master dropped reason=") == len(lies)
    assert "Traceback" not in slave.log()


def test_a_slave_drops_a_master_that_says_nothing(broker, liar):
    slave = broker(
        "slave",
        brokerRole="SLAVE",
        brokerId=1,
        haMasterAddress=liar.address,
        haHousekeepingInterval=1000,
        haSendHeartbeatInterval=200,
    ).start()

    connection, _ = liar.accept()

    assert is_closed(connection)
    assert "it said nothing for 1000 ms" in slave.log()
    connection.close()
