"""Clients of a soak: threads that go on until told to stop, whatever happens to the broker.

Each asks the NameServer where the broker is, works until its connection breaks, and begins anew.
What it was promised goes into the ledger.
"""

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import wire

from scripts.soaklib import plan
from scripts.soaklib.ledger import Lease, Ledger, Resumed, Violation

SEND_BACK, END_TRANSACTION, CHECK, LOCK, UNLOCK = 36, 37, 39, 41, 42
TOPIC_NOT_EXIST, PULL_RETRY, QUERY_NOT_FOUND = 17, 20, 22
PREPARED = 4
WINDOW = 32
ANSWER_MAX_S = 20
ONEWAY_SYNC = 50
"""One-way sends between two calls, so that a broken connection is noticed."""
SAVED_AFTER_S = 3.0
"""An offset acknowledged that long before a kill must be saved; the broker saves each second."""
IDLE_S = 0.02


@dataclass
class Course:
    """What all workers of a soak share."""

    namesrv_port: int
    ledger: Ledger
    life: int = 0
    """Which process of the broker runs; it grows before each start."""
    killed_at: float = 0.0
    """Monotonic time of the last kill."""
    stopping: threading.Event = field(default_factory=threading.Event)
    draining: threading.Event = field(default_factory=threading.Event)
    """Producers send no more, but still answer questions."""


class Client(wire.Peer):
    """A connection that also answers requests of the broker."""

    def __init__(self, port: int, answer: Callable[["Client", wire.Answer], None] | None) -> None:
        super().__init__(port, ANSWER_MAX_S)
        self._answer = answer

    def asked(self, request: wire.Answer) -> None:
        """Answer a check-back; other requests want no answer."""
        if self._answer is not None and request.code == CHECK:
            self._answer(self, request)


