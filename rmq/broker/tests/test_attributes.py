import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.broker.attributes import TOPIC_ATTRIBUTES, altered, parse_alterations


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


def test_alterations_are_read_from_text():
    assert parse_alterations("") == {}
    assert parse_alterations("+a=1,-b,+c=x=y") == {"+a": "1", "-b": "", "+c": "x=y"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a=1", "add/alter attribute format is wrong: a=1"),
        ("+a=", "add/alter attribute format is wrong: +a="),
        ("+a", "delete attribute format is wrong: +a"),
        ("+a=1,", "delete attribute format is wrong: "),
        ("+a=1,+a=2", "key duplication: +a"),
    ],
)
def test_text_that_is_no_alteration_is_refused(text, fault):
    with pytest.raises(CommandError) as caught:
        parse_alterations(text)
    assert caught.value.code is ResponseCode.SYSTEM_ERROR
    assert caught.value.remark == fault
