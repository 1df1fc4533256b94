import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.broker.processors.plain import read
from rmq.store.dispatch import wanted_properties

NAMES = st.sampled_from(["UNIQ_KEY", "TAGS", "KEYS", "WAIT", "XTAGS", "XUNIQ_KEY", "a", ""])
VALUES = st.text("ABab01 \u00e9", max_size=4)
PROPERTIES = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(
    lambda pairs: "".join(f"{name}\x01{value}\x02" for name, value in pairs)
)


def new_key():
    return "NEW"


@given(PROPERTIES)
def test_what_is_read_at_a_glance_is_what_the_store_finds(text):
    found = read(text, new_key)
    if found is None:
        return
    unique_key, wanted, is_new = found
    stored = f"{text}UNIQ_KEY\x01NEW\x02" if is_new else text

    assert wanted_properties(stored.encode())[b"UNIQ_KEY"] == unique_key
    assert wanted is None or wanted == wanted_properties(stored.encode())


def test_a_key_of_ones_own_is_kept_and_a_missing_one_made():
    key = {b"UNIQ_KEY": b"K"}

    assert read("UNIQ_KEY\x01K\x02", new_key) == (b"K", key, False)
    assert read("a\x01b\x02UNIQ_KEY\x01K\x02", new_key) == (b"K", key, False)
    assert read("a\x01b\x02", new_key) == (b"NEW", {b"UNIQ_KEY": b"NEW"}, True)
    assert read("", new_key) == (b"NEW", {b"UNIQ_KEY": b"NEW"}, True)


def test_doubts_are_left_to_a_closer_look():
    assert read("UNIQ_KEY\x01\x02", new_key) is None
    assert read("XUNIQ_KEY\x01K\x02", new_key) is None
    assert read("KEYS\x01k\x02", new_key) == (b"NEW", None, True)
    assert read("XTAGS\x01t\x02", new_key) == (b"NEW", None, True)
    assert read("TAGS\x01\x02", new_key) == (b"NEW", None, True)
    assert read("TAGS\x01t\x02", new_key) == (
        b"NEW",
        {b"UNIQ_KEY": b"NEW", b"TAGS": b"t"},
        True,
    )


@pytest.mark.parametrize(
    "name", ["DELAY", "TIMER_OUT_MS", "TRAN_MSG", "CLUSTER", "MSG_REGION", "TRACE_ON", "POP_CK"]
)
def test_what_the_broker_acts_on_is_not_plain(name):
    assert read(f"UNIQ_KEY\x01K\x02{name}\x01x\x02", new_key) is None
