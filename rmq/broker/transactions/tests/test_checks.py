"""Rounds of checks: their turns, their limits, and what they cannot read."""

from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from codec.codes import ResponseCode
from codec.message import properties as props
from rmq.base.errors import CommandError
from rmq.broker import names
from rmq.broker.transactions import checks as module
from rmq.broker.transactions.tests.scenes import (
    GIVEN_UP,
    GROUP,
    HALF,
    INTERVAL_MS,
    OPS,
    ROLLBACK,
    TransactionScene,
)
from rmq.store.messages import PutMessage, PutResult, PutStatus


@pytest.fixture
def scene():
    return TransactionScene()


def refuse(scene, topic):
    """Let the store refuse what goes to a topic; gives what it did before."""
    put = scene.store.put

    def refusing(message):
        if message.topic == topic:
            return PutResult(PutStatus.SERVICE_NOT_AVAILABLE, remark="disk full")
        return put(message)

    scene.store.put = refusing
    return put


def test_round_works_in_turns(scene, monkeypatch):
    monkeypatch.setattr(module, "TURN_COST_MAX", 2 * module.PUT_COST)
    producer = scene.connected()
    for _ in range(10):
        scene.begin()
    heard = []
    later = scene.clock.call_later

    def noted(delay_ms, call):
        if delay_ms == 0:
            heard.append(len(producer.sent))
        return later(delay_ms, call)

    scene.clock.call_later = noted
    scene.clock.advance(INTERVAL_MS)

    assert heard == [0, 2, 4, 6, 8, 10]
    assert scene.consumed(HALF) == 10


def test_many_done_ones_are_passed_without_reading_them(scene):
    halves = [scene.begin() for _ in range(300)]
    for half in halves:
        scene.end(half, ROLLBACK)

    scene.clock.advance(INTERVAL_MS)

    assert scene.consumed(HALF) == 300
    assert scene.consumed(OPS) == scene.store.max_offset(OPS, 0)


def test_op_message_is_done_when_all_that_it_names_is_passed(scene):
    scene.clock.advance(INTERVAL_MS - 1_000)
    first, _, third = scene.begin(born_ms=0), scene.begin(), scene.begin()
    scene.end(first, ROLLBACK)
    scene.end(third, ROLLBACK)

    scene.clock.advance(1_000)
    assert (scene.consumed(HALF), scene.consumed(OPS)) == (1, -1)

    scene.clock.advance(INTERVAL_MS)
    assert (scene.consumed(HALF), scene.consumed(OPS)) == (3, 1)


def test_idle_rounds_commit_nothing(scene):
    scene.clock.advance(5 * INTERVAL_MS)

    assert (scene.consumed(HALF), scene.consumed(OPS)) == (-1, -1)


def test_stop_in_the_middle_of_a_round(scene, monkeypatch):
    monkeypatch.setattr(module, "TURN_COST_MAX", 1)
    producer = scene.connected()
    scene.begin()
    scene.begin()
    call_later = scene.clock.call_later

    def stopping(delay_ms, call):
        timer = call_later(delay_ms, call)
        if delay_ms == 0 and producer.sent:
            scene.clock.call_later = call_later
            call_later(0, scene.checks.stop)
            timer.cancel()
        return timer

    scene.clock.call_later = stopping
    scene.clock.advance(3 * INTERVAL_MS)
    scene.checks.stop()

    assert len(producer.sent) == 1
    assert scene.clock.owed == 0


@pytest.mark.parametrize("topic", [HALF, OPS])
def test_store_that_refuses_ends_the_round_and_loses_nothing(scene, topic):
    producer = scene.connected()
    done, _ = scene.begin(), scene.begin()
    scene.end(done, ROLLBACK)
    put = refuse(scene, topic)

    scene.clock.advance(INTERVAL_MS)
    assert producer.sent == []
    assert scene.consumed(HALF) == (1 if topic == HALF else -1)

    scene.store.put = put
    scene.clock.advance(INTERVAL_MS)
    assert len(scene.asked(producer)) == 1


def test_what_cannot_be_given_up_waits_for_the_next_round(scene):
    scene.begin(born_ms=0)
    put = refuse(scene, GIVEN_UP)
    scene.clock.advance(INTERVAL_MS)
    assert scene.consumed(HALF) == -1

    scene.store.put = put
    scene.clock.advance(INTERVAL_MS)

    assert len(scene.records(GIVEN_UP)) == 1
    assert scene.consumed(HALF) == 1


