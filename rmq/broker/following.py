"""A slave's copy of what its master knows beside messages: topics, groups, offsets, modes, timer.

The tables are pulled over the master's main port, one after the other, at once when the master
becomes known and then every ``period_ms``; the timer's checkpoint every ``TICK_MS``. What cannot be
had is logged and asked for again; the others are taken nevertheless. An answer that comes when
another is master, or we are, is not taken.

On purpose different: Java waits 10 s before the first pull, and asks the VIP port for some; the
main port answers the same. Source: SlaveSynchronize.java; BrokerController.java,
handleSlaveSynchronize(), 5.3.3.
"""

import logging
from collections.abc import Callable
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
from rmq.base.ports import Clock
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.request_modes import RequestModes
from rmq.broker.role import Role, RoleHolder
from rmq.broker.schedule import Schedule
from rmq.broker.timer_state import TimerState
from rmq.broker.topics import Topics
from rmq.remoting.calls import Caller

logger = logging.getLogger(__name__)

TICK_MS = 3_000
"""How often it is looked whether anything is due."""

CLASSIC_PERIOD_MS = 60_000
CONTROLLED_PERIOD_MS = 10_000
"""From one pull of all tables to the next: in classic mode; under Controllers and in DLedger."""

TIMEOUT_MS = 3_000

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
        self._timer_state.persist()

    def tick(self) -> None:
        """Copy what is due, unless a copying is under way."""
        master = self._master()
        if master is not None and not self._is_busy:
            self._is_busy = True
            ensureDeferred(self._copy(master))

    def _master(self) -> str | None:
        """Whom to ask now, if anybody."""
        role = self._role.now
        if not self._is_running or role.is_master or role.master_address == self._own_address:
            return None
        return role.master_address

    def _role_changed(self, before: Role, after: Role) -> None:
        if after.master_address != before.master_address:
            self._due_ms = self._clock.monotonic_ms()
            self.tick()

    async def _copy(self, master: str) -> None:
        steps = [self._timer_step]
        now_ms = self._clock.monotonic_ms()
        is_full = now_ms >= self._due_ms
        if is_full:
            steps = [*self._tables, self._timer_step]
            self._due_ms = now_ms + self._period_ms
        try:
            for step in steps:
                await self._take(master, step)
                if self._master() != master:
                    return
            self._timer_state.persist()
            if is_full:
                logger.debug("event=tables_copied master=%s", master)
        finally:
            self._is_busy = False
            if self._master() not in (None, master):
                self.tick()

    async def _take(self, master: str, step: _Step) -> None:
        try:
            answer = await self._caller.call(master, Command(code=step.code), TIMEOUT_MS)
            if self._master() != master:
                return
            if answer.code == ResponseCode.SUCCESS:
                step.take(answer.body)
                return
            cause = f"refused with {answer.code}: {answer.remark}"
        except (CallError, CodecError) as error:
            cause = str(error)
        logger.warning(
            "event=table_not_copied code=%s master=%s cause=%s", step.code.name, master, cause
        )


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
