from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from codec.bodies.controller import SyncStateSet
from codec.codes import RequestCode, ResponseCode
from rmq.base.errors import CallError
from rmq.base.manual import ManualClock
from rmq.broker.controlled.controllers import ControllerRefusedError
from rmq.broker.controlled.proposals import Proposals
from rmq.broker.controlled.requests import Verdict

RETRY_MS = 1_000
ALONE, BOTH, ALL = frozenset((1,)), frozenset((1, 2)), frozenset((1, 2, 3))


class Scene:
    """Proposals of broker 1, master in epoch 3; its set has the number 5."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.own_id: int | None = 1
        self.is_leading = True
        self.verdict = Verdict(
            master_id=1, master_address="h:1", epoch=3, in_sync=ALONE, in_sync_epoch=5
        )
        self.asked: list[tuple[int, int, set[int], int, Deferred[SyncStateSet]]] = []
        self.looked: list[Deferred[Verdict]] = []
        self.refusals = 0
        self.proposals = Proposals(self.clock, self, self, self.refused, retry_ms=RETRY_MS)

    def refused(self) -> None:
        """The set is the old one for sure."""
        self.refusals += 1

    async def alter(self, broker_id: int, epoch: int, body: SyncStateSet) -> SyncStateSet:
        """Propose members."""
        answer: Deferred[SyncStateSet] = Deferred()
        members, number = set(body.sync_state_set or ()), body.sync_state_set_epoch
        self.asked.append((broker_id, epoch, members, number, answer))
        return await answer

    async def agreed_info(self) -> Verdict:
        """What is decided now."""
        answer: Deferred[Verdict] = Deferred()
        self.looked.append(answer)
        return await answer

    def learn(self, verdict: Verdict) -> None:
        """Take note."""
        self.verdict = verdict

    def accept(self, number: int) -> None:
        """The newest proposal is accepted."""
        members = self.asked[-1][2]
        self.asked[-1][4].callback(
            SyncStateSet(sync_state_set=members, sync_state_set_epoch=number)
        )

    def refuse(self, code: ResponseCode) -> None:
        """The newest proposal is refused."""
        self.asked[-1][4].errback(
            ControllerRefusedError(RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET, code, "no")
        )

    @property
    def proposed(self) -> list[tuple[set[int], int]]:
        """Members and numbers of all proposals so far."""
        return [(members, number) for _, _, members, number, _ in self.asked]


def test_a_wish_is_proposed_and_what_is_decided_is_learnt() -> None:
    scene = Scene()

    scene.proposals.want(frozenset((2,)))
    assert scene.asked[0][:4] == (1, 3, {1, 2}, 5)
    scene.accept(6)
    scene.clock.advance(10 * RETRY_MS)

    assert (scene.verdict.in_sync, scene.verdict.in_sync_epoch) == (BOTH, 6)
    assert len(scene.asked) == 1
    assert scene.clock.owed == 0


def test_one_proposal_is_under_way_and_the_newest_wish_comes_next() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.proposals.want(ALONE)
    scene.proposals.want(ALL)
    assert len(scene.asked) == 1

    scene.accept(6)
    scene.clock.advance(0)

    assert scene.proposed == [({1, 2}, 5), ({1, 2, 3}, 6)]


def test_a_proposal_without_an_outcome_is_repeated_whatever_is_wanted_by_now() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.proposals.want(ALONE)

    scene.asked[-1][4].errback(CallError("no answer"))
    scene.clock.advance(RETRY_MS)
    assert scene.proposed == [({1, 2}, 5)] * 2
    scene.refuse(ResponseCode.SYSTEM_ERROR)
    scene.clock.advance(RETRY_MS)
    scene.accept(6)
    scene.clock.advance(0)

    assert scene.proposed == [({1, 2}, 5)] * 3 + [({1}, 6)]


def test_a_refusal_counts_when_the_set_is_the_old_one_and_then_there_is_a_pause() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)

    scene.refuse(ResponseCode.CONTROLLER_BROKER_NOT_ALIVE)
    assert scene.refusals == 0
    scene.looked[0].callback(scene.verdict)
    scene.proposals.want(BOTH)
    assert scene.refusals == 1
    assert len(scene.asked) == 1
    scene.clock.advance(RETRY_MS)

    assert scene.proposed == [({1, 2}, 5)] * 2


def test_what_was_refused_is_not_proposed_again_unless_it_is_wanted_again() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.refuse(ResponseCode.CONTROLLER_BROKER_NOT_ALIVE)
    scene.looked[0].callback(scene.verdict)

    scene.clock.advance(10 * RETRY_MS)

    assert len(scene.asked) == 1
    assert scene.clock.owed == 0


def test_a_repetition_that_is_refused_may_have_been_accepted_before() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.asked[-1][4].errback(CallError("no answer"))
    scene.clock.advance(RETRY_MS)

    scene.refuse(ResponseCode.CONTROLLER_ALTER_SYNC_STATE_SET_FAILED)
    scene.looked[0].callback(replace(scene.verdict, in_sync=BOTH, in_sync_epoch=6))
    scene.clock.advance(10 * RETRY_MS)

    assert scene.refusals == 0
    assert scene.verdict.in_sync == BOTH
    assert len(scene.asked) == 2


def test_a_refusal_is_open_until_it_is_known_what_is_decided() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.refuse(ResponseCode.CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH)

    scene.looked[0].errback(CallError("no answer"))
    scene.clock.advance(RETRY_MS)

    assert scene.refusals == 0
    assert scene.proposed == [({1, 2}, 5)] * 2


def test_an_open_proposal_ends_when_the_set_has_another_number() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.asked[-1][4].errback(CallError("no answer"))

    scene.verdict = replace(scene.verdict, in_sync=BOTH, in_sync_epoch=6)
    scene.clock.advance(10 * RETRY_MS)

    assert len(scene.asked) == 1


@pytest.mark.parametrize(("own_id", "is_leading"), [(None, True), (1, False)])
def test_only_a_master_proposes(own_id: int | None, is_leading: bool) -> None:
    scene = Scene()
    scene.own_id, scene.is_leading = own_id, is_leading

    scene.proposals.want(BOTH)

    assert scene.asked == []


def test_a_wish_of_another_reign_is_forgotten() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.asked[-1][4].errback(CallError("no answer"))

    scene.verdict = replace(scene.verdict, epoch=7)
    scene.clock.advance(10 * RETRY_MS)

    assert len(scene.asked) == 1


def test_a_master_that_was_replaced_meanwhile_proposes_no_more() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)
    scene.verdict = replace(scene.verdict, master_id=2, epoch=4)
    scene.is_leading = False

    scene.accept(6)
    scene.clock.advance(10 * RETRY_MS)

    assert scene.verdict.in_sync_epoch == 5
    assert len(scene.asked) == 1


def test_after_the_end_nothing_is_proposed() -> None:
    scene = Scene()
    scene.proposals.want(BOTH)

    scene.proposals.stop()
    scene.asked[-1][4].errback(CallError("no answer"))
    scene.clock.advance(10 * RETRY_MS)

    assert len(scene.asked) == 1