def test_immune_one_that_cannot_be_put_back_waits_for_the_next_round(scene):
    scene.begin(CHECK_IMMUNITY_TIME_IN_SECONDS="1000")
    refuse(scene, HALF)

    scene.clock.advance(INTERVAL_MS)

    assert scene.consumed(HALF) == -1


def test_committed_one_that_is_too_old_is_not_given_up(scene):
    scene.begin(b"x", born_ms=0)
    [half] = scene.records(HALF)
    scene.store.put(PutMessage("T", 0, b"x", half.properties, sys_flag=8))

    scene.clock.advance(INTERVAL_MS)

    assert scene.topics.get(GIVEN_UP) is None
    assert scene.consumed(HALF) == 1


@pytest.mark.parametrize("properties", [b"", b"PGROUP\x01p\x02"])
def test_half_message_that_names_too_little_stops_nobody(scene, properties):
    producer = scene.connected()
    scene.store.put(PutMessage(HALF, 0, b"x", properties))
    scene.begin()
    [first, _] = scene.records(HALF)
    assert first.born_timestamp == 0

    scene.clock.advance(INTERVAL_MS)

    assert len(scene.asked(producer)) == 1


def test_question_about_a_message_without_origin_is_not_sent(scene):
    producer = scene.connected()
    now_ms = scene.clock.wall_ms()
    scene.store.put(PutMessage(HALF, 0, b"x", b"PGROUP\x01p\x02", born_timestamp=now_ms))
    scene.store.put(PutMessage(HALF, 0, b"x", b"", born_timestamp=now_ms))

    scene.clock.advance(INTERVAL_MS)

    assert producer.sent == []
    assert scene.consumed(HALF) == 2


def test_every_queue_of_the_half_topic_is_checked(scene):
    producer = scene.connected()
    topic = scene.topics.get(HALF)
    scene.topics.update(type(topic)(topic_name=HALF, read_queue_nums=2, write_queue_nums=2, perm=6))
    scene.store.put(
        PutMessage(
            HALF,
            1,
            b"x",
            props.build({"PGROUP": "p", "REAL_TOPIC": "T", "REAL_QID": "0", "UNIQ_KEY": "K"}),
            born_timestamp=scene.clock.wall_ms(),
        )
    )

    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)
    assert scene.end(question, ROLLBACK).code == 0
    scene.clock.advance(2 * INTERVAL_MS)

    assert scene.asked(producer) == []
    assert scene.offsets.query(GROUP, HALF, 1) == 2
    assert scene.store.max_offset(OPS, 1) == 1


def test_without_its_topic_queue_0_is_checked(scene):
    producer = scene.connected()
    scene.begin()
    scene.topics.delete(names.HALF_TOPIC)

    scene.clock.advance(INTERVAL_MS)

    assert len(scene.asked(producer)) == 1


def test_round_that_breaks_is_logged_and_the_next_one_comes(scene, caplog):
    producer = scene.connected()
    scene.begin()
    get = scene.store.get

    def broken(*_):
        raise AssertionError("broken")

    scene.store.get = broken
    scene.clock.advance(INTERVAL_MS)
    assert "event=transaction_check_failed" in caplog.text

    scene.store.get = get
    scene.clock.advance(INTERVAL_MS)
    assert len(scene.asked(producer)) == 1


def test_half_messages_whose_files_are_gone_are_passed():
    scene = TransactionScene()
    scene.clock.advance(INTERVAL_MS - 1)
    for _ in range(3):
        scene.begin(b"x" * 500_000)
    producer = scene.connected()
    scene.offsets.commit(GROUP, HALF, 0, 0)
    scene.store.consume_queue(HALF, 0).correct_min(1 << 20)

    scene.clock.advance(2 * INTERVAL_MS)

    assert scene.store.min_offset(HALF, 0) == 2
    assert {one["msg_id"] for one in scene.asked(producer)} == {"K3"}


class Agreement:
    """What a group agrees on when a test says so."""

    def __init__(self, scene):
        self.waiting = []
        scene.checks.stop()
        scene.checks = module.Checks(scene.config, replace(scene.tools, settled=self.settled))
        scene.checks.start()

    def settled(self):
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def reach(self):
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one.callback(None)

    def lose(self, error):
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one.errback(error)