class Worker(threading.Thread):
    """Connects and works, again and again."""

    def __init__(self, course: Course, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.course, self.ledger = course, course.ledger

    def run(self) -> None:
        """Until the end of the soak; what should not happen is a violation."""
        try:
            while not self.course.stopping.is_set():
                try:
                    with Client(self.port(), self.answer) as client:
                        self.heartbeat(client)
                        self.work(client)
                except ConnectionError:
                    time.sleep(IDLE_S)
        except Exception as error:  # noqa: BLE001 - whatever it was, the soak failed
            self.ledger.violations.append(Violation("client failed", self.name, detail=repr(error)))

    def port(self) -> int:
        """Where the NameServer says the broker is.

        :raises ConnectionError: it does not know.
        """
        with wire.Peer(self.course.namesrv_port) as namesrv:
            answer = namesrv.call(wire.ROUTE, {"topic": "TBW102"})
        if answer.code != wire.SUCCESS:
            raise ConnectionError("no broker is registered")
        route = json.loads(answer.body.replace(b"{0:", b'{"0":'))
        return int(route["brokerDatas"][0]["brokerAddrs"]["0"].rpartition(":")[2])

    def heartbeat(self, client: Client) -> None:
        """Say who it is, if it matters."""

    def answer(self, client: Client, request: wire.Answer) -> None:
        """Answer a check-back."""

    def work(self, client: Client) -> None:
        """Do what it is for, until the end or a ConnectionError."""
        raise NotImplementedError

    def beat(self, client: Client, producers: list[str], consumers: dict[str, list[str]]) -> None:
        """A heartbeat for groups; consumers with their topics."""
        body = {
            "clientID": self.name,
            "producerDataSet": [{"groupName": group} for group in producers],
            "consumerDataSet": [
                {
                    "groupName": group,
                    "consumeType": "CONSUME_PASSIVELY",
                    "messageModel": "CLUSTERING",
                    "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
                    "subscriptionDataSet": [
                        {"topic": topic, "subString": "*", "subVersion": 1} for topic in topics
                    ],
                    "unitMode": False,
                }
                for group, topics in consumers.items()
            ],
        }
        answer = client.call(wire.HEARTBEAT, None, json.dumps(body).encode())
        assert answer.code == wire.SUCCESS, answer


class Producer(Worker):
    """Sends numbered messages to one topic at a rate; no number is sent twice.

    Two producers share a topic by ``step`` 2.
    """

    def __init__(
        self, course: Course, topic: str, rate: float, *, first: int = 0, step: int = 1
    ) -> None:
        super().__init__(course, f"{topic}-producer-{first}")
        self.topic, self.rate, self.next, self.step = topic, rate, first, step
        self._due = time.monotonic()

    def take(self) -> int:
        """The next number."""
        number, self.next = self.next, self.next + self.step
        self.ledger.sent[self.topic] = max(self.ledger.sent[self.topic], number + 1)
        return number

    def work(self, client: Client) -> None:
        """Send at the rate."""
        while not self.course.draining.is_set():
            self.pace()
            self.send(client)
        self.finish(client)
        self.course.stopping.wait()

    def pace(self) -> None:
        """Wait for the next send; time lost is not made up for by more than a tenth of a second."""
        now = time.monotonic()
        self._due = max(self._due + self.interval_s, now - 0.1)
        if self._due > now:
            time.sleep(self._due - now)

    @property
    def interval_s(self) -> float:
        """Time between two sends."""
        return 1 / self.rate

    def send(self, client: Client) -> None:
        """Send one and wait."""
        number = self.take()
        self.noted(client.call(wire.SEND, *self.message(number)), number)

    def finish(self, client: Client) -> None:
        """Wait for answers that are due."""

    def message(self, number: int) -> tuple[dict[str, object], bytes]:
        """Header and body of a send."""
        properties = {"UNIQ_KEY": plan.key_of(self.topic, number), "WAIT": "true"}
        if self.topic == plan.SINGLE:
            properties["TAGS"] = plan.tag_of(number)
        if self.topic == plan.DELAYED:
            properties["DELAY"] = str(plan.level_of(number))
        fields = wire.send_fields(self.topic, plan.queue_of(self.topic, number), properties)
        return fields, plan.body_of(self.topic, number)

    def noted(self, answer: wire.Answer, *numbers: int) -> bool:
        """Note what an answer promises; whether it does."""
        if answer.code == wire.SUCCESS:
            self.ledger.acknowledged[self.topic].update(numbers)
            return True
        self.ledger.refused[self.topic, answer.code] += 1
        return False


class Oneway(Producer):
    """Sends and asks for no answer."""

    def send(self, client: Client) -> None:
        """Send one; now and then one with an answer."""
        number = self.take()
        if number % ONEWAY_SYNC == 0:
            self.noted(client.call(wire.SEND, *self.message(number)), number)
        else:
            client.post(wire.SEND, *self.message(number), flag=wire.ONEWAY)


class Batches(Producer):
    """Sends whole batches."""

    @property
    def interval_s(self) -> float:
        """Time between two batches."""
        return plan.BATCH_COUNT / self.rate

    def send(self, client: Client) -> None:
        """Send one batch."""
        numbers = [self.take() for _ in range(plan.BATCH_COUNT)]
        items = [
            (plan.body_of(self.topic, n), {"UNIQ_KEY": plan.key_of(self.topic, n), "WAIT": "true"})
            for n in numbers
        ]
        queue_id = plan.queue_of(self.topic, numbers[0])
        fields = wire.send_fields(self.topic, queue_id, {}, batch=True)
        self.noted(client.call(wire.SEND_BATCH, fields, wire.batch_body(items)), *numbers)


class Pipelined(Producer):
    """Has up to ``WINDOW`` messages under way at once."""

    def __init__(self, course: Course, topic: str, rate: float) -> None:
        super().__init__(course, topic, rate)
        self._under_way: dict[int, int] = {}

    def work(self, client: Client) -> None:
        """Begin with nothing under way."""
        self._under_way.clear()
        super().work(client)

    def send(self, client: Client) -> None:
        """Send one; read one answer if the window is full."""
        number = self.take()
        self._under_way[client.post(wire.SEND, *self.message(number))] = number
        if len(self._under_way) == WINDOW:
            self._read(client)

    def finish(self, client: Client) -> None:
        """Read all answers."""
        while self._under_way:
            self._read(client)

    def _read(self, client: Client) -> None:
        answer = client.read()
        self.noted(answer, self._under_way.pop(answer.opaque))


class Transactions(Producer):
    """Sends half messages and ends them as planned, or leaves so that it must be asked."""

    def __init__(self, course: Course, rate: float, first: int) -> None:
        super().__init__(course, plan.TRANSACTED, rate, first=first, step=2)
        self._asked: set[str] = set()

    def heartbeat(self, client: Client) -> None:
        """One of the producers that may be asked."""
        self.beat(client, [plan.PRODUCERS], {})

    def send(self, client: Client) -> None:
        """One transaction."""
        number = self.take()
        fields, body = self.message(number)
        fields["a"], fields["f"] = plan.PRODUCERS, PREPARED
        fields["i"] = f"{fields['i']}TRAN_MSG\x01true\x02PGROUP\x01{plan.PRODUCERS}\x02"
        answer = client.call(wire.SEND, fields, body)
        if not self.noted(answer, number):
            return
        outcome = plan.first_answer(number)
        if outcome is None:
            raise ConnectionError("the producer is gone between half message and end")
        end = {
            "producerGroup": plan.PRODUCERS,
            "tranStateTableOffset": answer.fields["queueOffset"],
            "commitLogOffset": int(answer.fields["msgId"][-16:], 16),
            "commitOrRollback": outcome,
            "fromTransactionCheck": "false",
            "msgId": plan.key_of(self.topic, number),
            "transactionId": answer.fields.get("transactionId", ""),
        }
        if outcome == plan.UNKNOWN:
            client.post(END_TRANSACTION, end, flag=wire.ONEWAY)
            return
        ended = client.call(END_TRANSACTION, end)
        if ended.code != wire.SUCCESS:
            self.ledger.refused["end of transaction", ended.code] += 1

    def answer(self, client: Client, request: wire.Answer) -> None:
        """A check-back; who said that it does not know does so once more."""
        message = next(wire.messages(request.body))
        key = message.properties["UNIQ_KEY"]
        number = plan.number_of(key)
        outcome = plan.COMMIT if plan.is_committed(number) else plan.ROLLBACK
        if plan.first_answer(number) == plan.UNKNOWN and key not in self._asked:
            self._asked.add(key)
            outcome = plan.UNKNOWN
        end = {
            "producerGroup": plan.PRODUCERS,
            "tranStateTableOffset": request.fields["tranStateTableOffset"],
            "commitLogOffset": request.fields["commitLogOffset"],
            "commitOrRollback": outcome,
            "fromTransactionCheck": "true",
            "msgId": key,
            "transactionId": request.fields.get("transactionId", ""),
        }
        client.post(END_TRANSACTION, end, flag=wire.ONEWAY)
        self.ledger.checks_answered += 1

    def finish(self, client: Client) -> None:
        """Answer what is asked, until the end."""
        while not self.course.stopping.wait(0.2):
            client.call(wire.MAX_OFFSET, {"topic": self.topic, "queueId": 0})


class Consumer(Worker):
    """Pulls topics from where its group is, and commits what it reached."""

    def __init__(
        self, course: Course, group: str, topics: dict[str, int], expression: str = "*"
    ) -> None:
        """``topics`` with their numbers of queues."""
        super().__init__(course, f"{group}-consumer")
        self.group, self.topics, self.expression = group, topics, expression
        self._asked: dict[tuple[str, int], int] = defaultdict(int)
        self._acknowledged: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)

    def heartbeat(self, client: Client) -> None:
        """A member of its group."""
        self.beat(client, [], {self.group: list(self.topics)})

    def work(self, client: Client) -> None:
        """Consume until the end; ``at`` is where to go on."""
        at = {
            (topic, queue_id): self.resume(client, topic, queue_id)
            for topic, queues in self.topics.items()
            for queue_id in range(queues)
        }
        while not self.course.stopping.is_set():
            moved = [place for place in at if self.step(client, at, place)]
            if not moved:
                time.sleep(IDLE_S)

    def resume(self, client: Client, topic: str, queue_id: int) -> int:
        """Where the group is; what it was told is checked later."""
        fields = {"consumerGroup": self.group, "topic": topic, "queueId": queue_id}
        answer = client.call(wire.QUERY_OFFSET, fields)
        if answer.code == QUERY_NOT_FOUND:
            offset = 0
        else:
            assert answer.code == wire.SUCCESS, answer
            offset = int(answer.fields["offset"])
        place = (topic, queue_id)
        limit = self.course.killed_at - SAVED_AFTER_S
        saved = max((to for when, to in self._acknowledged[place] if when < limit), default=0)
        self.ledger.resumed.append(
            Resumed(self.group, topic, queue_id, offset, saved, self._asked[place])
        )
        return offset

    def step(self, client: Client, at: dict[tuple[str, int], int], place: tuple[str, int]) -> bool:
        """Pull, consume and commit once; whether anything came."""
        topic, queue_id = place
        fields = wire.pull_fields(
            topic, queue_id, at[place], consumerGroup=self.group, subscription=self.expression
        )
        answer = client.call(wire.PULL, fields)
        if answer.code in {wire.NOT_FOUND, TOPIC_NOT_EXIST}:
            return False
        if answer.code not in {wire.SUCCESS, PULL_RETRY}:
            detail = f"pull answered {answer.code} {answer.remark}"
            self.ledger.violations.append(
                Violation("group moved", self.group, topic, queue_id, at[place], detail)
            )
            return False
        expected = at[place]
        for message in wire.messages(answer.body) if answer.code == wire.SUCCESS else ():
            if self.expression == "*" and message.queue_offset != expected:
                detail = f"expected offset {expected}"
                self.ledger.violations.append(
                    Violation("hole", self.group, topic, queue_id, message.queue_offset, detail)
                )
            expected = message.queue_offset + 1
            key = message.properties["UNIQ_KEY"]
            self.ledger.sight(self.group, topic, (queue_id, message.queue_offset), key)
            self.consume(client, message)
        at[place] = int(answer.fields["nextBeginOffset"])
        reached = self.ledger.reached[self.group, topic]
        reached[queue_id] = max(at[place], reached.get(queue_id, 0))
        self.commit(client, place, at[place])
        return True

    def consume(self, client: Client, message: wire.Message) -> None:
        """Consume one message."""

    def commit(self, client: Client, place: tuple[str, int], offset: int) -> None:
        """Commit an offset."""
        fields = {
            "consumerGroup": self.group,
            "topic": place[0],
            "queueId": place[1],
            "commitOffset": offset,
        }
        self._asked[place] = max(offset, self._asked[place])
        answer = client.call(wire.UPDATE_OFFSET, fields)
        assert answer.code == wire.SUCCESS, answer
        now = time.monotonic()
        acknowledged = self._acknowledged[place]
        acknowledged.append((now, offset))
        # the last that is old enough is all that counts of the old
        while len(acknowledged) > 1 and acknowledged[1][0] < now - 60:
            acknowledged.pop(0)


