"""Messages of any delay that wait, counted by topic."""

from codec.bodies.body import Body, kept, kept_dict, kept_new
from codec.bodies.data_version import DataVersion
from codec.headers.fields import Int64


class TimerMetric(Body, kw_only=True):
    """Of one topic. Source: TimerMetrics.java, Metric, 5.3.3."""

    count: Int64 = kept(0)
    time_stamp: Int64 = kept(0)
    """When the count last changed, ms since 1970."""


class TimerMetricsSerializeWrapper(Body, kw_only=True):
    """Of all topics, also the file timermetrics. Source: TimerMetrics.java, 5.3.3."""

    data_version: DataVersion = kept_new(DataVersion)
    timing_count: dict[str, TimerMetric] = kept_dict()