def test_round_goes_by_what_the_group_agreed_on(scene):
    agreement = Agreement(scene)
    producer = scene.connected()
    done, _ = scene.begin(), scene.begin()
    scene.clock.advance(INTERVAL_MS - 1)
    scene.end(done, ROLLBACK)

    scene.clock.advance(1)
    assert scene.ops() == [b"0,"]
    assert len(scene.records(HALF)) == 2
    agreement.reach()
    scene.clock.advance(0)
    assert len(scene.records(HALF)) == 3
    assert (producer.sent, scene.consumed(HALF), scene.consumed(OPS)) == ([], -1, -1)
    agreement.reach()

    [question] = scene.asked(producer)
    assert question["tran_state_table_offset"] == 2
    assert (scene.consumed(HALF), scene.consumed(OPS)) == (2, 1)


def test_who_leads_no_more_asks_nobody(scene, caplog):
    caplog.set_level("INFO")
    agreement = Agreement(scene)
    producer = scene.connected()
    scene.begin()
    scene.clock.advance(INTERVAL_MS)
    agreement.reach()
    scene.clock.advance(0)

    scene.checks.stop()
    agreement.lose(CommandError(ResponseCode.SYSTEM_BUSY, "the group has another leader"))

    assert (producer.sent, scene.consumed(HALF)) == ([], -1)
    assert "event=transaction_check_unsettled cause=" in caplog.text
    assert "failed" not in caplog.text


@pytest.mark.parametrize("error", [CommandError(ResponseCode.SYSTEM_BUSY, ""), OSError("disk")])
def test_a_round_that_could_not_begin_begins_later(scene, error):
    agreement = Agreement(scene)
    producer = scene.connected()
    scene.begin()
    scene.clock.advance(INTERVAL_MS)

    agreement.lose(error)
    scene.clock.advance(INTERVAL_MS)
    agreement.reach()
    scene.clock.advance(0)
    agreement.reach()

    assert len(scene.asked(producer)) == 1


def test_stop_before_the_group_agrees_begins_no_round(scene):
    agreement = Agreement(scene)
    scene.begin()
    scene.clock.advance(INTERVAL_MS)

    scene.checks.stop()
    agreement.reach()

    assert scene.clock.owed == 0


def test_other_failure_of_an_agreement_is_logged(scene, caplog):
    agreement = Agreement(scene)
    scene.clock.advance(INTERVAL_MS)

    agreement.lose(ValueError("no"))

    assert "event=transaction_check_failed" in caplog.text


def test_round_that_could_not_begin_is_begun_an_interval_later(scene):
    agreement = Agreement(scene)
    producer = scene.connected()
    scene.begin()
    scene.clock.advance(INTERVAL_MS)
    agreement.lose(CommandError(ResponseCode.SYSTEM_ERROR, "the disk failed"))
    assert len(scene.records(HALF)) == 1

    scene.clock.advance(INTERVAL_MS)
    for _ in range(2):
        agreement.reach()
        scene.clock.advance(0)

    assert len(scene.asked(producer)) == 1


class Disk:
    """Flushes when a test says so, and says what came of it."""

    def __init__(self, scene):
        self.waiting = []
        self.settled = module.on_disk(scene.store, self.flushed)

    def flushed(self, end):
        self.waiting.append((end, Deferred()))
        return self.waiting[-1][1]

    def answer(self, status):
        end, done = self.waiting.pop(0)
        done.callback(status)
        return end


def test_what_is_put_is_settled_when_it_is_on_disk_however_long_that_takes(scene):
    scene.begin()
    end = scene.store.written_position
    disk, seen = Disk(scene), []
    disk.settled.addCallback(seen.append)
    scene.begin()

    assert disk.answer(PutStatus.FLUSH_DISK_TIMEOUT) == end
    assert seen == []
    assert disk.answer(PutStatus.PUT_OK) == end

    assert seen == [None]


def test_nothing_is_settled_on_a_disk_that_failed(scene):
    disk = Disk(scene)
    failures = []
    disk.settled.addErrback(failures.append)

    disk.answer(PutStatus.SERVICE_NOT_AVAILABLE)

    [failure] = failures
    assert isinstance(failure.value, CommandError)


def test_power_that_is_lost_before_the_copy_is_on_disk_takes_no_transaction_away(scene):
    scene.begin(b"body")
    scene.sync()
    agreement = Agreement(scene)
    scene.clock.advance(INTERVAL_MS)
    agreement.reach()
    scene.clock.advance(0)
    scene.offsets.persist()

    scene.crash()

    producer = scene.connected()
    scene.clock.advance(INTERVAL_MS)
    assert len(scene.asked(producer)) == 1
