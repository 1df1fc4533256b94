"""Transactions of a simulated producer: what it decides, says, forgets, and answers when asked.

Theory. A producer decides about a transaction only when its half message was acknowledged, as the
stock one does; the decision is kept where every producer of the group finds it (a data base, in
life). So a transaction commits at most because somebody decided so, and from then on it must be
delivered, once, whatever becomes of the producer, of its word to the broker, and of the broker:
whoever is master asks (CHECK_TRANSACTION_STATE), and any producer of the group answers.

What becomes of one is a ``Way``. A process that dies takes its open transactions with it: nobody
will decide them, which those who are asked later take for a rollback. Source:
DefaultMQProducerImpl.java, sendMessageInTransaction(), checkTransactionState(), 5.3.3.
"""

from collections.abc import Generator
from enum import Enum
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, inlineCallbacks

from codec.bodies import encode_body
from codec.bodies.heartbeat import HeartbeatData, ProducerData
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.clients import HeartbeatRequestHeader
from codec.headers.send import SendMessageResponseHeader
from codec.headers.transactions import (
    CheckTransactionStateRequestHeader,
    EndTransactionRequestHeader,
)
from codec.message import properties as props
from codec.message.ids import parse_offset_message_id
from codec.message.record import Record, parse_record
from codec.message.sysflag import TRANSACTION_COMMIT, TRANSACTION_NORMAL, TRANSACTION_ROLLBACK
from rmq.base.errors import CallError
from rmq.remoting.handling import Request, handles
from rmq.sim.client import Client
from rmq.sim.history import Attempt, Fate, History
from rmq.sim.world import SimulationError

GROUP = "producers"
HEARTBEAT_MS = 1_000
"""How often a producer tells the master that it is there."""

DECIDES_MS_MAX = 1_500
"""A decision takes so long at most: a check may come before it."""

AGAIN_MS_MAX = 3_000
"""The end is said again after so long at most: after some checks, perhaps."""

DOWN_US = (100_000, 2_000_000)
"""How long a producer that died is away."""

IMMUNE_OF = 4
"""One half message of so many says how long it is not to be asked about."""

SILENT_OF = 8
"""One question of so many is not answered."""

SAYS = {
    Fate.OPEN: TRANSACTION_NORMAL,
    Fate.COMMITTED: TRANSACTION_COMMIT,
    Fate.ROLLED_BACK: TRANSACTION_ROLLBACK,
}


class Way(Enum):
    """What becomes of a transaction whose half message was acknowledged."""

    ENDED = "ended"
    ENDED_TWICE = "ended twice"
    UNKNOWN = "unknown"
    """The broker is told that nobody knows; the decision it hears when it asks."""
    DEAD = "dead"
    """The producer dies with the decision made, and the broker not told."""
    DEAD_OPEN = "dead and open"
    """The producer dies before it decides."""
    NEVER = "never"
    """Nobody ever decides."""


WAYS = (*[Way.ENDED] * 4, *[Way.ENDED_TWICE, Way.UNKNOWN] * 2, Way.DEAD, Way.DEAD_OPEN, Way.NEVER)


class Half(NamedTuple):
    """A half message, by what the broker's answer says of it."""

    attempt: Attempt
    address: str
    offset: int
    position: int


