from hypothesis import given, strategies

from codec.disk.index import key_hash
from codec.message.java_hash import java_hash, tags_code
from codec.message.properties import build, parse
from rmq.store import dispatch
from rmq.store.dispatch import key_hashes, queue_tags_code, wanted_properties
from rmq.store.settings import DELAY_LEVELS_MS

NAMES = strategies.sampled_from(["TAGS", "KEYS", "UNIQ_KEY", "KEYSX", "A"])
TEXT = strategies.text(strategies.sampled_from("ab \x01\x02é"), max_size=40)


@given(strategies.lists(strategies.tuples(NAMES, TEXT)), strategies.booleans())
def test_wanted_properties_are_those_that_parse_gives(
    pairs: list[tuple[str, str]], ended: bool
) -> None:
    text = "".join(f"{name}\x01{value}\x02" for name, value in pairs).encode()
    if not ended:
        text = text[:-1]

    found = wanted_properties(text)

    assert {name.decode(): value.decode() for name, value in found.items()} == {
        name: value for name, value in parse(text).items() if name in {"TAGS", "KEYS", "UNIQ_KEY"}
    }


@given(
    strategies.text(strategies.characters(min_codepoint=33, max_codepoint=1000), max_size=70)
    | strategies.from_regex("[0-9A-F]{32}", fullmatch=True),
    strategies.lists(
        strategies.text(strategies.characters(min_codepoint=33, max_codepoint=300), max_size=80)
    ),
)
def test_hashes_are_javas_of_topic_and_each_key(unique_key: str, keys: list[str]) -> None:
    properties = build({"UNIQ_KEY": unique_key, "KEYS": " ".join(keys)})

    hashes = key_hashes(java_hash("Topic#"), wanted_properties(properties))

    expected = [unique_key, *keys] if unique_key else keys
    assert hashes == [key_hash(java_hash(f"Topic#{key}")) for key in expected if key]


def test_lowest_hash_counts_as_zero() -> None:
    assert java_hash("polygenelubricants") == -(1 << 31)

    assert key_hashes(java_hash("polygene"), {b"KEYS": b"lubricants"}) == [0]


def test_beginnings_of_unique_keys_are_forgotten_when_there_are_too_many() -> None:
    for number in range(dispatch.MOMENTS_MAX + 10):
        key_hashes(0, {b"UNIQ_KEY": b"%028d0000" % number})

    assert len(dispatch._moments) <= dispatch.MOMENTS_MAX


def test_delayed_message_has_its_delivery_time_for_a_tag() -> None:
    def code(topic: str, properties: bytes) -> int:
        wanted = wanted_properties(properties)
        return queue_tags_code(topic, properties, wanted, 1000, DELAY_LEVELS_MS)

    assert code("SCHEDULE_TOPIC_XXXX", b"DELAY\x011\x02") == 2000
    assert code("SCHEDULE_TOPIC_XXXX", b"DELAY\x0119\x02") == 7_201_000
    assert code("SCHEDULE_TOPIC_XXXX", b"DELAY\x010\x02TAGS\x01a\x02") == tags_code(b"a")
    assert code("SCHEDULE_TOPIC_XXXX", b"DELAY\x01-1\x02") == 0
    assert code("T", b"DELAY\x011\x02") == 0
