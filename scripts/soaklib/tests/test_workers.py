"""Tests of the soak's clients, one call at a time, against a broker of a few answers."""

import json
import random
from itertools import count

import pytest

from scripts.soaklib import plan, workers
from scripts.soaklib.ledger import Ledger
from scripts.soaklib.tests.records import record

import wire  # isort: skip - found by way of scripts.soaklib


class Broker:
    """Gives the answers it was told, by code; success where it was told none."""

    def __init__(self, **answers):
        self.asked = []
        self.answers = answers
        self._opaques = count(1)

    def call(self, code, fields=None, body=b""):
        self.asked.append((code, fields, body))
        told = self.answers.get(f"at_{code}", wire.Answer(0, 0))
        return told.pop(0) if isinstance(told, list) else told

    def post(self, code, fields=None, body=b"", flag=0):
        self.asked.append((code, fields, body, flag))
        return next(self._opaques)

    def read(self):
        return self.answers["read"].pop(0)


@pytest.fixture
def course():
    return workers.Course(1, Ledger())


def test_what_is_acknowledged_is_noted_and_what_is_refused_is_not(course):
    producer = workers.Producer(course, plan.SINGLE, 100)
    broker = Broker(at_310=[wire.Answer(0, 1), wire.Answer(2, 2)])

    producer.send(broker)
    producer.send(broker)

    assert course.ledger.acknowledged == {plan.SINGLE: {0}}
    assert course.ledger.sent == {plan.SINGLE: 2}
    assert course.ledger.refused == {(plan.SINGLE, 2): 1}
    assert "TAGS\x01B" in broker.asked[1][1]["i"]


def test_delayed_messages_have_their_level(course):
    fields, _ = workers.Producer(course, plan.DELAYED, 1).message(2)

    assert "DELAY\x013\x02" in fields["i"]


def test_one_way_sends_are_not_acknowledged_but_a_few(course):
    producer = workers.Oneway(course, plan.ONEWAY, 100)
    broker = Broker()

    for _ in range(3):
        producer.send(broker)

    assert course.ledger.acknowledged == {plan.ONEWAY: {0}}
    assert [one[-1] for one in broker.asked[1:]] == [wire.ONEWAY] * 2


def test_a_batch_is_acknowledged_as_a_whole(course):
    producer = workers.Batches(course, plan.BATCH, 100)

    producer.send(Broker())

    assert course.ledger.acknowledged == {plan.BATCH: set(range(10))}
    assert producer.interval_s == 0.1


def test_answers_in_another_order_are_for_whom_they_are(course):
    producer = workers.Pipelined(course, plan.PIPELINED, 100)
    answers = [wire.Answer(0, opaque) for opaque in range(workers.WINDOW, 0, -1)]
    answers[0] = wire.Answer(2, workers.WINDOW)
    broker = Broker(read=answers)

    for _ in range(workers.WINDOW):
        producer.send(broker)
    producer.finish(broker)

    assert course.ledger.acknowledged[plan.PIPELINED] == set(range(workers.WINDOW - 1))


HALF = wire.Answer(0, 1, None, {"queueOffset": "5", "msgId": "7F00000100002A9F00000000000003E8"})


def test_transactions_are_ended_as_planned(course):
    producer = workers.Transactions(course, 100, 0)
    producer.step = 1
    broker = Broker(at_310=HALF)

    for _ in range(4):
        producer.send(broker)

    ends = [one for one in broker.asked if one[0] == workers.END_TRANSACTION]
    assert [one[1]["commitOrRollback"] for one in ends] == [8, 12, 8, 0]
    assert ends[0][1]["commitLogOffset"] == 1000
    assert ends[3][-1] == wire.ONEWAY
    assert broker.asked[0][1]["f"] == workers.PREPARED


def test_a_producer_may_be_gone_after_the_half_message(course):
    producer = workers.Transactions(course, 100, 5)

    with pytest.raises(ConnectionError, match="gone"):
        producer.send(Broker(at_310=HALF))

    assert course.ledger.acknowledged == {plan.TRANSACTED: {5}}


def test_refused_half_messages_and_ends_are_counted(course):
    producer = workers.Transactions(course, 100, 0)

    producer.send(Broker(at_310=wire.Answer(2, 1)))
    producer.send(Broker(at_310=HALF, at_37=wire.Answer(1, 1)))

    assert course.ledger.refused == {(plan.TRANSACTED, 2): 1, ("end of transaction", 1): 1}


def test_check_backs_are_answered_and_the_unknown_at_the_second_time(course):
    producer = workers.Transactions(course, 100, 0)
    broker = Broker()
    fields = {"tranStateTableOffset": "1", "commitLogOffset": "2"}

    for number in (4, 4, 5):
        body = record(plan.TRANSACTED, 0, 0, number)
        producer.answer(broker, wire.Answer(workers.CHECK, 1, None, fields, body))

    assert [one[1]["commitOrRollback"] for one in broker.asked] == [0, 12, 8]
    assert course.ledger.checks_answered == 3


