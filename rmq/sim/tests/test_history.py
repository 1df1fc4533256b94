import pytest

from rmq.sim.history import Attempt, Fate, GivenUp, History, Outcome, Promises, Queue
from rmq.sim.world import SimulationError

Q = Queue("a", "T", 0)
G = Queue("a", "TRANS_CHECK_MAX_TIME_TOPIC", 0)


def sent(history, body, outcome=Outcome.ACKED, offset=-1, queue=Q):
    attempt = Attempt(body, "p", queue, 0, outcome, offset)
    history.begun(attempt)
    return attempt


@pytest.fixture
def history():
    return History()


def test_what_was_acked_and_read_is_as_it_should_be(history):
    sent(history, b"1", offset=0)
    sent(history, b"lost", Outcome.UNKNOWN)
    sent(history, b"2", offset=1)
    history.read(Q, 0, b"1", "c")
    history.read(Q, 0, b"1", "d")

    history.judge({Q: [b"1", b"2"]})

    assert history.reads == 4


def test_what_nobody_sent_is_found(history):
    with pytest.raises(SimulationError, match="invented"):
        history.read(Q, 0, b"1", "c")


def test_what_is_in_another_queue_is_found(history):
    sent(history, b"1", offset=0)
    with pytest.raises(SimulationError, match="misplaced"):
        history.read(Queue("a", "T", 1), 0, b"1", "c")


def test_what_is_not_where_it_was_acknowledged_is_found(history):
    sent(history, b"1", offset=0)
    with pytest.raises(SimulationError, match="moved"):
        history.read(Q, 1, b"1", "c")


def test_an_offset_that_shows_something_else_is_found(history):
    sent(history, b"1", Outcome.UNKNOWN)
    sent(history, b"2", Outcome.UNKNOWN)
    history.read(Q, 0, b"1", "c")
    with pytest.raises(SimulationError, match="changed"):
        history.read(Q, 0, b"2", "d")


def test_an_attempt_stored_twice_is_found(history):
    sent(history, b"1", Outcome.UNKNOWN)
    history.read(Q, 0, b"1", "c")
    with pytest.raises(SimulationError, match="doubled"):
        history.read(Q, 1, b"1", "c")


def test_a_hole_is_found(history):
    with pytest.raises(SimulationError, match="hole"):
        history.skipped(Q, 1, 2, "c")


@pytest.mark.parametrize("bodies", [[], [b"2"]])
def test_an_acknowledged_message_that_is_not_there_is_found(history, bodies):
    history.promises.reads_survive = False
    sent(history, b"1", offset=0)
    sent(history, b"2", Outcome.UNKNOWN)
    with pytest.raises(SimulationError, match="lost"):
        history.judge({Q: bodies})


def test_a_table_that_has_something_twice_is_found(history):
    history.promises.reads_survive = False
    sent(history, b"1", Outcome.UNKNOWN)
    with pytest.raises(SimulationError, match="doubled"):
        history.judge({Q: [b"1", b"1"]})


def test_messages_in_another_order_than_they_were_acknowledged_are_found(history):
    sent(history, b"2", offset=1)
    sent(history, b"1", offset=0)
    with pytest.raises(SimulationError, match="reordered"):
        history.judge({Q: [b"1", b"2"]})


def test_what_was_read_and_is_gone_is_found(history):
    sent(history, b"1", Outcome.UNKNOWN)
    history.read(Q, 0, b"1", "c")
    with pytest.raises(SimulationError, match="unread"):
        history.judge({Q: []})


def test_what_is_not_promised_is_not_missed():
    history = History(Promises(acked_survive=False, reads_survive=False))
    sent(history, b"1", offset=0)
    history.read(Q, 0, b"1", "c")

    history.judge({Q: []})

    history.promises.acked_survive = True
    with pytest.raises(SimulationError, match="lost"):
        history.judge({})


def test_reads_need_not_survive_where_only_acknowledged_messages_do():
    history = History(Promises(reads_survive=False))
    sent(history, b"1", Outcome.UNKNOWN)
    history.read(Q, 0, b"1", "c")

    history.judge({Q: []})


def test_a_delayed_message_comes_anywhere_and_perhaps_again(history):
    sent(history, b"1", offset=5).delayed = True
    sent(history, b"2", offset=1)
    assert [one.body for one in history.missing({Q: [b"2"]})] == [b"1"]
    history.read(Q, 0, b"1", "c")

    history.judge({Q: [b"1", b"2", b"1"]})

    assert history.missing({Q: [b"1", b"2", b"1"]}) == []


