import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.codes import RequestCode, ResponseCode
from codec.message import properties as props
from rmq.broker.processors.transactions import CODES
from rmq.broker.tests.roles import A_MASTER, A_SLAVE
from rmq.broker.transactions.tests.scenes import (
    COMMIT,
    GIVEN_UP,
    HALF,
    ROLLBACK,
    UNKNOWN,
    TransactionScene,
)
from rmq.store.messages import PutMessage, PutResult, PutStatus


@pytest.fixture
def scene():
    return TransactionScene()


def refusal(answer):
    return answer.code, answer.remark.partition(":")[0]


def unharmed(scene):
    """Whether nothing was delivered or noted."""
    scene.op_log.stop()
    return scene.visible() == [] and scene.ops() == []


def place_of(half):
    return {
        "producer_group": "p",
        "tran_state_table_offset": half.queue_offset,
        "commit_log_offset": half.position,
        "msg_id": "K",
    }


@pytest.mark.parametrize("outcome", [COMMIT, ROLLBACK])
@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"producer_group": "q"}, "The producer group wrong"),
        ({"tran_state_table_offset": 1}, "The transaction state table offset wrong"),
        ({"tran_state_table_offset": -1}, "The transaction state table offset wrong"),
        ({"commit_log_offset": 1}, "Find prepared transaction message failed"),
        ({"commit_log_offset": -1}, "Find prepared transaction message failed"),
        ({"commit_log_offset": 2**63 - 1}, "Find prepared transaction message failed"),
    ],
)
def test_end_of_what_is_not_this_groups_half_message_is_refused(scene, outcome, changed, remark):
    half = scene.begin()

    answer = scene.end(half, outcome, **changed)

    assert refusal(answer) == (ResponseCode.SYSTEM_ERROR, remark)
    assert unharmed(scene)


@pytest.mark.parametrize(
    ("named", "code"), [("K1", 0), ("", 0), (None, 0), ("K2", ResponseCode.SYSTEM_ERROR)]
)
def test_end_of_a_transaction_whose_place_another_has_taken_is_refused(scene, named, code):
    half = scene.begin(b"body")

    answer = scene.end(half, COMMIT, transaction_id=named)

    assert answer.code == code
    assert scene.visible() == ([] if code else [b"body"])


def test_end_of_a_usual_message_is_refused(scene):
    result = scene.store.put(PutMessage("U", 0, b"x", b"PGROUP\x01p\x02"))
    half = {
        "producer_group": "p",
        "tran_state_table_offset": 0,
        "commit_log_offset": result.position,
        "msg_id": "K",
    }

    answer = scene.end(half, COMMIT)

    assert refusal(answer) == (
        ResponseCode.SYSTEM_ERROR,
        "Find prepared transaction message failed",
    )
    assert unharmed(scene)


def test_record_inside_a_body_is_no_half_message(scene):
    """Whoever sends a body that looks like a half message cannot have it delivered."""
    scene.begin(b"first")
    [half] = scene.records(HALF)
    forged = bytearray(scene.store.message_at(half.position))
    outer = scene.store.put(PutMessage("U", 0, bytes(forged)))
    at = outer.position + scene.store.message_at(outer.position).index(bytes(forged))
    forged[28:36] = at.to_bytes(8, "big")
    outer = scene.store.put(PutMessage("U", 0, bytes(forged)))
    inner = outer.position + scene.store.message_at(outer.position).index(bytes(forged))
    forged[28:36] = (inner + outer.size).to_bytes(8, "big")
    scene.store.put(PutMessage("U", 0, bytes(forged)))
    forged[28:36] = (inner + 2 * outer.size).to_bytes(8, "big")
    forged[84:88] = b"\x7f\xff\xff\xff"  # a body longer than all
    scene.store.put(PutMessage("U", 0, bytes(forged)))

    for position in (at, *(inner + count * outer.size for count in range(3))):
        answer = scene.end(place_of(half) | {"commit_log_offset": position}, COMMIT)
        assert answer.code == ResponseCode.SYSTEM_ERROR
    assert unharmed(scene)


