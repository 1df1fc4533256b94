"""Transactions from their beginning to their end, through frames, time and crashes."""

from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from codec.codes import RequestCode, ResponseCode
from codec.message import properties as props
from rmq.base.errors import CommandError
from rmq.broker.transactions import checks
from rmq.broker.transactions.tests.scenes import (
    BATCH_MS,
    COMMIT,
    GIVEN_UP,
    GROUP,
    HALF,
    INTERVAL_MS,
    OPS,
    ROLLBACK,
    TIMEOUT_MS,
    UNKNOWN,
    TransactionScene,
    parsed,
)


@pytest.fixture
def scene():
    return TransactionScene()


def test_committed_message_is_seen_as_java_stores_it(scene):
    half = scene.begin(b"body", queue_id=2)

    assert scene.visible() == []
    answer = scene.end(half, COMMIT)

    [record] = scene.records("T", 2)
    properties = props.parse(record.properties)
    assert answer.code == 0
    assert (record.body, record.flag, record.sys_flag) == (b"body", 7, 8)
    assert record.prepared_transaction_offset == half["commit_log_offset"]
    assert record.born_host == scene.peer.host_bytes
    assert properties["REAL_TOPIC"] == "T"
    assert properties["REAL_QID"] == "2"
    assert properties["TRAN_MSG"] == "true"
    assert scene.ops() == []
    scene.clock.advance(BATCH_MS)
    assert scene.ops() == [b"0,"]


def test_rolled_back_message_is_never_seen_nor_asked_about(scene):
    producer = scene.connected()
    half = scene.begin()

    assert scene.end(half, ROLLBACK).code == 0

    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.visible() == []
    assert producer.sent == []
    assert scene.consumed(HALF) == 1
    assert scene.consumed(OPS) == 1


def test_unknown_transaction_is_asked_about_and_committed(scene):
    producer = scene.connected()
    half = scene.begin(b"body", queue_id=3)
    assert scene.end(half, UNKNOWN) is None

    scene.clock.advance(INTERVAL_MS)

    [command] = producer.sent
    record = parsed(command)
    position = int(command.ext_fields["commitLogOffset"])
    assert command.code == RequestCode.CHECK_TRANSACTION_STATE
    assert command.ext_fields == {
        "topic": HALF,
        "tranStateTableOffset": "1",
        "commitLogOffset": str(position),
        "msgId": "K1",
        "transactionId": "K1",
        "offsetMsgId": f"{scene.send_settings.store_host.hex().upper()}{position:016X}",
        "bname": "broker-a",
    }
    assert (record.topic, record.queue_id, record.body) == (b"T", 3, b"body")
    assert (record.queue_offset, record.position) == (1, position)
    assert props.find(record.properties, b"TRANSACTION_CHECK_TIMES") == b"1"

    [question] = scene.asked(producer)
    assert scene.end(question, COMMIT).code == 0
    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.visible() == [b"body"]
    assert producer.sent == []
    assert scene.consumed(HALF) == 2


@pytest.mark.parametrize("outcome", [COMMIT, ROLLBACK])
def test_end_said_twice_counts_once(scene, outcome):
    half = scene.begin(b"body")

    answers = [scene.end(half, outcome).code for _ in range(3)]

    scene.clock.advance(BATCH_MS)
    assert answers == [0, 0, 0]
    assert scene.visible() == ([b"body"] if outcome == COMMIT else [])
    assert scene.ops() == [b"0,"]


@pytest.mark.parametrize(
    ("first", "then", "name"),
    [(COMMIT, ROLLBACK, "committed"), (ROLLBACK, COMMIT, "rolled back")],
)
def test_transaction_cannot_end_the_other_way(scene, first, then, name):
    half = scene.begin(b"body")
    scene.end(half, first)

    answer = scene.end(half, then)

    assert (answer.code, answer.remark) == (1, f"the transaction was {name} before")
    assert scene.visible() == ([b"body"] if first == COMMIT else [])


def test_end_that_comes_after_the_question_counts_for_its_answer(scene):
    producer = scene.connected()
    half = scene.begin(b"body")
    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)

    assert scene.end(half, COMMIT).code == 0
    assert scene.end(question, COMMIT).code == 0

    scene.clock.advance(2 * INTERVAL_MS)
    assert scene.visible() == [b"body"]
    assert scene.asked(producer) == []
    assert scene.ops() == [b"1,"]


def test_question_goes_to_another_producer_of_the_group(scene):
    dead, other_group = scene.connected(), scene.connected("q", "10.0.0.8:1")
    scene.begin()
    scene.producers.channel_closed(dead)
    survivor = scene.connected(address="10.0.0.9:1")

    scene.clock.advance(INTERVAL_MS)

    assert (len(dead.sent), len(other_group.sent), len(survivor.sent)) == (0, 0, 1)


