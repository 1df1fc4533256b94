"""Producers and consumers of a simulated cluster: they speak through production's own client."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from codec.bodies.route import MASTER_ID
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import decode_header
from codec.headers.pull import PullMessageRequestHeader, PullMessageResponseHeader
from codec.headers.send import SendMessageRequestHeaderV2, SendMessageResponseHeader
from codec.message.record import Record, parse_record
from codec.message.sysflag import TRANSACTION_PREPARED
from rmq.base.errors import CallError
from rmq.sim.client import DEFAULT_TOPIC, ROUTE_PERIOD_MS, Client
from rmq.sim.history import Attempt, History, Outcome, Queue, Reads
from rmq.sim.network import Network
from rmq.sim.process import Process
from rmq.sim.transactions import GROUP, Transactions
from rmq.sim.world import SimulationError

QUEUES = 2
"""Queues of a topic that a producer brings into being."""

DELAYED_OF = 8
"""One message of so many is delayed."""
DELAYED = "DELAY\x011\x02"
"""By the shortest level."""

PULL_MAX = 32
SUSPEND_MS = 1_500
SUSPEND_AND_SUBSCRIPTION = 2 | 4
"""sysFlag: wait for messages; the subscription stands in the header."""

STORED = frozenset(
    (
        ResponseCode.FLUSH_DISK_TIMEOUT,
        ResponseCode.SLAVE_NOT_AVAILABLE,
        ResponseCode.FLUSH_SLAVE_TIMEOUT,
    )
)


@dataclass(slots=True)
class Load:
    """What a producer sends: ``pause_ms`` at most between two messages.

    One message of ``transacted_of`` begins a transaction; 0: none does.
    """

    broker: str
    topic: str
    pause_ms: int = 200
    transacted_of: int = 0
    stopped: bool = False


class Producer(Client):
    """Sends one message after another; each try goes to the master that is known by then."""

    def __init__(
        self,
        network: Network,
        process: Process,
        name_servers: Sequence[str],
        history: History,
        load: Load,
    ) -> None:
        super().__init__(network, process, name_servers)
        self._history = history
        self._load = load
        self._master = ""
        self._transactions = (
            Transactions(self, history, load.broker) if load.transacted_of else None
        )
        self.tries = 0
        self.acked = 0
        self.work(self.run())

    @inlineCallbacks
    def run(self) -> Generator[Deferred[Any], Any, None]:
        """Send until the load is stopped."""
        while True:
            yield self.pause(self.dice.between(1, self._load.pause_ms))
            if self._load.stopped:
                return
            if not self._master:
                self._master = yield self.master(self._load.broker)
                if not self._master:
                    yield self.pause(ROUTE_PERIOD_MS)
                    continue
            yield self._try()

    @inlineCallbacks
    def _try(self) -> Generator[Deferred[Any], Any, None]:
        load, transactions, address = self._load, self._transactions, self._master
        self.tries += 1
        queue = Queue(load.broker, load.topic, self.dice.below(QUEUES))
        attempt = self._attempt(queue)
        properties, sys_flag = "", 0
        if transactions is not None and self.dice.one_in(load.transacted_of):
            properties, sys_flag = transactions.begin(attempt), TRANSACTION_PREPARED
        elif self.dice.one_in(DELAYED_OF):
            attempt.delayed, properties = True, DELAYED
        header = self._header(queue, properties, sys_flag)
        try:
            answer: Command = yield self.ask(
                address, RequestCode.SEND_MESSAGE_V2, header, attempt.body
            )
        except CallError as error:
            self._end(attempt, Outcome.UNKNOWN, str(error))
            self._master = ""
            return
        if answer.code != ResponseCode.SUCCESS and answer.code not in STORED:
            self._end(attempt, Outcome.REFUSED, f"{answer.code} {answer.remark}")
            self._master = ""
            return
        told = decode_header(SendMessageResponseHeader, answer.ext_fields)
        if told.queue_id != queue.queue_id:
            raise SimulationError(f"sent to {queue}, stored in queue {told.queue_id}")
        attempt.offset = told.queue_offset
        acked = answer.code == ResponseCode.SUCCESS
        if acked:
            self.acked += 1
            self._end(attempt, Outcome.ACKED, f"@{attempt.offset}")
        else:
            self._end(attempt, Outcome.STORED, f"{answer.code} @{attempt.offset}")
        if transactions is not None and attempt.fate is not None:
            transactions.sent(attempt, address, told, acked=acked)

    def _attempt(self, queue: Queue) -> Attempt:
        history = self._history
        name = f"{self.name}#{history.next_number(self.name)}"
        body = name.encode() + b"." * self.dice.below(200)
        attempt = Attempt(body, self.name, queue, self.process.world.now_us)
        history.begun(attempt)
        return attempt

    def _end(self, attempt: Attempt, outcome: Outcome, why: str) -> None:
        world = self.process.world
        attempt.outcome, attempt.ended_us = outcome, world.now_us
        world.note(f"{attempt.name} to {attempt.queue.queue_id} {outcome.value} {why}")
        is_stored = outcome in {Outcome.ACKED, Outcome.STORED}
        if self._transactions is not None and attempt.fate is not None and not is_stored:
            self._transactions.failed(attempt)

    def _header(self, queue: Queue, properties: str, sys_flag: int) -> SendMessageRequestHeaderV2:
        return SendMessageRequestHeaderV2(
            producer_group=GROUP,
            topic=queue.topic,
            default_topic=DEFAULT_TOPIC,
            default_topic_queue_nums=QUEUES,
            queue_id=queue.queue_id,
            sys_flag=sys_flag,
            born_timestamp=self.clock.wall_ms(),
            flag=0,
            properties=properties,
        )


class Consumer(Client):
    """Reads one queue from its begin, of its master or, with ``slaves_too``, of any."""

    def __init__(
        self,
        network: Network,
        process: Process,
        name_servers: Sequence[str],
        history: Reads,
        queue: Queue,
        *,
        slaves_too: bool = False,
    ) -> None:
        super().__init__(network, process, name_servers)
        self._history = history
        self._queue = queue
        self._slaves_too = slaves_too
        self._at_master = True
        self.bodies: list[bytes] = []
        self.reached_end = False
        self.work(self.run())

    @inlineCallbacks
    def run(self) -> Generator[Deferred[Any], Any, None]:
        """Read until the process ends."""
        while True:
            known: dict[int, str] = yield self.addresses(self._queue.broker)
            broker_id = MASTER_ID
            if self._slaves_too and known:
                broker_id = self.dice.pick(sorted(known))
            address = known.get(broker_id, "")
            self._at_master = broker_id == MASTER_ID
            while address:
                try:
                    answer: Command = yield self.ask(
                        address, RequestCode.PULL_MESSAGE, self._header(), more_ms=SUSPEND_MS
                    )
                except CallError:
                    break
                if not self._take(answer):
                    break
            yield self.pause(self.dice.between(1, ROUTE_PERIOD_MS))

    def _take(self, answer: Command) -> bool:
        """Keep what was read; False: ask somebody else, later."""
        history, queue, offset = self._history, self._queue, len(self.bodies)
        code = answer.code
        if code == ResponseCode.SUCCESS:
            self._keep(answer.body)
            return True
        if code not in {
            ResponseCode.PULL_NOT_FOUND,
            ResponseCode.PULL_RETRY_IMMEDIATELY,
            ResponseCode.PULL_OFFSET_MOVED,
        }:
            return False
        told = decode_header(PullMessageResponseHeader, answer.ext_fields)
        if code == ResponseCode.PULL_RETRY_IMMEDIATELY:
            return False
        if told.max_offset < offset:
            if self._at_master:
                del self.bodies[told.max_offset :]  # go on there, as a client does
            return False
        if told.next_begin_offset > offset:
            history.skipped(queue, offset, told.next_begin_offset, self.name)
        self.reached_end = code == ResponseCode.PULL_NOT_FOUND
        return self.reached_end

    def _keep(self, data: bytes) -> None:
        position, begin = 0, len(self.bodies)
        while position < len(data):
            record = parse_record(data, position, len(data))
            if not isinstance(record, Record):
                raise SimulationError(f"{self.name} was given a blank")
            position += record.total_size
            if record.queue_offset != len(self.bodies):
                self._history.skipped(self._queue, len(self.bodies), record.queue_offset, self.name)
            body = bytes(record.body)
            self._history.read(self._queue, record.queue_offset, body, self.name)
            self.bodies.append(body)
        queue_id, end = self._queue.queue_id, len(self.bodies)
        self.process.world.note(f"{self.name} has {begin} to {end} of {queue_id}")

    def _header(self) -> PullMessageRequestHeader:
        return PullMessageRequestHeader(
            consumer_group=self.name,
            topic=self._queue.topic,
            queue_id=self._queue.queue_id,
            queue_offset=len(self.bodies),
            max_msg_nums=PULL_MAX,
            sys_flag=SUSPEND_AND_SUBSCRIPTION,
            commit_offset=0,
            suspend_timeout_millis=SUSPEND_MS,
            subscription="*",
            sub_version=0,
            expression_type="TAG",
        )
