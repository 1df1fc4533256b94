"""A slave's copy of what its master knows beside messages: topics, groups, offsets, modes, timer.

The tables are pulled over the master's main port, one after the other, at once when the master
becomes known and then every ``period_ms``; the timer's checkpoint every ``TICK_MS``. What cannot be
had is logged and asked for again; the others are taken nevertheless. An answer that comes when
another is master, or we are, is not taken.

When records of a topic come that the table lacks, topics and groups are copied at once, and not
sooner than ``AGAIN_MS`` after the topics were asked for before: who becomes master next knows what
was made a moment ago.

On purpose different: Java waits 10 s before the first pull, and asks the VIP port for some; the
main port answers the same. Java's slave has to wait for its next round to know a young topic.
Source: SlaveSynchronize.java; BrokerController.java, handleSlaveSynchronize(), 5.3.3.
"""

import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import NamedTuple, TypeVar

from twisted.internet.defer import ensureDeferred

from codec.bodies import decode_body
from codec.bodies.assignment import MessageRequestModeSerializeWrapper
from codec.bodies.groups import SubscriptionGroupWrapper
from codec.bodies.offsets import ConsumerOffsetSerializeWrapper, DelayOffsetSerializeWrapper
from codec.bodies.timer import TimerMetricsSerializeWrapper
from codec.bodies.topics import TopicConfigAndMappingSerializeWrapper
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.disk.timer_checkpoint import parse_timer_checkpoint
from codec.errors import CodecError
from rmq.base.errors import CallError
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock, Timer
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.request_modes import RequestModes
from rmq.broker.role import Role, RoleHolder
from rmq.broker.schedule import Schedule
from rmq.broker.timer_state import TimerState
from rmq.broker.topics import Topics
from rmq.broker.young_topics import YoungTopics
from rmq.remoting.calls import Caller

logger = logging.getLogger(__name__)

TICK_MS = 3_000
"""How often it is looked whether anything is due."""

CLASSIC_PERIOD_MS = 60_000
CONTROLLED_PERIOD_MS = 10_000
"""From one pull of all tables to the next: in classic mode; under Controllers and in DLedger."""

AGAIN_MS = 1_000
"""From one asking for topics to the next because of a young one; ``TICK_MS`` if it failed."""

TIMEOUT_MS = 3_000

OF_YOUNG_TOPICS = frozenset(
    (RequestCode.GET_ALL_TOPIC_CONFIG, RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG)
)
"""What is copied because of a young topic: %RETRY% topics come with their groups."""

T = TypeVar("T")


class Copied(NamedTuple):
    """What is copied."""

    topics: Topics
    groups: Groups
    offsets: ConsumerOffsets
    request_modes: RequestModes
    schedule: Schedule
    timer: TimerState


class _Step(NamedTuple):
    """One table: by which request it is had, and who takes the answer's body."""

    code: RequestCode
    take: Callable[[bytes], object]


