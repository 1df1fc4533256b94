"""A master's changes of the SyncStateSet, proposed to the Controllers.

Only one proposal is under way, and it is made again, unchanged, until its outcome is known: one
whose answer was lost may have been accepted, so until then both the old and the proposed members
must count, and another proposal would leave open which of them do. An outcome is an answer of the
leader: accepted, or refused. A refusal may be the answer to a repetition of what was accepted, so
after one the present set is asked for, of whom a majority of the Controllers takes for the leader;
only if that is the old one, replication is told that it was refused. What it then wants, be it the
same, waits a little.

Source: ReplicasManager.java, doReportSyncStateSetChanged(), 5.3.3, which reports each change once.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from codec.bodies.controller import SyncStateSet
from codec.codes import ResponseCode
from rmq.base.ports import Clock
from rmq.broker.controlled.controllers import ControllerRefusedError
from rmq.broker.controlled.requests import Verdict
from rmq.broker.rounds import Rounds

REFUSALS: Final = frozenset(
    (
        ResponseCode.CONTROLLER_FENCED_MASTER_EPOCH,
        ResponseCode.CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH,
        ResponseCode.CONTROLLER_INVALID_MASTER,
        ResponseCode.CONTROLLER_INVALID_REPLICAS,
        ResponseCode.CONTROLLER_BROKER_NOT_ALIVE,
        ResponseCode.CONTROLLER_ALTER_SYNC_STATE_SET_FAILED,
    )
)
"""What a leader that decided answers; any other code leaves open what becomes of a proposal."""

logger = logging.getLogger(__name__)


class Known(Protocol):
    """What is decided so far."""

    own_id: int | None

    @property
    def verdict(self) -> Verdict:
        """The newest."""
        ...

    @property
    def is_leading(self) -> bool:
        """Whether it names us, and we are what it says."""
        ...

    def learn(self, verdict: Verdict) -> None:
        """Take note of a newer one."""
        ...


class Asking(Protocol):
    """The questions to the Controllers."""

    async def alter(self, broker_id: int, epoch: int, body: SyncStateSet) -> SyncStateSet:
        """Propose members; what is decided then."""
        ...

    async def agreed_info(self) -> Verdict:
        """What is decided now, told by a leader that a majority takes for it."""
        ...


class Wish(NamedTuple):
    """Who should be in sync, as the master of ``epoch`` sees it."""

    epoch: int
    members: frozenset[int]


class Proposal(NamedTuple):
    """``members`` in place of the present set; ``bases`` are the master's epoch and that set's."""

    bases: tuple[int, int]
    members: frozenset[int]


class Proposals:
    """Proposes what replication wants."""

    def __init__(
        self,
        clock: Clock,
        asking: Asking,
        known: Known,
        refused: Callable[[], None],
        *,
        retry_ms: int,
    ) -> None:
        """``refused`` is called when the set is the old one for sure.

        ``retry_ms``: from a failure to the next try.
        """
        self._asking = asking
        self._known = known
        self._refused = refused
        self._wanted: Wish | None = None
        self._open: Proposal | None = None
        self._is_resting = False
        self._rounds = Rounds(clock, retry_ms, self._round)

    def want(self, members: frozenset[int]) -> None:
        """Have ``members`` be in sync; we belong to them always. Also ends what was wanted."""
        own_id = self._known.own_id
        if own_id is None or not self._known.is_leading:
            return
        before, self._wanted = self._wanted, Wish(self._known.verdict.epoch, members | {own_id})
        if not self._rounds.running:
            self._rounds.start()
        elif self._wanted != before and not self._is_resting:
            self._rounds.soon()

    def stop(self) -> None:
        """Propose no more."""
        self._wanted = self._open = None
        self._rounds.stop()

    async def _round(self) -> None:
        """Propose once, if there is something to propose.

        :raises CallError: the outcome is not known, or it was refused.
        :raises CodecError: the answer is broken.
        """
        self._is_resting = False
        proposal = self._next()
        if proposal is None:
            self.stop()
            return
        self._open = proposal
        try:
            decided = await self._alter(proposal)
        except ControllerRefusedError as error:
            if error.code in REFUSALS:
                await self._look(proposal)
            raise
        self._open = None
        known = self._known.verdict
        if known.epoch == proposal.bases[0]:
            members = frozenset(decided.sync_state_set or ())
            number = decided.sync_state_set_epoch
            self._known.learn(replace(known, in_sync=members, in_sync_epoch=number))
        self._rounds.soon()

    async def _alter(self, proposal: Proposal) -> SyncStateSet:
        epoch, number = proposal.bases
        own_id = self._known.own_id
        assert own_id is not None, "who leads has an id"
        body = SyncStateSet(sync_state_set=set(proposal.members), sync_state_set_epoch=number)
        return await self._asking.alter(own_id, epoch, body)

    async def _look(self, refused: Proposal) -> None:
        """What is decided, now that a proposal was refused?"""
        self._known.learn(await self._asking.agreed_info())
        self._is_resting = True
        self._open = self._wanted = None
        known = self._known.verdict
        if refused.bases == (known.epoch, known.in_sync_epoch):
            self._refused()

    def _next(self) -> Proposal | None:
        """What to propose now: what is open, else what is wanted and not so; None: nothing."""
        known = self._known.verdict
        if not self._known.is_leading:
            return None
        made, wanted = self._open, self._wanted
        if made is not None and made.bases == (known.epoch, known.in_sync_epoch):
            return made
        if wanted is None or wanted.epoch != known.epoch or wanted.members == known.in_sync:
            return None
        return Proposal((known.epoch, known.in_sync_epoch), wanted.members)
