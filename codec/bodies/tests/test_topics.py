from typing import Any

import pytest

from codec.bodies.topics import TopicConfig, TopicFilterType
from codec.errors import CodecError


def test_a_topic_goes_through_its_line() -> None:
    topic = TopicConfig(
        topic_name="t",
        read_queue_nums=1,
        write_queue_nums=2,
        perm=4,
        topic_filter_type=TopicFilterType.MULTI_TAG,
        attributes={"a": "é"},
    )

    assert topic.to_line() == 't 1 2 4 MULTI_TAG {"a":"é"}'
    assert TopicConfig.from_line(topic.to_line()) == topic


def test_a_line_may_lack_attributes_or_have_broken_ones() -> None:
    plain = TopicConfig(topic_name="t", read_queue_nums=1, write_queue_nums=2, perm=-1)

    assert TopicConfig.from_line("t 1 +2 -1 SINGLE_TAG") == plain
    assert TopicConfig.from_line('t 1 2 -1 SINGLE_TAG {"a": "b"}') == plain
    assert TopicConfig.from_line("t 1 2 -1 SINGLE_TAG [1]") == plain
    assert TopicConfig.from_line("t 1 2 -1 SINGLE_TAG {1:true}").attributes == {"1": "true"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("t 1 2 6", "4 words"),
        ("t x 2 6 SINGLE_TAG", "readQueueNums 'x'"),
        ("t 1  6 SINGLE_TAG", "writeQueueNums ''"),
        ("t 1 2 2147483648 SINGLE_TAG", "beyond 32 bits"),
        ("t 1 2 ٣ SINGLE_TAG", "perm"),
        ("t 1 2 6 NO_TAG", "filter type 'NO_TAG'"),
    ],
)
def test_a_broken_line_is_refused(line: Any, reason: Any) -> None:
    with pytest.raises(CodecError, match=reason):
        TopicConfig.from_line(line)


def test_the_message_type_is_normal_unless_set() -> None:
    assert TopicConfig(topic_name="t").message_type == "NORMAL"
    assert TopicConfig(topic_name="t", attributes={"message.type": "FIFO"}).message_type == "FIFO"