class Workman(Consumer):
    """Sends back what is planned to fail."""

    def consume(self, client: Client, message: wire.Message) -> None:
        """Consume it, or send it back."""
        key = message.properties["UNIQ_KEY"]
        times = message.reconsume_times
        if times >= plan.failures(plan.number_of(key)):
            return
        fields = {
            "offset": message.position,
            "group": self.group,
            "delayLevel": 0,
            "originMsgId": key,
            "originTopic": message.topic,
            "unitMode": "false",
            "maxReconsumeTimes": plan.TRIES_MAX,
        }
        self.ledger.sent_back.add((key, times))
        answer = client.call(SEND_BACK, fields)
        if answer.code == wire.SUCCESS:
            self.ledger.sent_back_surely.add((key, times))
        else:
            self.ledger.refused["send back", answer.code] += 1


class Ordered(Consumer):
    """Consumes the queues whose locks it gets, and lets the other have them now and then."""

    def __init__(self, course: Course, name: str, chance: random.Random) -> None:
        super().__init__(course, plan.ORDERED_GROUP, {plan.ORDERED: plan.QUEUES})
        self.name = name
        self._chance = chance
        self._held: dict[int, float] = {}
        self._life = 0

    def work(self, client: Client) -> None:
        """Lock, consume, unlock."""
        self._life = self.course.life
        try:
            while not self.course.stopping.is_set():
                end = time.monotonic() + self._chance.uniform(1, 4)
                while time.monotonic() < end and not self.course.stopping.is_set():
                    self.lock(client)
                    self._shift(client)
                self.unlock(client)
                time.sleep(self._chance.uniform(0.1, 0.5))
        finally:
            self._close()

    def _shift(self, client: Client) -> None:
        at = {
            (plan.ORDERED, queue): self.resume(client, plan.ORDERED, queue) for queue in self._held
        }
        end = time.monotonic() + 0.5
        while time.monotonic() < end and not self.course.stopping.is_set():
            if not [place for place in at if self.step(client, at, place)]:
                time.sleep(IDLE_S)

    def resume(self, client: Client, topic: str, queue_id: int) -> int:
        """Where the group is; two commit, so neither knows what to expect."""
        fields = {"consumerGroup": self.group, "topic": topic, "queueId": queue_id}
        answer = client.call(wire.QUERY_OFFSET, fields)
        return int(answer.fields["offset"]) if answer.code == wire.SUCCESS else 0

    def lock(self, client: Client) -> None:
        """Ask for all queues, which renews those it has."""
        answer = client.call(LOCK, None, self._body())
        if answer.code == wire.TOPIC_NOT_EXIST and not self._held:
            return  # nobody has sent to it yet
        assert answer.code == wire.SUCCESS, answer
        now = time.monotonic()
        got = {one["queueId"] for one in json.loads(answer.body)["lockOKMQSet"]}
        for lost in self._held.keys() - got:
            self.ledger.violations.append(
                Violation("lock lost", self.name, plan.ORDERED, lost, detail="though renewed")
            )
        for queue_id in got:
            self._held.setdefault(queue_id, now)

    def unlock(self, client: Client) -> None:
        """Give back all."""
        self._close()
        assert client.call(UNLOCK, None, self._body()).code == wire.SUCCESS

    def _close(self) -> None:
        now = time.monotonic()
        self.ledger.leases.extend(
            Lease(queue_id, self.name, self._life, since, now)
            for queue_id, since in self._held.items()
        )
        self._held.clear()

    def _body(self) -> bytes:
        queues = [
            {"brokerName": plan.BROKER, "queueId": queue_id, "topic": plan.ORDERED}
            for queue_id in range(plan.QUEUES)
        ]
        body = {"clientId": self.name, "consumerGroup": self.group, "mqSet": queues}
        return json.dumps(body).encode()


