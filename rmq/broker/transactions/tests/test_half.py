import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.codes import ResponseCode
from codec.message import properties as props
from codec.message.record import parse_record
from rmq.base.errors import CommandError
from rmq.broker.transactions.endings import Endings
from rmq.broker.transactions.half import (
    add_origin,
    final_message,
    half_at,
    identity_of,
    is_committed,
    known_of,
    number_of,
    question,
    text_of,
    was_committed,
)
from rmq.broker.transactions.tests.scenes import HALF
from rmq.store.messages import PutMessage
from rmq.store.tests.stores import a_disk, opened

BASE = {"UNIQ_KEY": "K", "PGROUP": "p", "REAL_TOPIC": "T", "REAL_QID": "2"}


@pytest.fixture
def store():
    return opened(a_disk())


def put(store, topic=HALF, body=b"x", sys_flag=0, born_ms=5, **changed):
    kept = {name: value for name, value in (BASE | changed).items() if value is not None}
    result = store.put(
        PutMessage(topic, 0, body, props.build(kept), sys_flag=sys_flag, born_timestamp=born_ms)
    )
    return half_at(store, result.position)


def identity(half):
    return identity_of(half, known_of(half))


def test_copies_of_a_half_message_are_of_one_transaction_and_no_others(store):
    half = put(store)

    assert identity(half) == identity(put(store, TRANSACTION_CHECK_TIMES="1"))
    for changed in ({"UNIQ_KEY": "L"}, {"PGROUP": "q"}, {"REAL_TOPIC": "U"}, {"born_ms": 6}):
        assert identity(half) != identity(put(store, **changed))


def test_origin_is_named_with_the_transaction():
    properties = {"UNIQ_KEY": "K"}
    add_origin(properties, "T", 3)

    assert properties == {
        "UNIQ_KEY": "K",
        "__transactionId__": "K",
        "REAL_TOPIC": "T",
        "REAL_QID": "3",
    }


def test_without_unique_key_there_is_no_transaction_id():
    properties = {}
    add_origin(properties, "T", 3)

    assert "__transactionId__" not in properties


@pytest.mark.parametrize("changed", [{"REAL_TOPIC": None}, {"REAL_QID": None}, {"REAL_QID": "-1"}])
@pytest.mark.parametrize(
    "make",
    [lambda half: final_message(half, known_of(half)), lambda half: question(half, "b")],
)
def test_half_message_without_origin_cannot_be_ended(store, changed, make):
    half = put(store, **changed)

    with pytest.raises(CommandError, match="does not say to which queue it belongs") as error:
        make(half)
    assert error.value.code == ResponseCode.SYSTEM_ERROR


def test_question_without_unique_key_names_none(store):
    command = question(put(store, UNIQ_KEY=None), "b")

    assert "msgId" not in command.ext_fields
    assert parse_record(command.body, 0, len(command.body)).topic == b"T"


def test_no_record_lies_beyond_the_log(store):
    for position in (-1, 0, 1, 1 << 62):
        assert half_at(store, position) is None


def test_commit_is_found_by_key_group_and_birth(store):
    half = put(store)
    assert not is_committed(store, half)
    put(store, "T", sys_flag=0)  # no commit
    put(store, "T", sys_flag=8, born_ms=6)  # born at another time
    put(store, "T", sys_flag=8, PGROUP="q")  # of another group
    put(store, "U", sys_flag=8)  # in another topic
    assert not is_committed(store, half)

    put(store, "T", sys_flag=8)

    assert is_committed(store, half)


@pytest.mark.parametrize("changed", [{"UNIQ_KEY": None}, {"REAL_TOPIC": None}])
def test_commit_is_not_looked_for_without_names(store, changed):
    assert not is_committed(store, put(store, **changed))


def test_a_commit_that_the_index_does_not_show_is_known(store):
    half = put(store)
    identity = identity_of(half, known_of(half))
    endings = Endings()
    assert not was_committed(store, endings, half, identity)

    endings.commit_unseen(identity)

    assert was_committed(store, endings, half, identity)


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("-7", -7), (None, 9), ("", 9), ("-", 9), ("x", 9), ("1" * 20, 9), ("+1", 9)],
)
def test_number_of_a_property(text, number):
    assert number_of(text, 9) == number


def test_text_that_is_no_utf8_is_read_as_java_reads_it(store):
    result = store.put(PutMessage(HALF, 0, b"x", b"PGROUP\x01\xff\x02"))

    assert text_of(half_at(store, result.position), b"PGROUP") == "\ufffd"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["PGROUP", "REAL_TOPIC", "REAL_QID", "UNIQ_KEY", "TAGS", "x", ""]),
            st.text("PGROUP\x01aé", max_size=8),
        )
    )
)
def test_known_properties_are_those_that_find_finds(pairs):
    text = "".join(f"{name}\x01{value}\x02" for name, value in pairs).encode()
    store = opened(a_disk())
    half = half_at(store, store.put(PutMessage(HALF, 0, b"x", text)).position)

    known = known_of(half)

    for name in (b"PGROUP", b"REAL_TOPIC", b"REAL_QID", b"UNIQ_KEY", b"TAGS", b"KEYS"):
        assert known.get(name) == props.find(text, name)
