"""Servers at the limits of their machine: locks, ports, signals, a full disk, many connections."""

import os
import resource
import subprocess
import time
from pathlib import Path

import pytest

import wire

MB = 1 << 20


def eventually(fact, seconds=10):
    """Wait for a fact."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def send(peer, body, topic="limits", queue_id=0):
    keys = {"KEYS": f"a-{time.monotonic_ns()} b-{time.monotonic_ns()}"}
    return peer.call(wire.SEND, wire.send_fields(topic, queue_id, keys), body)


def test_a_store_in_use_is_refused_in_one_line(broker):
    first = broker().start()
    second = broker("second", storePathRootDir=first.folder / "store").launch()

    assert second.wait(10) == 1

    last = second.log().splitlines()[-1]
    assert last.startswith("rmq: ")
    assert str(first.folder / "store/lock") in last
    assert "another broker" in last
    assert "Traceback" not in second.log()
    with first.peer() as peer:
        assert send(peer, b"unharmed").code == wire.SUCCESS


@pytest.mark.parametrize("role", ["broker", "namesrv"])
def test_a_port_that_is_taken_is_told_in_one_line(role, request):
    make = request.getfixturevalue(role)
    first = make().start()
    second = make("second", listenPort=first.port).launch()

    assert second.wait(10) == 1

    last = second.log().splitlines()[-1]
    assert last.startswith("rmq: ")
    assert str(first.port) in last
    assert "Traceback" not in second.log()


def test_after_a_port_that_was_taken_the_store_is_clean(broker):
    first = broker().start()
    taken = broker("second", listenPort=first.port).launch()
    taken.wait(10)

    assert not (taken.folder / "store/abort").exists()
    second = broker("second").start()
    assert "clean=True" in second.log()


def brokers_known(peer):
    return wire.json.loads(peer.call(wire.CLUSTER).body)["brokerAddrTable"]


def test_sigterm_unregisters_and_leaves_a_clean_store(namesrv, broker):
    names = namesrv().start()
    server = broker(namesrvAddr=f"127.0.0.1:{names.port}", brokerName="gone").start()
    with names.peer() as peer:
        eventually(lambda: "gone" in brokers_known(peer))
        with server.peer() as client:
            for number in range(100):
                send(client, b"%d" % number)
            client.post(wire.PULL, wire.pull_fields("limits", 0, 100, sysFlag=6))

            assert server.terminate() == 0

        assert "gone" not in brokers_known(peer)
    assert not (server.folder / "store/abort").exists()
    assert "Traceback" not in server.log()
    assert names.terminate() == 0

    server.start()
    assert "clean=True, records=" in server.log()
    with server.peer() as client:
        assert (
            int(client.call(wire.MAX_OFFSET, {"topic": "limits", "queueId": 0}).fields["offset"])
            == 100
        )


def test_sigterm_is_obeyed_while_clients_send(broker):
    server = broker(flushDiskType="SYNC_FLUSH").start()
    with server.peer() as client:
        send(client, b"first")
        for _ in range(200):
            client.post(wire.SEND, wire.send_fields("limits", 0, {}), bytes(1000))

        begun = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - begun < 5

        acknowledged = 1
        try:
            while True:
                acknowledged += client.read().code == wire.SUCCESS
        except ConnectionError:
            pass
    assert "Traceback" not in server.log()
    server.start()
    with server.peer() as client:
        end = client.call(wire.MAX_OFFSET, {"topic": "limits", "queueId": 0}).fields["offset"]
        assert int(end) >= acknowledged


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 48 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("flush", ["SYNC_FLUSH", "ASYNC_FLUSH"])
@pytest.mark.parametrize("left", [0, 4096, 300_000, 2 * MB])
@pytest.mark.parametrize("file_size", [1 * MB, 1024 * MB])
def test_a_full_disk_refuses_sends_and_takes_them_again_when_there_is_room(
    broker, small_disk, started, flush, left, file_size
):
    server = broker(
        storePathRootDir=small_disk,
        flushDiskType=flush,
        mappedFileSizeCommitLog=file_size,
        mappedFileSizeConsumeQueue=20 * 3000,
        maxHashSlotNum=5000,
        maxIndexNum=20_000,
        diskMaxUsedSpaceRatio=95,
        diskSpaceCleanForciblyRatio=100,
        diskSpaceWarningLevelRatio=100,
        cleanResourceInterval=500,
        flushConsumerOffsetInterval=100,
    ).start()
    bodies = []
    with server.peer() as peer:
        for number in range(20):
            bodies.append(b"%d " % number + bytes(1000))
            assert send(peer, bodies[-1]).code == wire.SUCCESS
        filler = small_disk / "filler"
        fill(filler, leave=left)

        refused = []
        for number in range(2000):
            body = b"%d " % number + bytes(20_000)
            answer = send(peer, body)
            if answer.code == wire.SUCCESS:
                bodies.append(body)
            else:
                refused.append(answer)
                if len(refused) > 20:
                    break
        assert refused, "the disk never filled"
        assert {answer.code for answer in refused} == {wire.NO_SERVICE}, refused[0]
        assert "No space left" in refused[0].remark or "disk" in refused[0].remark.lower(), refused[
            0
        ]
        check(peer, bodies)
        offset = {
            "topic": "limits",
            "queueId": 0,
            "consumerGroup": "system-test",
            "commitOffset": 7,
        }
        assert peer.call(wire.UPDATE_OFFSET, offset).code == wire.SUCCESS
        time.sleep(0.3)  # the broker tries to keep it
        answer = send(peer, b"x", topic="another-new-topic")
        assert answer.code in {wire.SUCCESS, wire.NO_SERVICE}, answer

        filler.unlink()
        eventually(lambda: send(peer, b"again").code == wire.SUCCESS, 15)
        answers = [send(peer, b"again") for _ in range(50)]
        assert {answer.code for answer in answers} == {wire.SUCCESS}
    assert server.process.poll() is None
    assert "Traceback" not in server.log(), server.log()[-3000:]
    assert server.terminate() == 0
    server.start()
    with server.peer() as peer:
        check(peer, bodies)
    assert server.terminate() == 0


def test_writes_stop_before_the_disk_is_full_and_go_on_by_themselves(broker, small_disk):
    server = broker(
        storePathRootDir=small_disk,
        mappedFileSizeCommitLog=MB,
        maxHashSlotNum=5000,
        maxIndexNum=20_000,
        cleanResourceInterval=200,
    ).start()
    with server.peer() as peer:
        assert send(peer, b"first").code == wire.SUCCESS
        filler = small_disk / "filler"
        fill(filler, leave=3 * MB)

        eventually(lambda: send(peer, b"more").code == wire.NO_SERVICE)
        answer = send(peer, b"more")
        assert "full" in answer.remark, answer
        check(peer, [b"first"])

        filler.unlink()
        eventually(lambda: send(peer, b"again").code == wire.SUCCESS)
    assert server.terminate() == 0
    assert "Traceback" not in server.log()


def test_a_disk_that_is_full_at_the_start_is_told(broker, small_disk):
    fill(small_disk / "filler", leave=0)
    server = broker(storePathRootDir=small_disk).launch()

    assert server.wait(10) == 1

    last = server.log().splitlines()[-1]
    assert last.startswith("rmq: ")
    assert "No space left" in last
    assert "Traceback" not in server.log()


def fill(path: Path, leave: int) -> None:
    """Take the room of a file system but for ``leave`` bytes."""
    told = os.statvfs(path.parent)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, told.f_bavail * told.f_bsize - leave or 1)


def check(peer, bodies):
    """All these are in queue 0, in order, from its begin."""
    found = 0
    while found < len(bodies):
        answer = peer.call(wire.PULL, wire.pull_fields("limits", 0, found))
        assert answer.code == wire.SUCCESS, (found, answer)
        for message in wire.messages(answer.body):
            if found < len(bodies):
                assert message.body == bodies[found]
            found += 1


IDLE = 9_000
IDLE_BYTES_MAX = 10 * 1024


@pytest.mark.parametrize("role", ["namesrv", "broker"])
def test_thousands_of_idle_connections_are_held_in_little_memory(role, request):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    server = request.getfixturevalue(role)().start()
    with server.peer() as healthy:
        healthy.call(wire.ROUTE, {"topic": "x"})
        before, descriptors = server.rss, server.descriptors
        peers = [wire.Peer(server.port, 20, f"127.0.0.{2 + number % 2}") for number in range(count)]
        eventually(lambda: server.descriptors >= descriptors + count)
        each = (server.rss - before) / count
        print(f"{count} idle connections, {each:.0f} bytes each")

        assert each <= IDLE_BYTES_MAX
        assert healthy.call(999_999).code == wire.UNKNOWN_CODE
        for peer in peers:
            peer.close()
        eventually(lambda: server.descriptors <= descriptors, 20)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert server.terminate() == 0