class Following:
    """Keeps a slave's tables like its master's; does nothing in a master."""

    def __init__(
        self,
        role: RoleHolder,
        clock: Clock,
        caller: Caller,
        copied: Copied,
        *,
        own_address: str,
        period_ms: int,
    ) -> None:
        self._role = role
        self._clock = clock
        self._caller = caller
        self._own_address = own_address
        self._period_ms = period_ms
        self._timer_state = copied.timer
        self._tables = _steps(copied)
        self._tables_of_young = [step for step in self._tables if step.code in OF_YOUNG_TOPICS]
        self._young = YoungTopics(copied.topics)
        self.known_topics: AbstractSet[str] = self._young.known
        """Topics of which ``seen`` need not be told; the content changes."""
        self._topics_due_ms = 0
        self._asking: Timer | None = None
        self._timer_step = _Step(
            RequestCode.GET_TIMER_CHECK_POINT,
            lambda body: copied.timer.adopt_checkpoint(parse_timer_checkpoint(body)),
        )
        self._due_ms = 0
        self._is_busy = False
        self._is_running = False
        self._ticks = Periodic(clock, TICK_MS, self.tick)
        role.on_change(self._role_changed)

    def start(self) -> None:
        """Begin to copy, if this is a slave and its master is known."""
        self._is_running = True
        self._ticks.start()
        self.tick()

    def stop(self) -> None:
        """Copy no more; an answer under way is not taken."""
        self._is_running = False
        self._ticks.stop()
        self._ask_not()
        self._timer_state.persist()

    def tick(self) -> None:
        """Copy what is due, unless a copying is under way."""
        master = self._master()
        if master is None or self._is_busy:
            return
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._due_ms:
            self._begin(master, (self._timer_step,))
            return
        self._due_ms = now_ms + self._period_ms
        self._young.forget()
        self._begin(master, (*self._tables, self._timer_step))

    def seen(self, topic: str, properties: bytes) -> None:
        """A record of a topic came from the master; the store's listener."""
        if self._is_running and self._young.note(topic, properties):
            self._ask_soon()

    def _ask_soon(self) -> None:
        """Ask for topics in a turn of its own: others may come in this one. Who copies, later."""
        if self._asking is None and not self._is_busy:
            wait_ms = max(0, self._topics_due_ms - self._clock.monotonic_ms())
            self._asking = self._clock.call_later(wait_ms, self._ask)

    def _ask(self) -> None:
        """Copy what young topics need, unless a copying is under way: its end asks for it."""
        self._asking = None
        master = self._master()
        if master is not None and not self._is_busy and self._young.wanted:
            self._begin(master, self._tables_of_young)

    def _ask_not(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _master(self) -> str | None:
        """Whom to ask now, if anybody."""
        role = self._role.now
        if not self._is_running or role.is_master or role.master_address == self._own_address:
            return None
        return role.master_address

    def _role_changed(self, before: Role, after: Role) -> None:
        if after.is_master:
            unknown = self._young.give_up()
            if unknown:
                logger.warning("event=topics_not_learnt topics=%s", ",".join(unknown))
        if after.master_address != before.master_address:
            self._due_ms = self._clock.monotonic_ms()
            self.tick()

    def _begin(self, master: str, steps: Sequence[_Step]) -> None:
        self._is_busy = True
        ensureDeferred(self._copy(master, steps))

    async def _copy(self, master: str, steps: Sequence[_Step]) -> None:
        try:
            for step in steps:
                if step.code == RequestCode.GET_ALL_TOPIC_CONFIG:
                    await self._take_topics(master, step)
                else:
                    await self._take(master, step)
                if self._master() != master:
                    return
            self._timer_state.persist()
            logger.debug("event=tables_copied master=%s count=%d", master, len(steps))
        finally:
            self._is_busy = False
            if self._master() not in (None, master):
                self.tick()
            elif self._is_running and self._young.wanted:
                self._ask_soon()

    async def _take_topics(self, master: str, step: _Step) -> None:
        self._young.asked()
        self._topics_due_ms = self._clock.monotonic_ms() + TICK_MS
        if await self._take(master, step):
            self._young.copied()
            self._topics_due_ms -= TICK_MS - AGAIN_MS

    async def _take(self, master: str, step: _Step) -> bool:
        """Copy one table; whether it was."""
        try:
            answer = await self._caller.call(master, Command(code=step.code), TIMEOUT_MS)
            if self._master() != master:
                return False
            if answer.code == ResponseCode.SUCCESS:
                step.take(answer.body)
                return True
            cause = f"refused with {answer.code}: {answer.remark}"
        except (CallError, CodecError) as error:
            cause = str(error)
        logger.warning(
            "event=table_not_copied code=%s master=%s cause=%s", step.code.name, master, cause
        )
        return False


def _steps(copied: Copied) -> tuple[_Step, ...]:
    return (
        _step(
            RequestCode.GET_ALL_TOPIC_CONFIG,
            TopicConfigAndMappingSerializeWrapper,
            copied.topics.adopt,
        ),
        _step(
            RequestCode.GET_ALL_CONSUMER_OFFSET,
            ConsumerOffsetSerializeWrapper,
            copied.offsets.adopt,
        ),
        _step(RequestCode.GET_ALL_DELAY_OFFSET, DelayOffsetSerializeWrapper, copied.schedule.adopt),
        _step(
            RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
            SubscriptionGroupWrapper,
            copied.groups.adopt,
        ),
        _step(
            RequestCode.GET_ALL_MESSAGE_REQUEST_MODE,
            MessageRequestModeSerializeWrapper,
            copied.request_modes.adopt,
        ),
        _step(
            RequestCode.GET_TIMER_METRICS,
            TimerMetricsSerializeWrapper,
            copied.timer.adopt_metrics,
        ),
    )


def _step(code: RequestCode, kind: type[T], adopt: Callable[[T], object]) -> _Step:
    decode = partial(decode_body, kind)
    return _Step(code, lambda body: adopt(decode(body)))
