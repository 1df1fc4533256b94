from hypothesis import given
from hypothesis import strategies as st

from rmq.broker.processors.plain import is_acted_on, unique_key_of, wanted_of
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
    unique_key = unique_key_of(text, new_key)
    if unique_key is None:
        return
    stored = text if "UNIQ_KEY\x01" in text else f"{text}UNIQ_KEY\x01{unique_key}\x02"

    wanted = wanted_of(text, unique_key)

    assert wanted is None or wanted == wanted_properties(stored.encode())


def test_a_key_of_ones_own_is_kept_and_a_missing_one_made():
    assert unique_key_of("UNIQ_KEY\x01K\x02", new_key) == "K"
    assert unique_key_of("a\x01b\x02UNIQ_KEY\x01K\x02", new_key) == "K"
    assert unique_key_of("a\x01b\x02", new_key) == "NEW"
    assert unique_key_of("", new_key) == "NEW"


def test_doubts_are_left_to_a_closer_look():
    assert unique_key_of("UNIQ_KEY\x01\x02", new_key) is None
    assert unique_key_of("XUNIQ_KEY\x01K\x02", new_key) is None
    assert wanted_of("KEYS\x01k\x02", "K") is None
    assert wanted_of("XTAGS\x01t\x02", "K") is None
    assert wanted_of("TAGS\x01\x02", "K") is None
    assert wanted_of("TAGS\x01t\x02", "K") == {b"UNIQ_KEY": b"K", b"TAGS": b"t"}


def test_what_the_broker_acts_on_is_seen():
    for name in (
        "DELAY",
        "TIMER_OUT_MS",
        "TRAN_MSG",
        "CLUSTER",
        "MSG_REGION",
        "TRACE_ON",
        "POP_CK",
    ):
        assert is_acted_on(f"a\x01b\x02{name}\x01x\x02")
    assert not is_acted_on("UNIQ_KEY\x01K\x02TAGS\x01t\x02WAIT\x01true\x02")
