import pytest

from rmq.base.errors import CommandError
from rmq.broker.attributes import TOPIC_ATTRIBUTES, altered


def test_attributes_of_a_new_topic_lose_their_sign():
    given = {"+message.type": "FIFO", "+queue.type": "BatchCQ", "+reserve.time": "-1"}

    assert altered(TOPIC_ATTRIBUTES, None, given) == {
        "message.type": "FIFO",
        "queue.type": "BatchCQ",
        "reserve.time": "-1",
    }


def test_changeable_attribute_is_set_and_removed():
    current = {"message.type": "FIFO", "queue.type": "SimpleCQ"}

    set_ = altered(TOPIC_ATTRIBUTES, current, {"+message.type": "DELAY"})
    removed = altered(TOPIC_ATTRIBUTES, current, {"-message.type": ""})

    assert set_ == {"message.type": "DELAY", "queue.type": "SimpleCQ"}
    assert removed == {"queue.type": "SimpleCQ"}
    assert current["message.type"] == "FIFO"


@pytest.mark.parametrize(
    ("current", "alterations", "words"),
    [
        (None, {"-message.type": "FIFO"}, "only add attribute is supported"),
        (None, {"message.type": "FIFO"}, "only add attribute is supported"),
        ({}, {"message.type": "FIFO"}, "wrong format key: essage.type"),
        ({}, {"-message.type": ""}, "attempt to delete a nonexistent key: message.type"),
        ({}, {"+other": "x"}, "unsupported key: other"),
        ({}, {"+cleanup.policy": "DELETE"}, "attempt to update an unchangeable attribute"),
        ({}, {"+message.type": "ODD"}, "value is not in set"),
        (None, {"+queue.type": "ODD"}, "value is not in set"),
        ({}, {"+reserve.time": "x"}, 'For input string: "x"'),
        ({}, {"+reserve.time": "-2"}, "value is not in range"),
        ({}, {"+": "x"}, "kv string format wrong."),
        ({}, {"+a+b": "x"}, "kv string format wrong."),
        ({}, {"+a-b": "x"}, "kv string format wrong."),
        ({"message.type": "FIFO"}, {"+message.type": "FIFO", "-message.type": ""}, "duplication"),
    ],
)
def test_alteration_that_is_not_allowed_is_refused(current, alterations, words):
    with pytest.raises(CommandError, match=words.replace("+", r"\+")):
        altered(TOPIC_ATTRIBUTES, current, alterations)