def test_young_half_message_is_not_asked_about(scene):
    producer = scene.connected()
    scene.clock.advance(INTERVAL_MS - TIMEOUT_MS + 1)
    scene.begin()

    scene.clock.advance(TIMEOUT_MS - 1)
    assert scene.asked(producer) == []
    assert scene.store.max_offset(HALF, 0) == 1

    scene.clock.advance(INTERVAL_MS)
    assert len(scene.asked(producer)) == 1


def test_half_message_born_in_the_future_is_asked_about(scene):
    producer = scene.connected()
    scene.begin(born_ms=scene.clock.wall_ms() + 10_000_000)

    scene.clock.advance(INTERVAL_MS)

    assert len(scene.asked(producer)) == 1


@pytest.mark.parametrize("is_connected", [True, False])
def test_after_fifteen_checks_it_is_given_up(scene, is_connected):
    producer = scene.connected() if is_connected else None
    scene.begin(b"body", queue_id=2)

    for _ in range(20):
        scene.clock.advance(INTERVAL_MS)
        if producer:
            producer_heard(scene)

    [record] = scene.records(GIVEN_UP)
    properties = props.parse(record.properties)
    assert (record.body, record.flag, record.sys_flag) == (b"body", 7, 0)
    assert properties["TRANSACTION_CHECK_TIMES"] == "15"
    assert properties["REAL_TOPIC"] == "T"
    assert scene.topics.get(GIVEN_UP).write_queue_nums == 1
    assert scene.store.max_offset(HALF, 0) == 16
    assert scene.consumed(HALF) == 16
    if producer:
        assert len(scene.asked(producer)) == 15
    assert scene.visible() == []


def producer_heard(scene):
    for members in scene.producers.groups.values():
        for client in members.values():
            client.heard_ms = scene.clock.monotonic_ms()


def test_half_message_older_than_the_log_is_kept_is_given_up(scene):
    producer = scene.connected()
    scene.begin(born_ms=scene.clock.wall_ms() - 73 * 3_600_000)

    scene.clock.advance(INTERVAL_MS)

    assert scene.asked(producer) == []
    assert len(scene.records(GIVEN_UP)) == 1


def test_given_up_transaction_is_resumed(scene):
    scene.begin(b"body")
    scene.clock.advance(16 * INTERVAL_MS)
    [record] = scene.records(GIVEN_UP)
    id_ = f"{scene.send_settings.store_host.hex().upper()}{record.position:016X}"
    producer = scene.connected()

    answer = scene.ask(RequestCode.RESUME_CHECK_HALF_MESSAGE, msgId=id_)

    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)
    assert answer.code == 0
    assert scene.end(question, COMMIT).code == 0
    assert scene.visible() == [b"body"]


# immunity


def test_immune_half_message_is_put_back_and_asked_about_later(scene):
    producer = scene.connected()
    scene.begin(b"body", CHECK_IMMUNITY_TIME_IN_SECONDS="70")
    scene.begin(b"next")

    scene.clock.advance(INTERVAL_MS)
    [next_question] = scene.asked(producer)
    assert next_question["msg_id"] == "K2"
    scene.clock.advance(INTERVAL_MS)
    properties = props.parse(scene.records(HALF)[-2].properties)
    assert properties["TRAN_PREPARED_QUEUE_OFFSET"] == "0"
    assert "TRANSACTION_CHECK_TIMES" not in properties
    scene.end(next_question, ROLLBACK)
    scene.asked(producer)

    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)
    assert question["msg_id"] == "K1"
    assert scene.end(question, COMMIT).code == 0
    assert scene.visible() == [b"body"]


@pytest.mark.parametrize("restarted", [False, True])
def test_immune_half_message_ended_by_its_first_place_is_not_asked_about(scene, restarted):
    half = scene.begin(b"body", CHECK_IMMUNITY_TIME_IN_SECONDS="70")
    scene.clock.advance(INTERVAL_MS)
    if restarted:
        scene.restart()

    assert scene.end(half, COMMIT).code == 0

    producer = scene.connected()
    scene.clock.advance(4 * INTERVAL_MS)
    assert scene.asked(producer) == []
    assert scene.visible() == [b"body"]


def test_immunity_that_is_no_number_is_the_usual_time(scene):
    producer = scene.connected()
    scene.begin(CHECK_IMMUNITY_TIME_IN_SECONDS="soon")

    scene.clock.advance(INTERVAL_MS)

    assert len(scene.asked(producer)) == 1


