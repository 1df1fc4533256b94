"""Administration of a broker and of a container of brokers."""

from codec.headers.fields import Int32, Int64, RequestHeader, ResponseHeader, TopicRequestHeader


class GetBrokerConfigResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_BROKER_CONFIG (26). Source: GetBrokerConfigResponseHeader.java, 5.3.3."""

    version: str


class ViewBrokerStatsDataRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks VIEW_BROKER_STATS_DATA (315). Source: ViewBrokerStatsDataRequestHeader.java, 5.3.3."""

    stats_name: str
    stats_key: str


class QueryConsumeQueueRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_CONSUME_QUEUE (321). Source: QueryConsumeQueueRequestHeader.java, 5.3.3."""

    topic: str | None = None
    queue_id: Int32 = 0
    index: Int64 = 0
    count: Int32 = 0
    consumer_group: str | None = None


class CheckRocksdbCqWriteProgressRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CHECK_ROCKSDB_CQ_WRITE_PROGRESS (354).

    Source: CheckRocksdbCqWriteProgressRequestHeader.java, 5.3.3.
    """

    topic: str
    check_store_time: Int64 = 0


class ExportRocksDBConfigToJsonRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks EXPORT_ROCKSDB_CONFIG_TO_JSON (355).

    Source: ExportRocksDBConfigToJsonRequestHeader.java, 5.3.3.
    """

    config_type: str


class AddBrokerRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks ADD_BROKER (902). Source: AddBrokerRequestHeader.java, 5.3.3."""

    config_path: str | None = None


class RemoveBrokerRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks REMOVE_BROKER (903). Source: RemoveBrokerRequestHeader.java, 5.3.3."""

    broker_name: str
    broker_cluster_name: str
    broker_id: Int64