@given(
    group=st.sampled_from(["p", "q", ""]),
    offset=st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 3),
    position=st.integers(-(2**63), 2**63 - 1) | st.integers(0, 700),
    outcome=st.integers(-(2**31), 2**31 - 1) | st.sampled_from([COMMIT, ROLLBACK]),
    checked=st.booleans(),
)
def test_any_end_is_answered_and_harms_nothing(group, offset, position, outcome, checked):
    scene = TransactionScene()
    half = scene.begin()
    scene.begin()

    answer = scene.end(
        half,
        outcome,
        producer_group=group,
        tran_state_table_offset=offset,
        commit_log_offset=position,
        from_transaction_check=checked,
    )

    if outcome not in (COMMIT, ROLLBACK):
        assert answer is None
    elif answer.code != 0:
        assert answer.code == ResponseCode.SYSTEM_ERROR
        assert unharmed(scene)


@pytest.mark.parametrize("status", list(PutStatus))
def test_what_the_store_refuses_is_not_ended(scene, status):
    half = scene.begin()
    put_run = scene.store.put_run
    scene.store.put_run = lambda run: [PutResult(status, remark="why") for _ in run]

    answer = scene.end(half, COMMIT)

    scene.store.put_run = put_run
    if status <= PutStatus.SLAVE_NOT_AVAILABLE:
        assert answer.code == 0
    else:
        assert answer.code == CODES.get(status, ResponseCode.SYSTEM_ERROR)
        assert answer.remark == "why"
        assert unharmed(scene)
        assert scene.end(half, COMMIT).code == 0


def test_ends_that_come_together_are_answered_each_for_itself(scene):
    first, second, third = (scene.begin(body) for body in (b"1", b"2", b"3"))

    answers = scene.end_run(
        (first, COMMIT),
        (second, ROLLBACK),
        (first, COMMIT),
        (third | {"producer_group": "q"}, COMMIT),
        (third, UNKNOWN),
        (second, COMMIT),
        (third, COMMIT),
        (third, ROLLBACK),
    )

    assert [answer.code for answer in answers] == [0, 0, 0, 1, 1, 0, 1]
    assert sorted(scene.visible()) == [b"1", b"3"]
    scene.op_log.stop()
    assert scene.ops() == [b"1,0,2,"]


def test_commit_that_the_store_refuses_spoils_no_other_of_its_run(scene):
    scene.clock.advance(1)  # what is from before the start is looked for, and stored by itself
    first, second = scene.begin(b"1"), scene.begin(b"2")
    put_run = scene.store.put_run
    scene.store.put_run = lambda run: [
        *put_run(run[:1]),
        PutResult(PutStatus.SERVICE_NOT_AVAILABLE, remark="why"),
    ]

    answers = scene.end_run((first, COMMIT), (second, COMMIT))

    assert [answer.code for answer in answers] == [0, ResponseCode.SERVICE_NOT_AVAILABLE]
    assert scene.visible() == [b"1"]
    scene.store.put_run = put_run
    assert scene.end(second, COMMIT).code == 0
    assert sorted(scene.visible()) == [b"1", b"2"]


def test_half_message_without_group_cannot_be_ended(scene):
    result = scene.store.put(
        PutMessage(HALF, 0, b"x", props.build({"REAL_TOPIC": "T", "REAL_QID": "0"}))
    )
    half = {
        "producer_group": "p",
        "tran_state_table_offset": 0,
        "commit_log_offset": result.position,
        "msg_id": "K",
    }

    assert refusal(scene.end(half, COMMIT))[1] == "The producer group wrong"


@pytest.mark.parametrize("fields", [{}, {"msgId": "x"}, {"msgId": "0" * 32}, {"msgId": "F" * 32}])
def test_only_what_was_given_up_is_resumed(scene, fields):
    scene.begin()

    answer = scene.ask(RequestCode.RESUME_CHECK_HALF_MESSAGE, **fields)

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark.startswith("msgId")
    assert scene.store.max_offset(HALF, 0) == 1


def test_resume_says_if_the_store_refuses(scene):
    result = scene.store.put(PutMessage(GIVEN_UP, 0, b"x", b"REAL_TOPIC\x01T\x02"))
    scene.store.put = lambda _: PutResult(PutStatus.SERVICE_NOT_AVAILABLE, remark="disk full")

    answer = scene.ask(RequestCode.RESUME_CHECK_HALF_MESSAGE, msgId=f"{result.position:032X}")

    assert answer.code == ResponseCode.SYSTEM_ERROR
    assert answer.remark == "Put message back to RMQ_SYS_TRANS_HALF_TOPIC failed. disk full"


def test_a_slave_ends_no_transaction(scene):
    half = scene.begin()
    scene.role.set(A_SLAVE)

    answer = scene.end(half, COMMIT)

    assert answer.code == ResponseCode.SLAVE_NOT_AVAILABLE
    scene.role.set(A_MASTER)
    assert unharmed(scene)
