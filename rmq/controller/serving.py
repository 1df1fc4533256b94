"""Commands, one at a time: decided on the applied tables, agreed on by the group, then answered.

::

    follows --(elected)--> settles --(barrier applied)--> serves
       ^                      ^                             |
       |                      +---(outcome not known)-------+
       +--------------(another leads, or nobody)------------+

*Settles*: this Controller leads, but entries before its time may be committed and not applied, or a
proposal of its own may have failed and be committed yet. So it proposes a barrier, an empty entry,
and decides nothing before that is applied: then everything before it is applied too, or lost for
good. Requests wait meanwhile.

*Serves*: nothing is pending when a command is decided, and the next one is decided when the events
of the last are applied. What needs no event is answered at once, or, with ``processReadEvent``,
after a barrier, which proves that nobody else was leading when it was decided; requests that come
together share one. See ADR 6.

Source: DLedgerController.java, 5.3.3, which decides on although the outcome of a proposal is not
known, and refuses while it settles.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, fail

from codec.codes import ResponseCode
from codec.errors import CodecError
from rmq.base.errors import CommandError
from rmq.base.ports import Clock, Timer
from rmq.controller.commands import Outcome
from rmq.controller.consensus import AppliedEntry, Consensus
from rmq.controller.events import build_event, parse_event
from rmq.controller.state import State

logger = logging.getLogger(__name__)

ANSWER_MS = 5_000
"""How long a request waits at most. Source: ControllerRequestProcessor.java, WAIT_TIMEOUT_OUT."""

AGREE_MS = 5_000
"""How long a proposal is waited for. Source: DLedgerController.java, appendToDLedgerAndWait()."""

RETRY_MS = 100
"""How soon a barrier that failed is proposed again."""

WAITING_MAX = 1024
"""Requests that may wait. Source: DLedgerController.java, EventScheduler."""

BARRIER = (b"",)

Command = Callable[[], Outcome]


class Waiting(msgspec.Struct, eq=False):
    """A command that is not answered yet."""

    command: Command
    answer: "Deferred[Outcome]"
    timer: Timer
    over: bool = False


Decided = tuple[Waiting, Outcome]


class Proposal(msgspec.Struct, eq=False):
    """What the group was asked, and who is answered when it has agreed."""

    decided: Sequence[Decided]
    timer: Timer | None = None
    open: bool = True


class Serving:
    """Runs commands while this Controller leads."""

    def __init__(
        self,
        consensus: Consensus,
        clock: Clock,
        state: State,
        reads_wait: Callable[[], bool],
    ) -> None:
        """``reads_wait``: whether processReadEvent is set now."""
        self._consensus = consensus
        self._clock = clock
        self._state = state
        self._reads_wait = reads_wait
        self._listener: Callable[[bool], object] = lambda _: None
        self._queue: deque[Waiting] = deque()
        self._settled = False
        self._told = False
        self._proposal: Proposal | None = None
        self._retry: Timer | None = None
        self._working = False
        self._stopped = False
        consensus.on_apply(self._apply)
        consensus.on_role(self._role_changed)

    @property
    def leads(self) -> bool:
        """Whether commands are taken here."""
        return self._consensus.is_leader and not self._stopped

    @property
    def serves(self) -> bool:
        """Whether commands are decided here now, and do not wait for a barrier first."""
        return self._settled

    def on_serving(self, listener: Callable[[bool], object]) -> None:
        """Have ``listener`` told True when this Controller begins to serve, False when it leads no
        longer. There is one listener.
        """
        self._listener = listener

    def ask(self, command: Command) -> "Deferred[Outcome]":
        """Have ``command`` decided in its turn; fires when its events are applied.

        Fails with CommandError: CONTROLLER_NOT_LEADER; SYSTEM_BUSY, too many wait; SYSTEM_ERROR,
        the group did not agree in time, and may yet.
        """
        if not self.leads:
            return fail(self._not_leader())
        if len(self._queue) >= WAITING_MAX:
            return fail(
                CommandError(
                    ResponseCode.SYSTEM_BUSY,
                    f"{WAITING_MAX} requests wait for the controllers to agree; ask again later",
                )
            )
        answer: Deferred[Outcome] = Deferred()
        timer = self._clock.call_later(ANSWER_MS, lambda: self._late(waiting))
        waiting = Waiting(command, answer, timer)
        self._queue.append(waiting)
        self._work()
        return answer

    def stop(self) -> None:
        """Answer nobody any more."""
        self._stopped = True
        self._lose()

    def _apply(self, entry: AppliedEntry) -> None:
        if not entry.body:
            return
        try:
            self._state.apply(parse_event(entry.body))
        except CodecError:
            logger.exception("event=entry_without_effect index=%d", entry.index)

    def _role_changed(self, _role: object, term: int) -> None:
        logger.info(
            "event=controller_role leads=%s leader=%s term=%d",
            self._consensus.is_leader,
            self._consensus.leader_id,
            term,
        )
        self._proposal = None  # what it still brings is of another reign
        self._unsettle()
        if self._consensus.is_leader:
            self._work()
        else:
            self._lose()

    def _lose(self) -> None:
        """Stop to serve, and send away who waits."""
        self._unsettle()
        if self._told:
            self._told = False
            self._listener(False)
        queue, self._queue = self._queue, deque()
        for waiting in queue:
            _end(waiting, self._not_leader())

    def _unsettle(self) -> None:
        self._settled = False
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _work(self) -> None:
        """Go on as far as is possible without waiting for the group."""
        if self._working:
            return
        self._working = True
        try:
            while self._may_go_on():
                if not self._settled:
                    self._propose(BARRIER, ())
                else:
                    self._decide()
        finally:
            self._working = False

    def _may_go_on(self) -> bool:
        if self._proposal is not None or self._retry is not None or not self.leads:
            return False
        return not self._settled or bool(self._queue)

    def _decide(self) -> None:
        """Decide commands until one has events, then propose; answer those that need not wait."""
        shared: list[Decided] = []
        while self._queue:
            waiting = self._queue.popleft()
            if waiting.over:
                continue
            try:
                outcome = waiting.command()
            except Exception as error:  # noqa: BLE001 - one bad command must not end the line
                _end(waiting, error)
                continue
            if outcome.events:
                self._propose(
                    [build_event(event) for event in outcome.events], [*shared, (waiting, outcome)]
                )
                return
            if self._reads_wait():
                shared.append((waiting, outcome))
            else:
                _end(waiting, outcome)
        if shared:
            self._propose(BARRIER, shared)

    def _propose(self, bodies: Sequence[bytes], decided: Sequence[Decided]) -> None:
        """Have the group agree, then answer; ``decided`` is empty for a barrier that settles."""
        proposal = self._proposal = Proposal(decided)
        proposal.timer = self._clock.call_later(
            AGREE_MS, lambda: self._not_agreed(proposal, f"no majority within {AGREE_MS} ms")
        )
        agreed: Deferred[Any] = self._consensus.propose(bodies)
        agreed.addCallbacks(
            lambda _: self._agreed(proposal),
            lambda failure: self._not_agreed(proposal, failure.value),
        )

    def _agreed(self, proposal: Proposal) -> None:
        """Its entries are applied here."""
        if not self._close(proposal):
            return
        is_current = self._proposal is proposal
        if is_current:
            self._proposal = None
        for waiting, outcome in proposal.decided:
            _end(waiting, outcome)
        if is_current and not self._settled and self._consensus.is_leader:
            self._settle()
        self._work()

    def _not_agreed(self, proposal: Proposal, why: object) -> None:
        """Its entries are lost, or applied later: nothing is known of the tables any more."""
        if not self._close(proposal):
            return
        logger.warning("event=proposal_failed leads=%s cause=%s", self._consensus.is_leader, why)
        if self._proposal is proposal:
            self._proposal = None
            self._unsettle()
            self._retry = self._clock.call_later(RETRY_MS, self._try_again)
        error = CommandError(
            ResponseCode.SYSTEM_ERROR,
            f"the controllers did not agree: {why}; it may have happened or not, ask again",
        )
        for waiting, _ in proposal.decided:
            _end(waiting, error)

    def _close(self, proposal: Proposal) -> bool:
        """Take the first end of a proposal; False for a second one."""
        was_open, proposal.open = proposal.open, False
        if was_open and proposal.timer is not None:
            proposal.timer.cancel()
        return was_open

    def _settle(self) -> None:
        self._settled = True
        if not self._told:
            self._told = True
            logger.info("event=controller_serves term=%d", self._consensus.term)
            self._listener(True)

    def _try_again(self) -> None:
        self._retry = None
        self._work()

    def _late(self, waiting: Waiting) -> None:
        remark = f"the controllers did not agree within {ANSWER_MS} ms; ask again"
        _end(waiting, CommandError(ResponseCode.SYSTEM_ERROR, remark))

    def _not_leader(self) -> CommandError:
        leader_id = self._consensus.leader_id
        leader = "nobody does now" if leader_id is None else f"{leader_id} does"
        return CommandError(
            ResponseCode.CONTROLLER_NOT_LEADER,
            f"The controller is not in leader state: {leader}; ask any for the metadata",
        )


def _end(waiting: Waiting, result: Outcome | Exception) -> None:
    """Answer, unless that was done."""
    if waiting.over:
        return
    waiting.over = True
    waiting.timer.cancel()
    if isinstance(result, Exception):
        waiting.answer.errback(result)
    else:
        waiting.answer.callback(result)
