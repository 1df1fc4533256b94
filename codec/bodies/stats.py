"""Counters of a broker."""

from codec.bodies.body import Body, kept, kept_dict, kept_new
from codec.bodies.data_version import DataVersion
from codec.headers.fields import Int64


class BrokerStatsItem(Body, kw_only=True):
    """A counter over some time."""

    avgpt: float = kept(0.0)
    """Sum per count."""
    sum: Int64 = kept(0)
    tps: float = kept(0.0)
    """Sum per second."""


class BrokerStatsData(Body, kw_only=True):
    """A counter over the last minute, hour and day."""

    stats_day: BrokerStatsItem | None = None
    stats_hour: BrokerStatsItem | None = None
    stats_minute: BrokerStatsItem | None = None


class Metric(Body, kw_only=True):
    """Timed messages of a topic that wait. Source: TimerMetrics.java, Metric, 5.3.3."""

    count: Int64 = kept(0)
    time_stamp: Int64 = kept(0)
    """When it last changed, milliseconds since 1970."""


class TimerMetricsSerializeWrapper(Body, kw_only=True):
    """Timed messages that wait, by topic; also the file timermetrics."""

    data_version: DataVersion = kept_new(DataVersion)
    timing_count: dict[str, Metric] = kept_dict()