@pytest.mark.parametrize(("seconds", "limit_ms"), [("10", 10_000), ("1", TIMEOUT_MS)])
def test_end_after_immunity_must_wait_for_the_check(scene, seconds, limit_ms):
    half = scene.begin(b"body", CHECK_IMMUNITY_TIME_IN_SECONDS=seconds)
    scene.clock.advance(limit_ms + 1)

    answer = scene.end(half, COMMIT)

    assert answer.code == ResponseCode.ILLEGAL_OPERATION
    assert scene.visible() == []
    assert scene.end(half, COMMIT, from_transaction_check=True).code == 0
    assert scene.visible() == [b"body"]


def test_end_within_immunity_counts(scene):
    half = scene.begin(b"body", CHECK_IMMUNITY_TIME_IN_SECONDS="10")
    scene.clock.advance(10_000)

    assert scene.end(half, COMMIT).code == 0


# crashes


def test_crash_between_half_and_end(scene):
    scene.begin(b"body")
    scene.sync()

    scene.crash()

    producer = scene.connected()
    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)
    assert scene.end(question, COMMIT).code == 0
    assert scene.visible() == [b"body"]


def test_crash_between_commit_and_op_delivers_once(scene):
    half = scene.begin(b"body")
    scene.end(half, COMMIT)
    scene.sync()

    scene.crash()

    producer = scene.connected()
    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.ops() == []
    assert scene.asked(producer) == []
    assert scene.visible() == [b"body"]
    assert scene.consumed(HALF) == 1


def test_crash_between_rollback_and_op_asks_again(scene):
    half = scene.begin(b"body")
    scene.end(half, ROLLBACK)
    scene.sync()

    scene.crash()

    producer = scene.connected()
    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)
    assert scene.end(question, ROLLBACK).code == 0
    assert scene.visible() == []


def test_crash_between_question_and_offset_delivers_once(scene):
    producer = scene.connected()
    half = scene.begin(b"body")
    scene.sync()
    scene.clock.advance(INTERVAL_MS)
    first = scene.asked(producer)
    scene.offsets.remove_group(GROUP)  # what the checks have passed was not saved
    scene.sync()

    scene.crash()

    assert scene.end(half, COMMIT).code == 0
    scene.clock.advance(INTERVAL_MS)
    for question in first + scene.asked(producer):
        assert scene.end(question, COMMIT).code == 0
    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.visible() == [b"body"]


def test_late_end_after_a_crash_finds_the_commit(scene):
    producer = scene.connected()
    half = scene.begin(b"body")
    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)
    scene.end(question, COMMIT)
    scene.sync()
    scene.crash()

    assert scene.end(half, COMMIT).code == 0

    assert scene.visible() == [b"body"]


@pytest.mark.parametrize("both", [lambda *ends: ends, lambda one, other: (other, one)])
def test_copies_of_a_half_message_that_end_in_one_run_after_a_restart_end_once(scene, both):
    producer = scene.connected()
    half = scene.begin(b"body")
    scene.clock.advance(INTERVAL_MS)
    [question] = scene.asked(producer)
    scene.sync()
    scene.crash()

    answers = scene.end_run(*both((half, COMMIT), (question, COMMIT)))

    assert [answer.code for answer in answers] == [0, 0]
    assert scene.visible() == [b"body"]


def test_clean_stop_writes_what_was_ended(scene):
    half = scene.begin()
    scene.end(half, ROLLBACK)

    scene.restart()

    producer = scene.connected()
    scene.clock.advance(INTERVAL_MS)
    assert scene.ops() == [b"0,"]
    assert scene.asked(producer) == []


@pytest.mark.parametrize("ahead", [HALF, OPS])
def test_offsets_ahead_of_a_log_that_lost_its_end_come_back(scene, ahead):
    producer = scene.connected()
    done = scene.begin()
    scene.begin(b"open")
    scene.end(done, ROLLBACK)
    scene.offsets.commit(GROUP, ahead, 0, 9)

    scene.clock.advance(INTERVAL_MS)

    assert (scene.consumed(HALF), scene.consumed(OPS)) == (2, 1)
    assert [one["msg_id"] for one in scene.asked(producer)] == ["K2"]


# changes of master, and what the group has not agreed on