def pulled(*records, following):
    fields = {"nextBeginOffset": str(following)}
    return wire.Answer(0, 1, None, fields, b"".join(records))


def test_a_consumer_notes_what_it_sees_and_commits(course):
    consumer = workers.Consumer(course, "group", {plan.SINGLE: 1})
    records = [record(plan.SINGLE, 0, offset, offset * 4) for offset in range(2)]
    broker = Broker(at_11=[pulled(*records, following=2), wire.Answer(wire.NOT_FOUND, 1)])
    at = {(plan.SINGLE, 0): 0}

    assert consumer.step(broker, at, (plan.SINGLE, 0))
    assert not consumer.step(broker, at, (plan.SINGLE, 0))

    assert at == {(plan.SINGLE, 0): 2}
    assert course.ledger.seen["group", plan.SINGLE] == {
        (0, 0): "SOAK-SINGLE-00000000",
        (0, 1): "SOAK-SINGLE-00000004",
    }
    assert course.ledger.reached["group", plan.SINGLE] == {0: 2}
    assert broker.asked[1][0] == wire.UPDATE_OFFSET


def test_a_hole_is_a_violation_unless_tags_choose(course):
    message = record(plan.SINGLE, 0, 3, 12)
    for expression in ("*", "A"):
        consumer = workers.Consumer(course, expression, {plan.SINGLE: 1}, expression)
        broker = Broker(at_11=pulled(message, following=4))
        consumer.step(broker, {(plan.SINGLE, 0): 0}, (plan.SINGLE, 0))

    assert [(one.rule, one.where) for one in course.ledger.violations] == [("hole", "*")]


def test_an_offset_that_the_broker_does_not_have_is_a_violation(course):
    consumer = workers.Consumer(course, "group", {plan.SINGLE: 1})
    broker = Broker(at_11=wire.Answer(21, 1, "moved"))

    assert not consumer.step(broker, {(plan.SINGLE, 0): 9}, (plan.SINGLE, 0))

    assert course.ledger.violations[0].detail == "pull answered 21 moved"


def test_what_was_committed_long_before_a_kill_must_be_saved(course):
    consumer = workers.Consumer(course, "group", {plan.SINGLE: 1})
    broker = Broker(at_14=wire.Answer(0, 1, None, {"offset": "7"}))
    consumer.commit(broker, (plan.SINGLE, 0), 7)
    consumer._acknowledged[plan.SINGLE, 0] = [(100.0, 7), (102.0, 9)]
    course.killed_at = 104.0

    assert consumer.resume(broker, plan.SINGLE, 0) == 7

    (resumed,) = course.ledger.resumed
    assert (resumed.saved_min, resumed.asked_max, resumed.offset) == (7, 7, 7)


def test_work_is_sent_back_as_often_as_planned(course):
    workman = workers.Workman(course, plan.WORK_GROUP, {plan.WORK: 4})
    broker = Broker(at_36=[wire.Answer(0, 1), wire.Answer(1, 1)])

    for number, times in ((1, 0), (1, 1), (2, 1), (3, 0)):
        workman.consume(broker, next(wire.messages(record(plan.WORK, 0, 2, number, times=times))))

    attempts = {("SOAK-WORK-00000001", 0), ("SOAK-WORK-00000002", 1)}
    assert course.ledger.sent_back == attempts
    assert course.ledger.sent_back_surely == {("SOAK-WORK-00000001", 0)}
    assert broker.asked[0][1]["offset"] == 2000


def locked(*queues):
    body = {"lockOKMQSet": [{"queueId": queue} for queue in queues]}
    return wire.Answer(0, 1, body=json.dumps(body).encode())


def test_locks_are_leases_until_they_are_given_back(course):
    consumer = workers.Ordered(course, "a", random.Random(1))
    broker = Broker(at_41=[locked(0, 1), locked(0, 1, 2)])

    consumer.lock(broker)
    consumer.lock(broker)
    consumer.unlock(broker)

    assert [(lease.queue_id, lease.client) for lease in course.ledger.leases] == [
        (0, "a"),
        (1, "a"),
        (2, "a"),
    ]
    assert not course.ledger.violations


def test_locks_of_a_topic_to_which_nobody_has_sent_are_waited_for(course):
    consumer = workers.Ordered(course, "a", random.Random(1))
    broker = Broker(at_41=[wire.Answer(17, 1), locked(0)])

    consumer.lock(broker)
    consumer.lock(broker)
    consumer.unlock(broker)

    assert [lease.queue_id for lease in course.ledger.leases] == [0]


def test_a_renewed_lock_that_is_lost_is_a_violation(course):
    consumer = workers.Ordered(course, "a", random.Random(1))
    broker = Broker(at_41=[locked(0, 1), locked(1)])

    consumer.lock(broker)
    consumer.lock(broker)

    assert [(one.rule, one.queue_id) for one in course.ledger.violations] == [("lock lost", 0)]


