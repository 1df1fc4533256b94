"""Brokers killed with SIGKILL at random instants lose nothing that they acknowledged.

``RMQ_KILLS`` (default 32) says how often in all, ``RMQ_SEED`` repeats the instants.
"""

import os
import random
import threading
import time
from collections import defaultdict

import pytest

import wire

KILLS = int(os.environ.get("RMQ_KILLS", "32"))
SEED = int(os.environ.get("RMQ_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
QUEUES = 4
WINDOW = 32
BATCH = 10
LOAD_MAX_S = 1.0
BOOT_S = 0.5
BODY_MAX = 3000
SAMPLE = 40

SMALL = {
    "mappedFileSizeCommitLog": 1 << 20,
    "mappedFileSizeConsumeQueue": 20 * 300,
    "maxHashSlotNum": 500,
    "maxIndexNum": 2000,
}
FILES = {"small files": SMALL, "usual files": {}}


def content(producer: str, number: int) -> bytes:
    """The one body that this message may have."""
    chance = random.Random(f"{producer} {number}")
    return f"{producer} {number} ".encode() + chance.randbytes(chance.randrange(BODY_MAX))


def unique_key(producer: str, number: int) -> str:
    """The key by which the index knows the message."""
    return f"{producer}-{number:08d}".upper()


def named(producer: str, number: int) -> dict[str, str]:
    """The properties of the message."""
    return {"UNIQ_KEY": unique_key(producer, number), "WAIT": "true"}


class Client(threading.Thread):
    """Works as soon as a broker listens, until the connection breaks."""

    def __init__(self, port: int, name: str, deadline: float) -> None:
        super().__init__(name=name)
        self.port, self.deadline = port, deadline
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while time.monotonic() < self.deadline:
                try:
                    with wire.Peer(self.port, timeout_s=20) as peer:
                        self.work(peer)
                except ConnectionRefusedError:
                    time.sleep(0.01)
                except ConnectionError:
                    return
        except BaseException as error:
            self.error = error

    def work(self, peer: wire.Peer) -> None:
        raise NotImplementedError


class Producer(Client):
    """Sends numbered messages to its own topic until the connection breaks.

    Message n goes to queue n % 4, a batch to the queue of its first. ``acknowledged`` has the
    numbers that the broker answered with success.
    """

    def __init__(self, port: int, name: str, first: int, deadline: float) -> None:
        super().__init__(port, name, deadline)
        self.next = first
        self.acknowledged: set[int] = set()

    def send(self, peer: wire.Peer) -> int:
        number, self.next = self.next, self.next + 1
        fields = wire.send_fields(self.name, number % QUEUES, named(self.name, number))
        peer.post(wire.SEND, fields, content(self.name, number))
        return number

    def answered(self, answer: wire.Answer, *numbers: int) -> None:
        assert answer.code == wire.SUCCESS, (answer.code, answer.remark)
        self.acknowledged.update(numbers)


class Single(Producer):
    """One message at a time; what was not acknowledged is sent again."""

    def work(self, peer: wire.Peer) -> None:
        while True:
            number = self.next
            try:
                self.send(peer)
                self.answered(peer.read(), number)
            except ConnectionError:
                self.next = number
                raise


class Pipelined(Producer):
    """Many messages under way at once."""

    def work(self, peer: wire.Peer) -> None:
        numbers: dict[int, int] = {}
        opaque = 0
        while True:
            while len(numbers) < WINDOW:
                opaque += 1
                numbers[opaque] = self.next
                self.send(peer)
            answer = peer.read()
            self.answered(answer, numbers.pop(answer.opaque))


class Batches(Producer):
    """Whole batches."""

    def work(self, peer: wire.Peer) -> None:
        while True:
            numbers = range(self.next, self.next + BATCH)
            self.next += BATCH
            body = wire.batch_body([(content(self.name, n), named(self.name, n)) for n in numbers])
            fields = wire.send_fields(self.name, numbers[0] % QUEUES, {}, batch=True)
            self.answered(peer.call(wire.SEND_BATCH, fields, body), *numbers)


class Consumer(Client):
    """Reads the topic of its name and commits each offset that it reached."""

    def work(self, peer: wire.Peer) -> None:
        while True:
            for queue_id in range(QUEUES):
                queue = {"topic": self.name, "queueId": queue_id}
                answer = peer.call(wire.PULL, wire.pull_fields(self.name, queue_id, 0, 1))
                if answer.code == wire.SUCCESS:
                    answer = peer.call(wire.MAX_OFFSET, queue)
                    reached = {
                        "commitOffset": answer.fields["offset"],
                        "consumerGroup": "system-test",
                    }
                    assert peer.call(wire.UPDATE_OFFSET, queue | reached).code == wire.SUCCESS


KINDS = {"single": Single, "pipelined": Pipelined, "batches": Batches, "pipelined-too": Pipelined}


def read_queue(peer: wire.Peer, topic: str, queue_id: int) -> list[wire.Message]:
    """The whole queue, which must be dense."""
    found: list[wire.Message] = []
    while True:
        answer = peer.call(wire.PULL, wire.pull_fields(topic, queue_id, len(found), 2000))
        assert answer.code in {wire.SUCCESS, wire.NOT_FOUND}, (answer, topic, queue_id, len(found))
        if answer.code == wire.NOT_FOUND:
            assert int(answer.fields["maxOffset"]) == len(found)
            assert int(answer.fields["minOffset"]) == 0
            return found
        for message in wire.messages(answer.body):
            assert (message.queue_id, message.queue_offset) == (queue_id, len(found))
            assert message.topic == topic
            found.append(message)
        assert int(answer.fields["nextBeginOffset"]) == len(found)


def check_topic(peer: wire.Peer, name: str, acknowledged: set[int]) -> dict[int, wire.Message]:
    """Hold what the broker has of a producer against what it acknowledged."""
    seen: dict[int, wire.Message] = {}
    for queue_id in range(QUEUES):
        last, last_position = -1, -1
        for message in read_queue(peer, name, queue_id):
            number = int(message.body.split(b" ", 2)[1])
            assert message.body == content(name, number)
            assert message.properties["UNIQ_KEY"] == unique_key(name, number)
            assert number >= last, f"{name}: {number} after {last}"
            assert number > last or name == "single", f"{name}: {number} twice"
            assert message.position > last_position
            last, last_position = number, message.position
            seen[number] = message
    missing = acknowledged - seen.keys()
    assert not missing, f"{name}: acknowledged and lost: {sorted(missing)[:10]}"
    return seen


def check_keys(peer: wire.Peer, name: str, sample: list[int]) -> None:
    """Each message of the sample is found by its unique key."""
    for number in sample:
        fields = {
            "topic": name,
            "key": unique_key(name, number),
            "maxNum": 32,
            "beginTimestamp": 0,
            "endTimestamp": (1 << 63) - 1,
            "_UNIQUE_KEY_QUERY": "true",
        }
        answer = peer.call(wire.QUERY, fields)
        assert answer.code == wire.SUCCESS, (name, number, answer.code, answer.remark)
        assert content(name, number) in {one.body for one in wire.messages(answer.body)}


def check_offsets(peer: wire.Peer) -> int:
    """No group is beyond the end of its queue; gives how many offsets there are."""
    known = 0
    for name in KINDS:
        for queue_id in range(QUEUES):
            queue = {"topic": name, "queueId": queue_id}
            asked = peer.call(wire.QUERY_OFFSET, queue | {"consumerGroup": "system-test"})
            if asked.code == wire.SUCCESS:
                end = int(peer.call(wire.MAX_OFFSET, queue).fields["offset"])
                assert int(asked.fields["offset"]) <= end
                known += 1
    return known


@pytest.mark.max_s(300)
@pytest.mark.parametrize("files", FILES)
@pytest.mark.parametrize("flush", ["SYNC_FLUSH", "ASYNC_FLUSH"])
def test_killed_brokers_keep_what_they_acknowledged(broker, flush, files):
    chance = random.Random(f"{SEED} {flush} {files}")
    print(f"RMQ_SEED={SEED}")
    server = broker(
        flushDiskType=flush,
        flushConsumerOffsetInterval=100,
        maxTransferCountOnMessageInMemory=2000,
        maxTransferBytesOnMessageInMemory=4 << 20,
        maxTransferCountOnMessageInDisk=2000,
        maxTransferBytesOnMessageInDisk=4 << 20,
        **FILES[files],
    )
    acknowledged: dict[str, set[int]] = defaultdict(set)
    following = dict.fromkeys(KINDS, 0)

    for kill in range(max(1, KILLS // 4)):
        deadline = time.monotonic() + 60
        threads = [
            kind(server.port, name, following[name], deadline) for name, kind in KINDS.items()
        ]
        threads += [Consumer(server.port, "pipelined", deadline)]
        is_in_boot = kill % 3 == 2
        server.launch() if is_in_boot else server.start()
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0, BOOT_S if is_in_boot else LOAD_MAX_S))
        server.kill()
        for thread in threads:
            thread.deadline = 0
            thread.join(30)
            assert not thread.is_alive()
            assert thread.error is None, repr(thread.error)
        for producer in threads[:-1]:
            acknowledged[producer.name] |= producer.acknowledged
            following[producer.name] = producer.next

    server.start()
    with server.peer() as peer:
        for name in KINDS:
            seen = check_topic(peer, name, acknowledged[name])
            check_keys(peer, name, chance.sample(sorted(seen), min(SAMPLE, len(seen))))
        assert check_offsets(peer) > 0
    assert sum(map(len, acknowledged.values())) > 100
    print({name: len(numbers) for name, numbers in acknowledged.items()})
    assert server.terminate() == 0
    assert " ERROR " not in server.log(), server.log()[-3000:]
