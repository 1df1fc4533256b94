import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.broker.processors.admin.checks import (
    check_group_name,
    check_range,
    check_topic_name,
    known_topic,
)
from rmq.broker.processors.admin.tests.scene import AdminScene


@pytest.mark.parametrize("check", [check_topic_name, check_group_name])
def test_names_are_checked(check):
    check("%RETRY%G|1-2_3")
    for name in ("", "a/b", "é", "x" * 300):
        with pytest.raises(CommandError) as caught:
            check(name)
        assert caught.value.code is ResponseCode.INVALID_PARAMETER


def test_numbers_are_checked():
    check_range("n", 0, 5)
    check_range("n", 5, 5)
    for number in (-1, 6):
        with pytest.raises(CommandError, match=f"n {number}, expected 0 to 5"):
            check_range("n", number, 5)


def test_only_known_topics_are_found():
    topics = AdminScene().topics

    assert known_topic(topics, "TBW102").topic_name == "TBW102"
    with pytest.raises(CommandError, match=r"TOPIC_NOT_EXIST: topic.X. not exist"):
        known_topic(topics, "X")