def test_a_client_that_fails_is_a_violation(course):
    class Failing(workers.Worker):
        def port(self):
            raise ValueError("unexpected")

    Failing(course, "one").run()

    assert [(one.rule, one.where) for one in course.ledger.violations] == [("client failed", "one")]


def test_a_crew_has_all_kinds_and_the_rate_asked_for(course):
    crew = list(workers.crew(course, 1, 0.5))

    rates = [one.rate for one in crew if isinstance(one, workers.Producer)]
    assert sum(rates) == sum(workers.RATES.values()) / 2
    assert len({one.name for one in crew}) == len(crew) == 14


class Route(Broker):
    """A NameServer that knows one answer."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_the_name_server_tells_where_the_broker_is(course, monkeypatch):
    body = b'{"brokerDatas":[{"brokerAddrs":{0:"127.0.0.1:10911"},"brokerName":"b"}]}'
    answers = [wire.Answer(0, 1, body=body), wire.Answer(17, 2)]
    monkeypatch.setattr(workers.wire, "Peer", lambda _: Route(at_105=answers))
    worker = workers.Worker(course, "one")

    assert worker.port() == 10911
    with pytest.raises(ConnectionError, match="no broker"):
        worker.port()


def test_heartbeats_name_groups_and_their_topics(course):
    broker = Broker()

    workers.Transactions(course, 1, 0).heartbeat(broker)
    workers.Workman(course, plan.WORK_GROUP, {plan.WORK: 4}).heartbeat(broker)

    producer, consumer = (json.loads(one[2]) for one in broker.asked)
    assert producer["producerDataSet"] == [{"groupName": plan.PRODUCERS}]
    (group,) = consumer["consumerDataSet"]
    assert group["groupName"] == plan.WORK_GROUP
    assert group["subscriptionDataSet"][0]["topic"] == plan.WORK


def test_a_producer_sends_until_the_drain_and_stays_until_the_end(course):
    class Last(Broker):
        def call(self, code, fields=None, body=b""):
            course.draining.set()
            course.stopping.set()
            return super().call(code, fields, body)

    workers.Producer(course, plan.SINGLE, 1000).work(Last())

    assert course.ledger.acknowledged == {plan.SINGLE: {0}}


def test_a_new_connection_has_nothing_under_way(course):
    course.draining.set()
    course.stopping.set()
    producer = workers.Pipelined(course, plan.PIPELINED, 100)
    producer.send(Broker())

    producer.work(Broker(read=[]))

    assert not course.ledger.acknowledged


class Ending(Broker):
    """Has the soak end at its n-th pull."""

    def __init__(self, course, pulls, **answers):
        super().__init__(**answers)
        self.course, self.left = course, pulls

    def call(self, code, fields=None, body=b""):
        if code == wire.PULL:
            self.left -= 1
            if self.left == 0:
                self.course.stopping.set()
        return super().call(code, fields, body)


def test_a_consumer_goes_on_where_its_group_is(course):
    found = wire.Answer(0, 1, None, {"offset": "1"})
    pulls = [pulled(record(plan.SINGLE, 0, 1, 4), following=2), wire.Answer(wire.NOT_FOUND, 1)]
    broker = Ending(course, 2, at_14=found, at_11=pulls)

    workers.Consumer(course, "group", {plan.SINGLE: 1}).work(broker)

    assert course.ledger.seen["group", plan.SINGLE] == {(0, 1): "SOAK-SINGLE-00000004"}
    assert not course.ledger.violations


def test_a_group_without_an_offset_begins_at_the_first(course):
    consumer = workers.Consumer(course, "group", {plan.SINGLE: 1})

    assert consumer.resume(Broker(at_14=wire.Answer(22, 1)), plan.SINGLE, 0) == 0


def test_only_locked_queues_are_consumed_and_leases_end_with_the_connection(course):
    pull = pulled(record(plan.ORDERED, 2, 0, 2), following=1)
    found = wire.Answer(0, 1, None, {"offset": "0"})
    broker = Ending(course, 1, at_41=locked(2), at_14=found, at_11=pull)

    workers.Ordered(course, "a", random.Random(1)).work(broker)

    assert {fields["queueId"] for code, fields, _ in broker.asked if code == wire.PULL} == {2}
    assert [lease.queue_id for lease in course.ledger.leases] == [2]
    assert broker.asked[-1][0] == workers.UNLOCK


def test_a_connection_that_breaks_is_made_anew(course):
    class Breaking(workers.Worker):
        tries = 0

        def port(self):
            self.tries += 1
            if self.tries == 2:
                course.stopping.set()
            raise ConnectionRefusedError

    worker = Breaking(course, "one")
    worker.run()

    assert worker.tries == 2
    assert not course.ledger.violations
