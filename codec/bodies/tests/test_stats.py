from codec.bodies import decode_body, encode_body
from codec.bodies.stats import (
    BrokerStatsData,
    BrokerStatsItem,
    Metric,
    TimerMetricsSerializeWrapper,
)
from codec.bodies.tests.recorded import read_recorded

COUNTED = BrokerStatsItem(avgpt=1.25, sum=1700000000003, tps=0.75)


def test_a_counter_is_java_s() -> None:
    assert read_recorded(BrokerStatsData) == BrokerStatsData(
        stats_day=COUNTED, stats_hour=COUNTED, stats_minute=COUNTED
    )


def test_waiting_timed_messages_are_java_s() -> None:
    assert read_recorded(TimerMetricsSerializeWrapper).timing_count["timingCount1"] == Metric(
        count=5, time_stamp=1700000000009
    )


def test_a_counter_of_nothing_has_its_zeros() -> None:
    assert encode_body(BrokerStatsItem()) == b'{"avgpt":0.0,"sum":0,"tps":0.0}'
    assert encode_body(BrokerStatsData()) == b"{}"


def test_rates_may_be_whole_numbers() -> None:
    assert decode_body(BrokerStatsItem, b'{"tps":3}').tps == 3.0
