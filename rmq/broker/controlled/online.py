"""From a cold start to a role: an id, a registration, and a master if there is none.

Each attempt goes on from what the last one left on disk, until one comes through::

    no identity --next id, save as wanted--> wanted --apply--> ours --register--> known
      ^                                        |                        |          |
      +------------- 2014: another has it -----+                        |          | no master
      +------------- 2010: Controllers do not know us ------------------+          v
                                                                                 elect

The same way is gone again when Controllers say later that they do not know us; the role is kept
meanwhile. Source: ReplicasManager.java, startBasicService(), register(), 5.3.3, where a broker that
the Controllers do not know any more never comes back.
"""

import logging
from typing import Protocol

from codec.codes import ResponseCode
from rmq.base.errors import CallError
from rmq.base.ports import Clock
from rmq.broker.controlled.controllers import ControllerRefusedError
from rmq.broker.controlled.identity import Identity, IdentityFiles
from rmq.broker.controlled.requests import Names, Verdict
from rmq.broker.rounds import Rounds

logger = logging.getLogger(__name__)

RETRY_MS = 1_000
"""From a failure to the next attempt; Java waits 5 s."""

ID_TRIES_MAX = 8
"""How often in one attempt another broker may be quicker with an id."""


class Asking(Protocol):
    """The questions to the Controllers."""

    async def next_id(self) -> int:
        """The id that may be applied for."""
        ...

    async def apply_id(self, identity: Identity) -> None:
        """Have it given to us."""
        ...

    async def register(self, broker_id: int) -> Verdict:
        """Tell our address."""
        ...

    async def elect(self, broker_id: int) -> Verdict:
        """Have a master."""
        ...


class Newcomer(Protocol):
    """Who is told how far we are."""

    def registered(self, broker_id: int) -> None:
        """Controllers know us by this id; heartbeats must reach them before an election."""
        ...

    def decided(self, verdict: Verdict) -> None:
        """There is a master, perhaps ourselves."""
        ...


class OnLine:
    """Brings one broker on line."""

    def __init__(
        self, clock: Clock, asking: Asking, files: IdentityFiles, names: Names, newcomer: Newcomer
    ) -> None:
        self._clock = clock
        self._asking = asking
        self._files = files
        self._names = names
        self._newcomer = newcomer
        self._rounds = Rounds(clock, RETRY_MS, self._attempt)

    def start(self) -> None:
        """Go the way, from where the last run stopped; nothing if under way."""
        self._rounds.start()

    def stop(self) -> None:
        """Give up."""
        self._rounds.stop()

    async def _attempt(self) -> None:
        """Come through, or raise.

        :raises CallError: no Controller helped.
        :raises CodecError: an answer is broken.
        :raises StoreError: the identity cannot be read or kept.
        """
        identity = await self._identity()
        try:
            verdict = await self._asking.register(identity.broker_id)
        except ControllerRefusedError as refusal:
            if refusal.code == ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED:
                logger.warning("event=id_unknown_to_controllers id=%d", identity.broker_id)
                self._files.give_up()
                self._rounds.soon()
            raise
        if not self._rounds.running:
            return
        self._newcomer.registered(identity.broker_id)
        if not verdict.has_master:
            verdict = await self._asking.elect(identity.broker_id)
        if not verdict.has_master:
            raise CallError("the Controllers elected no master yet")
        if self._rounds.running:
            self._rounds.stop()
            self._newcomer.decided(verdict)

    async def _identity(self) -> Identity:
        """Ours, if need be a new one.

        :raises CallError: no Controller helped, or others always were quicker.
        :raises CodecError: an answer is broken.
        :raises StoreError: a file cannot be read or written.
        """
        for _ in range(ID_TRIES_MAX):
            identity = self._files.load()
            if identity is None:
                identity = self._new(await self._asking.next_id())
                self._files.save(identity)
            if identity.check_code is None:
                return identity
            try:
                await self._asking.apply_id(identity)
            except ControllerRefusedError as refusal:
                if refusal.code != ResponseCode.CONTROLLER_BROKER_ID_INVALID:
                    raise
                logger.info("event=id_taken_by_another id=%d", identity.broker_id)
                self._files.give_up()
                continue
            ours = Identity(identity.cluster_name, identity.broker_name, identity.broker_id)
            self._files.save(ours)
            logger.info("event=id_given id=%d", ours.broker_id)
            return ours
        raise CallError(f"others were quicker with {ID_TRIES_MAX} broker ids")

    def _new(self, broker_id: int) -> Identity:
        names = self._names
        code = f"{names.address};{self._clock.wall_ms()}"
        return Identity(names.cluster_name, names.broker_name, broker_id, code)
