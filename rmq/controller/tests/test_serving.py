import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.base.manual import ManualClock
from rmq.controller.commands import Outcome
from rmq.controller.events import build_event
from rmq.controller.serving import AGREE_MS, ANSWER_MS, RETRY_MS, WAITING_MAX, Serving
from rmq.controller.state import State
from rmq.controller.tests.parts import Group, joined, result


class Scene:
    def __init__(self):
        self.clock = ManualClock()
        self.group = Group()
        self.state = State()
        self.reads_wait = False
        self.told = []
        self.ran = []
        self.serving = Serving(self.group, self.clock, self.state, lambda: self.reads_wait)
        self.serving.on_serving(self.told.append)

    def ask(self, name="read", *events):
        def command():
            self.ran.append(name)
            return Outcome(remark=name, events=events)

        return self.serving.ask(command)

    def served(self):
        """Elected, and settled."""
        self.group.elect()
        return self


def remark(deferred):
    return result(deferred).remark


def is_refused(deferred, code):
    error = result(deferred)
    assert isinstance(error, CommandError)
    assert error.code == code
    return error.remark


def test_who_does_not_lead_sends_away():
    scene = Scene()

    assert "nobody does" in is_refused(scene.ask(), ResponseCode.CONTROLLER_NOT_LEADER)
    scene.group.elect("n1")
    assert "n1 does" in is_refused(scene.ask(), ResponseCode.CONTROLLER_NOT_LEADER)
    assert not scene.serving.leads


def test_nothing_is_decided_before_the_barrier_of_a_new_leader_is_applied():
    scene = Scene()
    scene.group.agrees = False

    scene.group.elect()
    asked = scene.ask()

    assert scene.serving.leads
    assert not scene.serving.serves
    assert scene.ran == []
    assert scene.group.proposed[0][0] == [b""]
    scene.group.commit(build_event(joined(1)))
    scene.group.agree()
    assert scene.serving.serves
    assert scene.told == [True]
    assert remark(asked) == "read"
    assert scene.state.known("a") is not None


def test_without_a_listener_a_leader_serves_all_the_same():
    group = Group()
    serving = Serving(group, ManualClock(), State(), lambda: False)

    group.elect()

    assert serving.serves


def test_events_are_applied_before_the_answer():
    scene = Scene().served()
    scene.group.agrees = False

    asked = scene.ask("two", joined(1), joined(2))

    assert scene.group.proposed[0][0] == [build_event(joined(1)), build_event(joined(2))]
    assert not asked.called
    scene.group.agree()
    assert remark(asked) == "two"
    assert list(scene.state.broker_sets["a"].replicas) == [1, 2]
    assert scene.clock.owed == 0


def test_commands_run_one_at_a_time_in_order():
    scene = Scene().served()
    scene.group.agrees = False
    asked = [scene.ask("w1", joined(1)), scene.ask("r1"), scene.ask("w2", joined(2))]

    assert scene.ran == ["w1"]
    scene.group.agree()
    assert scene.ran == ["w1", "r1", "w2"]
    assert [one.called for one in asked] == [True, True, False]
    scene.group.agree()
    assert [remark(one) for one in asked] == ["w1", "r1", "w2"]


def test_a_command_asked_for_by_an_answer_runs_after_it():
    scene = Scene().served()
    asked = []

    scene.ask("first").addCallback(lambda _: asked.append(scene.ask("second")))

    assert remark(asked[0]) == "second"


def test_reads_share_one_barrier_where_no_answer_may_be_out_of_date():
    scene = Scene().served()
    scene.reads_wait = True
    scene.group.agrees = False
    first = scene.ask("r0")
    others = [scene.ask("r1"), scene.ask("r2"), scene.ask("w", joined(1)), scene.ask("r3")]

    scene.group.agree()
    assert remark(first) == "r0"
    assert scene.group.proposed[0][0] == [build_event(joined(1))]
    scene.group.agree()
    assert [one.called for one in others] == [True, True, True, False]
    assert scene.group.proposed[0][0] == [b""]
    scene.group.agree()
    assert remark(others[3]) == "r3"


