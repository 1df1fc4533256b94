import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.filters import (
    BloomFilterData,
    ConsumerFilterData,
    ConsumerFilterSerializeWrapper,
    FilterDataMapByTopic,
)
from codec.bodies.tests.recorded import GOLDEN
from codec.errors import CodecError

FILTER = ConsumerFilterData(
    bloom_filter_data=BloomFilterData(bit_num=216, bit_pos=(63, 175, 71)),
    born_time=1795309531941,
    client_version=1700000000000,
    consumer_group="G1",
    expression="a > 5",
    expression_type="SQL92",
    topic="TopicA",
)


def test_the_filters_of_a_broker_are_java_s_by_topic_then_group() -> None:
    text = (GOLDEN / "files" / "consumerFilter.json").read_bytes()

    assert decode_body(ConsumerFilterSerializeWrapper, text) == ConsumerFilterSerializeWrapper(
        filter_data_by_topic={
            "TopicA": FilterDataMapByTopic(group_filter_data={"G1": FILTER}, topic="TopicA")
        }
    )


def test_a_filter_goes_there_and_back() -> None:
    assert decode_body(ConsumerFilterData, encode_body(FILTER)) == FILTER


def test_no_filters_are_an_empty_table() -> None:
    assert encode_body(ConsumerFilterSerializeWrapper()) == b'{"filterDataByTopic":{}}'


def test_a_filter_without_its_expression_is_refused() -> None:
    with pytest.raises(CodecError, match="expression"):
        decode_body(ConsumerFilterData, b'{"consumerGroup":"g","topic":"T"}')