def test_a_delayed_message_that_was_acked_and_does_not_come_is_lost(history):
    sent(history, b"1", offset=0).delayed = True
    sent(history, b"2", Outcome.UNKNOWN).delayed = True

    with pytest.raises(SimulationError, match="lost: b'1', acknowledged to be delivered later"):
        history.judge({Q: []})


def test_a_delayed_message_of_another_queue_is_found(history):
    sent(history, b"1", offset=0).delayed = True

    with pytest.raises(SimulationError, match="misplaced"):
        history.judge({Queue("a", "T", 1): [b"1"]})


def half(history, body=b"1", fate=Fate.COMMITTED, outcome=Outcome.ACKED):
    attempt = sent(history, body, outcome, offset=7)
    attempt.fate = fate
    return attempt


def test_what_was_committed_comes_anywhere_and_once(history):
    committed = half(history)
    half(history, b"2", Fate.ROLLED_BACK)
    half(history, b"3", Fate.OPEN, Outcome.UNKNOWN)
    sent(history, b"4", offset=0)
    assert history.missing({Q: [b"4"]}) == [committed]
    assert len(history.transactions()) == 3
    history.read(Q, 1, b"1", "c")

    history.judge({Q: [b"4", b"1"]})

    assert history.missing({Q: [b"4", b"1"]}) == []


def test_what_was_committed_and_does_not_come_is_lost(history):
    half(history)

    with pytest.raises(SimulationError, match="lost: b'1', committed"):
        history.judge({Q: []})


def test_what_was_committed_and_is_seen_twice_is_found(history):
    half(history)
    history.read(Q, 0, b"1", "c")
    with pytest.raises(SimulationError, match="doubled"):
        history.read(Q, 1, b"1", "c")

    history.promises.reads_survive = False
    with pytest.raises(SimulationError, match="doubled"):
        history.judge({Q: [b"1", b"1"]})


@pytest.mark.parametrize("fate", [Fate.OPEN, Fate.ROLLED_BACK])
def test_what_nobody_committed_must_not_be_seen(history, fate):
    half(history, fate=fate)

    with pytest.raises(SimulationError, match=f"shown: .* whose transaction is {fate.value}"):
        history.read(Q, 0, b"1", "c")


def test_what_was_seen_before_it_was_committed_is_found(history):
    attempt = half(history, fate=Fate.OPEN)
    with pytest.raises(SimulationError, match="shown"):
        history.read(Q, 0, b"1", "c")
    attempt.fate = Fate.COMMITTED

    history.read(Q, 0, b"1", "c")


def test_what_was_committed_to_another_queue_is_found(history):
    half(history)

    with pytest.raises(SimulationError, match="misplaced"):
        history.read(Queue("a", "T", 1), 0, b"1", "c")


def test_a_broker_asks_about_transactions_only(history):
    attempt = half(history, b"p#1...", Fate.OPEN)
    sent(history, b"2", offset=0)

    assert history.asked(b"p#1...", "p#1", "b") is attempt
    for body, transaction_id in ((b"p#1...", "p#2"), (b"2", "2"), (b"3", "3")):
        with pytest.raises(SimulationError, match="invented: b asks about"):
            history.asked(body, transaction_id, "b")


def test_processes_of_a_producer_share_its_numbers(history):
    assert [history.next_number(name) for name in ("p", "q", "p")] == [1, 1, 2]


def test_what_nobody_decided_is_given_up_or_lost(history):
    half(history, fate=Fate.OPEN)
    half(history, b"2", Fate.OPEN, Outcome.UNKNOWN)
    assert history.missing({}) == []
    history.promises.gives_up = True
    with pytest.raises(SimulationError, match="lost: b'1', open"):
        history.judge({Q: []})

    GivenUp(history).read(G, 0, b"1", "g")

    history.judge({Q: []})


def test_what_was_committed_may_be_given_up_in_several_copies(history):
    history.promises.gives_up = True
    half(history)
    given_up = GivenUp(history)
    given_up.read(G, 0, b"1", "g")
    given_up.read(G, 1, b"1", "g")

    history.judge({Q: []})

    with pytest.raises(SimulationError, match="hole"):
        given_up.skipped(G, 2, 3, "g")


@pytest.mark.parametrize(("body", "gives_up"), [(b"1", False), (b"2", True), (b"3", True)])
def test_what_was_given_up_without_cause_is_found(history, body, gives_up):
    history.promises.gives_up = gives_up
    half(history)
    sent(history, b"2", offset=0)

    with pytest.raises(SimulationError, match=r"invented: g read .* given up"):
        GivenUp(history).read(G, 0, body, "g")