RATES = {
    plan.SINGLE: 300,
    plan.ONEWAY: 300,
    plan.BATCH: 400,
    plan.PIPELINED: 500,
    plan.ORDERED: 200,
    plan.DELAYED: 150,
    plan.TRANSACTED: 100,
    plan.WORK: 50,
}
"""Messages a second: 2,000 in all."""


def crew(course: Course, seed: int, share: float = 1.0) -> Iterator[Worker]:
    """All workers of a soak, at a share of the usual rates."""
    rates = {topic: rate * share for topic, rate in RATES.items()}
    for topic in (plan.SINGLE, plan.ORDERED, plan.DELAYED, plan.WORK):
        yield Producer(course, topic, rates[topic])
    yield Oneway(course, plan.ONEWAY, rates[plan.ONEWAY])
    yield Batches(course, plan.BATCH, rates[plan.BATCH])
    yield Pipelined(course, plan.PIPELINED, rates[plan.PIPELINED])
    for first in range(2):
        yield Transactions(course, rates[plan.TRANSACTED] / 2, first)
    yield Consumer(course, plan.TAG_GROUP, {plan.SINGLE: plan.QUEUES}, "||".join(plan.WANTED_TAGS))
    yield Consumer(course, "soak-all", {plan.PIPELINED: plan.QUEUES, plan.BATCH: plan.QUEUES})
    yield Workman(course, plan.WORK_GROUP, {plan.WORK: plan.QUEUES, plan.RETRY: 1})
    for name in ("ordered-a", "ordered-b"):
        chance = random.Random(f"{seed} {name}")  # noqa: S311 - to be repeated, not kept secret
        yield Ordered(course, name, chance)