@pytest.mark.parametrize("in_one_run", [False, True])
def test_copies_that_end_before_the_first_commit_can_be_read_deliver_once(
    scene, monkeypatch, in_one_run
):
    monkeypatch.setattr(checks, "MERGED_MAX", 0)
    producer = scene.connected()
    half = scene.begin(b"body")
    scene.clock.advance(INTERVAL_MS)
    scene.offsets.commit(GROUP, HALF, 0, 0)  # a slave that leads now knew no better
    scene.lead_again()
    scene.clock.advance(INTERVAL_MS)
    _, *copies = scene.asked(producer)
    scene.store.limit_dispatch(scene.store.written_position)

    ends = [(one, COMMIT) for one in (half, *copies)]
    answers = scene.end_run(*ends) if in_one_run else [scene.end(*one) for one in ends]
    scene.agree()
    scene.clock.advance(3 * INTERVAL_MS)

    assert len(copies) == 2
    assert [answer.code for answer in answers] == [0, 0, 0]
    assert scene.visible() == [b"body"]
    assert scene.asked(producer) == []


def test_copy_of_what_is_committed_but_cannot_be_read_is_not_given_up(scene):
    half = scene.begin(b"body")
    scene.clock.advance(INTERVAL_MS)
    scene.store.limit_dispatch(scene.store.written_position)
    scene.end(half, COMMIT)
    scene.op_log.stop()
    scene.op_log.clear()
    scene.config = scene.checks.config = replace(scene.config, transactionCheckMax=0)

    scene.clock.advance(INTERVAL_MS)
    scene.agree()

    assert scene.visible() == [b"body"]
    assert scene.records(GIVEN_UP) == []


def test_end_said_again_to_the_next_master_counts_once(scene):
    scene.clock.advance(1)
    half = scene.begin(b"body")
    scene.end(half, COMMIT)

    scene.lead_again()

    assert scene.end(half, COMMIT).code == 0
    assert scene.visible() == [b"body"]


def test_commit_waits_until_it_is_known_whether_the_last_master_did(scene):
    half, other = scene.begin(b"body"), scene.begin(b"other")
    scene.store.limit_dispatch(scene.store.written_position)
    scene.end(half, COMMIT)
    scene.lead_again()
    scene.settling = Deferred()

    assert scene.end(half, COMMIT) is None
    assert scene.end(other, ROLLBACK).code == 0
    scene.agree()
    scene.settling.callback(None)

    assert scene.peer.replies[-1].code == 0
    assert scene.visible() == [b"body"]


def test_commit_that_waited_in_vain_is_refused(scene):
    half = scene.begin()
    scene.store.limit_dispatch(0)
    scene.begin()
    scene.lead_again()
    scene.settling = Deferred()
    assert scene.end(half, COMMIT) is None

    scene.settling.errback(CommandError(ResponseCode.SYSTEM_BUSY, "another broker leads"))

    assert scene.peer.replies[-1].code == ResponseCode.SYSTEM_BUSY
    assert scene.visible() == []


def test_commit_is_refused_while_the_log_cannot_be_read_though_nobody_has_to_agree(scene):
    half = scene.begin()
    scene.store.limit_dispatch(scene.store.written_position)
    scene.begin()
    scene.lead_again()

    assert scene.end(half, COMMIT).code == ResponseCode.SYSTEM_BUSY


def copied(scene, count):
    """A producer, and what it must say of a half message that was put back ``count`` times."""
    producer = scene.connected()
    scene.begin(b"body")
    scene.clock.advance(count * INTERVAL_MS)
    return producer, scene.asked(producer)


def test_copies_of_a_half_message_become_one_again(scene):
    producer, _ = copied(scene, 3)
    scene.offsets.commit(GROUP, HALF, 0, 0)  # a slave that leads now knew no better
    scene.lead_again()

    scene.clock.advance(INTERVAL_MS)

    [question] = scene.asked(producer)
    assert scene.consumed(HALF) == 4
    assert scene.end(question, COMMIT).code == 0
    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.visible() == [b"body"]
    assert scene.asked(producer) == []


def test_answer_about_an_older_copy_ends_the_one_that_is_left(scene):
    producer, questions = copied(scene, 3)
    scene.offsets.commit(GROUP, HALF, 0, 0)
    scene.lead_again()
    scene.clock.advance(INTERVAL_MS)
    scene.asked(producer)

    assert scene.end(questions[1], ROLLBACK).code == 0

    scene.clock.advance(3 * INTERVAL_MS)
    assert scene.asked(producer) == []
    assert scene.visible() == []


def test_copies_that_are_too_many_to_be_remembered_stay(scene, monkeypatch):
    monkeypatch.setattr(checks, "MERGED_MAX", 0)
    producer, _ = copied(scene, 1)
    scene.offsets.commit(GROUP, HALF, 0, 0)
    scene.lead_again()

    scene.clock.advance(INTERVAL_MS)

    assert len(scene.asked(producer)) == 2
