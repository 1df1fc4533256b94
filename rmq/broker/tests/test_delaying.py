import pytest

from codec.codes import ResponseCode
from codec.message.sysflag import TRANSACTION_COMMIT, TRANSACTION_PREPARED, TRANSACTION_ROLLBACK
from rmq.base.errors import CommandError
from rmq.broker.delaying import delay_level, put_off


@pytest.mark.parametrize(
    ("text", "level"), [("3", 3), ("+3", 3), ("-1", -1), ("0", 0), ("2147483647", 2147483647)]
)
def test_level_is_read_as_java_reads_numbers(text, level):
    assert delay_level({"DELAY": text}) == level


def test_level_is_none_without_the_property():
    assert delay_level({"TIMER_DELAY_SEC": "3"}) == 0


@pytest.mark.parametrize("text", ["x", "1.5", " 1", "-", "1-", "²", "٣", "1" * 12])
def test_level_that_is_no_number_is_refused(text):
    with pytest.raises(CommandError) as caught:
        delay_level({"DELAY": text})

    assert caught.value.code == ResponseCode.MESSAGE_ILLEGAL


@pytest.mark.parametrize("sys_flag", [0, 1, TRANSACTION_COMMIT])
def test_message_is_put_off_and_says_where_it_goes(sys_flag):
    properties = {"TAGS": "a", "DELAY": "5", "TIMER_DELAY_SEC": "1", "TIMER_DELIVER_MS": "2"}

    assert put_off("T", 7, sys_flag, properties, 18) == ("SCHEDULE_TOPIC_XXXX", 4)

    assert properties == {"TAGS": "a", "DELAY": "5", "REAL_TOPIC": "T", "REAL_QID": "7"}


def test_level_is_at_most_the_last():
    properties = {"DELAY": "5"}

    assert put_off("T", 0, 0, properties, 2) == ("SCHEDULE_TOPIC_XXXX", 1)

    assert properties["DELAY"] == "2"


@pytest.mark.parametrize("sys_flag", [TRANSACTION_PREPARED, TRANSACTION_ROLLBACK])
def test_half_message_is_not_put_off(sys_flag):
    properties = {"DELAY": "5", "TIMER_DELAY_SEC": "1"}

    assert put_off("T", 7, sys_flag, properties, 18) == ("T", 7)

    assert properties == {"DELAY": "5", "TIMER_DELAY_SEC": "1"}


@pytest.mark.parametrize("properties", [{}, {"DELAY": "0"}, {"DELAY": "-3"}])
def test_message_without_a_level_stays(properties):
    before = dict(properties)

    assert put_off("T", 7, 0, properties, 18) == ("T", 7)

    assert properties == before
