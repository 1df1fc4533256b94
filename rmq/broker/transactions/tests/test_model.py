"""Whatever happens in whatever order, a transaction ends one way, and a commit is seen once."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rmq.broker.transactions.tests.scenes import (
    COMMIT,
    INTERVAL_MS,
    ROLLBACK,
    UNKNOWN,
    TransactionScene,
)

OUTCOMES = st.sampled_from([COMMIT, ROLLBACK])


class Transactions(RuleBasedStateMachine):
    """Producers begin, end, end again, die; the broker asks, stops, loses its power."""

    def __init__(self):
        super().__init__()
        self.scene = TransactionScene(transactionCheckMax=1_000)
        self.producer = self.scene.connected()
        self.halves = {}
        self.decided = {}
        """What the application decided: it says the same whenever it is asked."""
        self.questions = []
        self.immune = set()

    @rule(decision=OUTCOMES, immunity=st.sampled_from([None, "20", "100"]))
    def begin(self, decision, immunity):
        body = b"%d" % len(self.halves)
        more = {} if immunity is None else {"CHECK_IMMUNITY_TIME_IN_SECONDS": immunity}
        self.halves[body] = self.scene.begin(body, queue_id=len(self.halves) % 4, **more)
        self.decided[body] = decision
        if immunity is not None:
            self.immune.add(body)

    @precondition(lambda self: self.halves)
    @rule(data=st.data(), unknown=st.booleans())
    def end(self, data, unknown):
        body = data.draw(st.sampled_from(sorted(self.halves)))
        if unknown:
            assert self.scene.end(self.halves[body], UNKNOWN) is None
            return
        answer = self.scene.end(self.halves[body], self.decided[body])
        assert answer.code == 0 or (answer.code == 604 and body in self.immune)

    @rule(seconds=st.integers(1, 70))
    def wait(self, seconds):
        self.scene.clock.advance(seconds * 1_000)
        self.stay_connected()

    @rule(count=st.integers(0, 5))
    def answer_questions(self, count):
        self.hear()
        for question in self.questions[:count]:
            assert self.scene.end(question, self.decision(question)).code == 0
        del self.questions[:count]

    @precondition(lambda self: self.questions)
    @rule()
    def forget_questions(self):
        self.hear()
        self.questions = []

    @rule()
    def stop_and_start(self):
        self.scene.restart()

    @rule()
    def lose_power(self):
        self.scene.sync()
        self.scene.crash()

    @invariant()
    def commits_are_seen_at_most_once(self):
        visible = self.scene.visible()
        assert len(visible) == len(set(visible))
        assert all(self.decided[body] == COMMIT for body in visible)

    def teardown(self):
        """In the end every transaction is as its application decided."""
        self.questions = []
        for _ in range(8):
            self.scene.clock.advance(INTERVAL_MS)
            self.stay_connected()
            self.answer_questions(len(self.halves) * 3)
        self.hear()
        assert not self.questions
        assert sorted(self.scene.visible()) == sorted(
            body for body, decision in self.decided.items() if decision == COMMIT
        )

    def stay_connected(self):
        for client in self.scene.producers.connections("p"):
            client.heard_ms = self.scene.clock.monotonic_ms()

    def hear(self):
        self.questions += self.scene.asked(self.producer)

    def decision(self, question):
        body = b"%d" % (int(question["msg_id"][1:]) - 1)
        return self.decided[body]


TestTransactions = Transactions.TestCase
TestTransactions.settings = settings(max_examples=60, stateful_step_count=25)
