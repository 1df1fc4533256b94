import pytest

from codec.codes import RequestCode, ResponseCode
from rmq.base.errors import CallError
from rmq.base.manual import ManualClock
from rmq.broker.controlled.controllers import ControllerRefusedError
from rmq.broker.controlled.polling import Polling
from rmq.broker.controlled.requests import Verdict

LED = Verdict(master_id=1, master_address="h:1", epoch=2)
PERIOD_MS = 5_000


class Scene:
    """Polls of broker 1, whose group has a master of epoch 2."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.own_id: int | None = 1
        self.verdict = LED
        self.answer: Verdict | Exception = LED
        self.learnt: list[Verdict] = []
        self.elections = 0
        self.unknown = 0
        self.polling = Polling(self.clock, self, self, period_ms=PERIOD_MS, unknown=self.is_unknown)
        self.polling.start()

    def is_unknown(self) -> None:
        """We must register again."""
        self.unknown += 1

    async def replica_info(self) -> Verdict:
        """What is decided now."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def elect(self, broker_id: int) -> Verdict:
        """Have a master."""
        assert broker_id == 1
        self.elections += 1
        return Verdict(master_id=1, master_address="h:1", epoch=4)

    def learn(self, verdict: Verdict) -> None:
        """Take note."""
        self.learnt.append(verdict)


def test_it_is_asked_each_period_and_when_wanted() -> None:
    scene = Scene()
    assert scene.learnt == []

    scene.clock.advance(2 * PERIOD_MS)
    scene.polling.soon()

    assert scene.learnt == [LED] * 3
    assert scene.elections == 0


def test_a_group_whose_master_was_voted_out_gets_an_election() -> None:
    scene = Scene()
    scene.answer = Verdict(epoch=3)

    scene.polling.soon()

    assert scene.elections == 1
    assert [verdict.epoch for verdict in scene.learnt] == [4]


def test_old_news_of_no_master_bring_no_election() -> None:
    scene = Scene()
    scene.answer = Verdict(epoch=2)

    scene.polling.soon()

    assert scene.elections == 0


@pytest.mark.parametrize(
    ("code", "unknown"),
    [
        (ResponseCode.CONTROLLER_BROKER_METADATA_NOT_EXIST, 1),
        (ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED, 1),
        (ResponseCode.CONTROLLER_NOT_LEADER, 0),
    ],
)
def test_who_is_unknown_registers_again(code: ResponseCode, unknown: int) -> None:
    scene = Scene()
    scene.answer = ControllerRefusedError(RequestCode.CONTROLLER_GET_REPLICA_INFO, code, "no")

    scene.polling.soon()

    assert scene.unknown == unknown
    assert scene.learnt == []


def test_a_failure_is_survived_and_the_end_is_one() -> None:
    scene = Scene()
    scene.answer = CallError("no leader")
    scene.polling.soon()
    scene.answer = LED
    scene.clock.advance(PERIOD_MS)

    scene.polling.stop()
    scene.clock.advance(PERIOD_MS)

    assert scene.learnt == [LED]
