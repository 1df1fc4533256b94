import pytest

from rmq.broker import names


@pytest.mark.parametrize("topic", ["a", "%RETRY%g-1_x|y", "T" * 127])
def test_topic_of_legal_characters_is_taken(topic):
    assert names.topic_fault(topic) is None


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("", "blank"),
        ("  ", "blank"),
        ("a b", "illegal characters"),
        ("a.b", "illegal characters"),
        ("a\n", "illegal characters"),
        ("ü", "illegal characters"),
        ("T" * 128, "longer"),
    ],
)
def test_topic_that_cannot_be_used_is_told_why(topic, words):
    assert words in (names.topic_fault(topic) or "")


@pytest.mark.parametrize(
    ("group", "words"),
    [(" ", "blank"), ("g" * 256, "longer"), ("g@h", "illegal characters")],
)
def test_group_that_cannot_be_used_is_told_why(group, words):
    assert words in (names.group_fault(group) or "")


def test_group_may_be_longer_than_a_topic():
    assert names.group_fault("g" * 255) is None


def test_retry_and_dead_letter_topics_lead_back_to_their_group():
    assert names.retry_topic("g") == "%RETRY%g"
    assert names.dead_letter_topic("g") == "%DLQ%g"
    assert names.group_of("%RETRY%g") == names.group_of("%DLQ%g") == "g"
    assert names.is_retry_topic("%RETRY%g")
    assert not names.is_retry_topic("%DLQ%g")


def test_pop_retry_topic_has_two_forms():
    assert names.pop_retry_topic("g", "t") == "%RETRY%g_t"
    assert names.pop_retry_topic("g", "t", second_form=True) == "%RETRY%g+t"