class Transactions:
    """Those of one process of a producer; it answers for those of all."""

    def __init__(self, client: Client, history: History, broker: str) -> None:
        self._client = client
        self._history = history
        self._broker = broker
        self._dice = client.dice.split("transactions")
        self._open: list[Attempt] = []
        client.serve(self)
        client.process.at_death(self._abandon)
        client.work(self._be_known())

    def begin(self, attempt: Attempt) -> str:
        """Let an attempt be a half message; gives its properties."""
        attempt.fate = Fate.OPEN
        self._open.append(attempt)
        properties = {"TRAN_MSG": "true", "PGROUP": GROUP, "UNIQ_KEY": attempt.name}
        if self._chooses(IMMUNE_OF):
            properties["CHECK_IMMUNITY_TIME_IN_SECONDS"] = str(self._dice.below(4))
        return props.build(properties).decode()

    def failed(self, attempt: Attempt) -> None:
        """Nobody knows of a half message, so nobody commits it."""
        self._decide(attempt, Fate.ROLLED_BACK)

    def sent(
        self, attempt: Attempt, address: str, told: SendMessageResponseHeader, *, acked: bool
    ) -> None:
        """Go on with a half message that is stored; if nothing is promised of it, roll it back."""
        position = parse_offset_message_id(told.msg_id).position
        half = Half(attempt, address, told.queue_offset, position)
        if told.transaction_id != attempt.name:
            raise SimulationError(f"{attempt.name} became transaction {told.transaction_id}")
        if acked:
            self._client.work(self._go_on(half))
        else:
            self._decide(attempt, Fate.ROLLED_BACK)
            self._client.work(self._end(half, Fate.ROLLED_BACK))

    @inlineCallbacks
    def _go_on(self, half: Half) -> Generator[Deferred[Any], Any, None]:
        attempt, dice = half.attempt, self._dice
        way = dice.pick(WAYS)
        self._note(f"{attempt.name} will be {way.value}, half @{half.offset}, {half.position}")
        if way is Way.NEVER:
            self._open.remove(attempt)
            return
        yield self._client.pause(dice.between(1, DECIDES_MS_MAX))
        if way is Way.DEAD_OPEN:
            self._die()
            return
        if way is Way.UNKNOWN:
            yield self._end(half, Fate.OPEN)
        fate = Fate.COMMITTED if dice.below(3) else Fate.ROLLED_BACK
        self._decide(attempt, fate)
        if way is Way.DEAD:
            self._die()
        if way in {Way.ENDED, Way.ENDED_TWICE}:
            yield self._end(half, fate)
        if way is Way.ENDED_TWICE:
            yield self._client.pause(dice.between(1, AGAIN_MS_MAX))
            yield self._end(half, fate)

    @inlineCallbacks
    def _end(self, half: Half, fate: Fate) -> Generator[Deferred[Any], Any, None]:
        """Tell who took the half message, or who is master now; one way, or asking for an answer.

        Stock clients do not ask; the answer promises nothing, but must not contradict.
        """
        client, name = self._client, half.attempt.name
        address = half.address
        if self._chooses(2):
            address = yield client.master(self._broker)
            if not address:
                return
        header = EndTransactionRequestHeader(
            topic=half.attempt.queue.topic,
            producer_group=GROUP,
            tran_state_table_offset=half.offset,
            commit_log_offset=half.position,
            commit_or_rollback=SAYS[fate],
            msg_id=name,
            transaction_id=name,
        )
        self._note(f"{name} {fate.value}, tells {address}")
        if fate is Fate.OPEN or self._chooses(2):
            client.tell(address, RequestCode.END_TRANSACTION, header)
            return
        try:
            answer: Command = yield client.ask(address, RequestCode.END_TRANSACTION, header)
        except CallError as error:
            self._note(f"{name} {fate.value}: {error}")
            return
        self._note(f"{name} {fate.value}: {answer.code} {answer.remark}")
        if answer.code != ResponseCode.SUCCESS and "before" in (answer.remark or ""):
            raise SimulationError(f"contradicted: {name} {fate.value}, but {answer.remark}")

    @handles(RequestCode.CHECK_TRANSACTION_STATE, CheckTransactionStateRequestHeader)
    def check(self, request: Request[CheckTransactionStateRequestHeader]) -> None:
        """Answer for a transaction, whoever began it."""
        asked, address = request.header, request.channel.remote_address
        record = parse_record(request.body, 0, len(request.body))
        body = bytes(record.body) if isinstance(record, Record) else b""
        try:
            attempt = self._history.asked(body, asked.transaction_id, address)
        except SimulationError as error:
            self._client.process.world.find(str(error))
            return
        assert attempt.fate is not None, "asked() gives transactions only"
        if self._chooses(SILENT_OF):
            return
        self._note(f"{self._client.name} answers {address}: {attempt.name} {attempt.fate.value}")
        header = EndTransactionRequestHeader(
            producer_group=GROUP,
            tran_state_table_offset=asked.tran_state_table_offset,
            commit_log_offset=asked.commit_log_offset,
            commit_or_rollback=SAYS[attempt.fate],
            from_transaction_check=True,
            msg_id=attempt.name,
            transaction_id=asked.transaction_id,
        )
        self._client.tell(address, RequestCode.END_TRANSACTION, header)

    @inlineCallbacks
    def _be_known(self) -> Generator[Deferred[Any], Any, None]:
        client = self._client
        body = encode_body(
            HeartbeatData(
                client_id=client.process.name,
                producer_data_set=[ProducerData(group_name=GROUP)],
            )
        )
        while True:
            address: str = yield client.master(self._broker)
            if address:
                try:
                    yield client.ask(
                        address, RequestCode.HEART_BEAT, HeartbeatRequestHeader(), body
                    )
                except CallError as error:
                    self._note(f"{client.name} is not known to {address}: {error}")
            yield client.pause(HEARTBEAT_MS)

    def _chooses(self, count: int) -> bool:
        """True once in ``count`` times."""
        return self._dice.one_in(count)

    def _decide(self, attempt: Attempt, fate: Fate) -> None:
        assert attempt.fate is Fate.OPEN, f"{attempt.name} is {attempt.fate}"
        self._open.remove(attempt)
        attempt.fate = fate
        self._note(f"{attempt.name} is {fate.value}")

    def _die(self) -> None:
        """End the process as SIGKILL does; it starts again after a while."""
        world, process = self._client.process.world, self._client.process
        machine, down_us = process.machine, self._dice.between(*DOWN_US)

        def die() -> None:
            if machine.process is process:
                machine.kill()
                world.later(down_us, machine.start)

        world.later(0, die)

    def _abandon(self, _power: bool) -> None:
        for attempt in list(self._open):
            self._decide(attempt, Fate.ROLLED_BACK)

    def _note(self, text: str) -> None:
        self._client.process.world.note(text)
