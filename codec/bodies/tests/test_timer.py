from codec.bodies import decode_body, encode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.timer import TimerMetric, TimerMetricsSerializeWrapper


def test_metrics_are_written_as_java_writes_them() -> None:
    metrics = TimerMetricsSerializeWrapper(
        data_version=DataVersion(counter=3, timestamp=7),
        timing_count={"T": TimerMetric(count=2, time_stamp=5)},
    )

    text = (
        b'{"dataVersion":{"counter":3,"stateVersion":0,"timestamp":7},'
        b'"timingCount":{"T":{"count":2,"timeStamp":5}}}'
    )
    assert encode_body(metrics) == text
    assert decode_body(TimerMetricsSerializeWrapper, text) == metrics


def test_no_metrics_are_an_empty_table() -> None:
    assert decode_body(TimerMetricsSerializeWrapper, b"{}").timing_count == {}
    assert encode_body(TimerMetric()) == b'{"count":0,"timeStamp":0}'