def test_a_command_that_fails_does_not_stop_the_line():
    scene = Scene().served()

    failed = scene.serving.ask(lambda: 1 // 0)

    assert isinstance(result(failed), ZeroDivisionError)
    assert remark(scene.ask()) == "read"


def test_after_an_outcome_that_is_not_known_a_barrier_comes_first():
    scene = Scene().served()
    scene.group.agrees = False
    lost, next_one = scene.ask("w", joined(1)), scene.ask("r")

    scene.group.disagree()

    assert "WAIT_QUORUM_ACK_TIMEOUT" in is_refused(lost, ResponseCode.SYSTEM_ERROR)
    assert not scene.serving.serves
    assert scene.group.proposed == []
    scene.clock.advance(RETRY_MS)
    assert scene.group.proposed[0][0] == [b""]
    assert scene.ran == ["w"]
    scene.group.agree()
    assert remark(next_one) == "r"
    assert scene.told == [True]


def test_a_barrier_is_tried_until_it_is_applied():
    scene = Scene()
    scene.group.agrees = False
    scene.group.elect()

    for _ in range(3):
        scene.group.disagree()
        scene.clock.advance(RETRY_MS)
    scene.group.agree()

    assert scene.serving.serves


def test_a_proposal_without_any_answer_is_given_up():
    scene = Scene().served()
    scene.group.agrees = False
    lost = scene.ask("w", joined(1))

    scene.clock.advance(AGREE_MS)

    assert is_refused(lost, ResponseCode.SYSTEM_ERROR)
    scene.group.agree()
    assert not scene.serving.serves
    scene.clock.advance(RETRY_MS)
    scene.group.agree()
    assert scene.serving.serves


def test_a_refusal_that_comes_after_that_is_not_heard():
    scene = Scene().served()
    scene.group.agrees = False
    lost = scene.ask("w", joined(1))

    scene.clock.advance(AGREE_MS)
    scene.group.disagree()

    assert is_refused(lost, ResponseCode.SYSTEM_ERROR)
    assert scene.clock.owed == 1


def test_who_waits_too_long_is_answered_and_its_command_never_runs():
    scene = Scene()
    scene.group.agrees = False
    scene.group.elect()
    late = scene.ask("late")
    scene.clock.advance(ANSWER_MS - RETRY_MS)
    asked = scene.ask("in time")

    scene.clock.advance(RETRY_MS)
    assert f"{ANSWER_MS} ms" in is_refused(late, ResponseCode.SYSTEM_ERROR)
    scene.clock.advance(RETRY_MS)
    scene.group.agree()
    scene.group.agree()

    assert scene.ran == ["in time"]
    assert remark(asked) == "in time"


def test_who_loses_leadership_sends_away_who_waits_and_tells_so():
    scene = Scene().served()
    scene.group.agrees = False
    open_one, waiting = scene.ask("w", joined(1)), scene.ask("r")

    scene.group.elect("n1")

    assert scene.told == [True, False]
    is_refused(waiting, ResponseCode.CONTROLLER_NOT_LEADER)
    assert not open_one.called
    scene.group.disagree("TERM_CHANGED")
    is_refused(open_one, ResponseCode.SYSTEM_ERROR)
    assert not scene.serving.serves
    assert scene.clock.owed == 0


def test_a_proposal_of_an_earlier_reign_that_is_applied_is_answered():
    scene = Scene().served()
    scene.group.agrees = False
    open_one = scene.ask("w", joined(1))

    scene.group.elect("n1")
    scene.group.elect("n0")
    scene.group.agree()

    assert remark(open_one) == "w"
    assert not scene.serving.serves
    scene.group.agree()
    assert scene.serving.serves


def test_a_leader_that_is_elected_again_settles_again():
    scene = Scene().served()
    scene.group.agrees = False

    scene.group.elect()

    assert not scene.serving.serves
    scene.group.agree()
    assert scene.serving.serves
    assert scene.told == [True]


def test_leadership_that_is_lost_between_proposal_and_role_change_settles_nothing():
    scene = Scene()
    scene.group.agrees = False
    scene.group.elect()

    scene.group.is_leader = False
    scene.group.agree()

    assert not scene.serving.serves


def test_a_retry_is_dropped_with_the_leadership():
    scene = Scene()
    scene.group.agrees = False
    scene.group.elect()
    scene.group.disagree()

    scene.group.elect("n1")
    scene.clock.advance(RETRY_MS)

    assert scene.group.proposed == []


def test_too_many_may_not_wait():
    scene = Scene()
    scene.group.agrees = False
    scene.group.elect()
    for _ in range(WAITING_MAX):
        scene.ask().addErrback(lambda _: None)

    assert "ask again later" in is_refused(scene.ask(), ResponseCode.SYSTEM_BUSY)


def test_after_the_stop_nobody_is_answered():
    scene = Scene().served()
    scene.group.agrees = False
    scene.ask("w", joined(1))
    waiting = scene.ask()

    scene.serving.stop()

    is_refused(waiting, ResponseCode.CONTROLLER_NOT_LEADER)
    is_refused(scene.ask(), ResponseCode.CONTROLLER_NOT_LEADER)
    assert scene.told == [True, False]


@pytest.mark.parametrize("body", [b"\0\x04{}", b"\0\x01{", b"x"])
def test_an_entry_that_is_no_event_has_no_effect(body, caplog):
    scene = Scene().served()

    scene.group.commit(body, build_event(joined(1)))

    assert "entry_without_effect index=1" in caplog.text
    assert scene.state.known("a") is not None
