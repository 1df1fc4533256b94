"""Asking what is decided, again and again: a notice may get lost, a group may be without master.

Source: ReplicasManager.java, schedulingSyncBrokerMetadata(), 5.3.3.
"""

import logging
from collections.abc import Callable
from typing import Final, Protocol

from codec.codes import ResponseCode
from rmq.base.ports import Clock
from rmq.broker.controlled.controllers import ControllerRefusedError
from rmq.broker.controlled.requests import Verdict
from rmq.broker.rounds import Rounds

logger = logging.getLogger(__name__)

UNKNOWN: Final = (
    ResponseCode.CONTROLLER_BROKER_METADATA_NOT_EXIST,
    ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED,
)
"""Controllers do not know our group, or us."""


class Asking(Protocol):
    """The questions to the Controllers."""

    async def replica_info(self) -> Verdict:
        """What is decided now."""
        ...

    async def elect(self, broker_id: int) -> Verdict:
        """Have a master."""
        ...


class Known(Protocol):
    """What is decided so far."""

    own_id: int | None

    @property
    def verdict(self) -> Verdict:
        """The newest."""
        ...

    def learn(self, verdict: Verdict) -> None:
        """Take note of a newer one."""
        ...


class Polling:
    """Asks every syncBrokerMetadataPeriod."""

    def __init__(
        self,
        clock: Clock,
        asking: Asking,
        known: Known,
        *,
        period_ms: int,
        unknown: Callable[[], None],
    ) -> None:
        """``unknown`` is called when we have to register again."""
        self._asking = asking
        self._known = known
        self._unknown = unknown
        self._period_ms = period_ms
        self._rounds = Rounds(clock, period_ms, self._poll)

    def start(self) -> None:
        """Ask from now on, first after one period; the own id is known."""
        self._rounds.start(self._period_ms)

    def stop(self) -> None:
        """Ask no more."""
        self._rounds.stop()

    def soon(self) -> None:
        """Ask at once."""
        self._rounds.soon()

    async def _poll(self) -> None:
        """Ask once; a group whose master was voted out gets an election.

        :raises CallError: no Controller helped.
        :raises CodecError: an answer is broken.
        """
        try:
            verdict = await self._asking.replica_info()
        except ControllerRefusedError as refusal:
            if refusal.code in UNKNOWN:
                self._unknown()
            raise
        own_id = self._known.own_id
        if not verdict.has_master and verdict.epoch > self._known.verdict.epoch:
            assert own_id is not None
            verdict = await self._asking.elect(own_id)
        self._known.learn(verdict)
