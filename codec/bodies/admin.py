"""What operators look into: consume queues and replication."""

from codec.bodies.body import Body, kept, kept_list, kept_new
from codec.bodies.heartbeat import SubscriptionData
from codec.headers.fields import Int32, Int64


class ConsumeQueueData(Body, kw_only=True):
    """One unit of a consume queue, and whether a group's filter takes it."""

    bit_map: str | None = None
    eval: bool = kept(False)
    extend_data_json: str | None = None
    msg: str | None = None
    physic_offset: Int64 = kept(0)
    physic_size: Int32 = kept(0)
    tags_code: Int64 = kept(0)


class QueryConsumeQueueResponseBody(Body, kw_only=True):
    """A stretch of a consume queue."""

    filter_data: str | None = None
    max_queue_index: Int64 = kept(0)
    min_queue_index: Int64 = kept(0)
    queue_data: list[ConsumeQueueData] | None = None
    subscription_data: SubscriptionData | None = None


class CheckRocksdbCqWriteResult(Body, kw_only=True):
    """How far the copying of consume queues to RocksDB is."""

    check_result: str | None = None
    check_status: Int32 = kept(0)


class HAClientRuntimeInfo(Body, kw_only=True):
    """A slave's view of replication."""

    last_read_timestamp: Int64 = kept(0)
    last_write_timestamp: Int64 = kept(0)
    master_addr: str | None = None
    master_flush_offset: Int64 = kept(0)
    max_offset: Int64 = kept(0)
    transferred_byte_in_second: Int64 = kept(0)


class HAConnectionRuntimeInfo(Body, kw_only=True):
    """A master's view of one slave."""

    addr: str | None = None
    diff: Int64 = kept(0)
    """Bytes that the slave lacks."""
    in_sync: bool = kept(False)
    slave_ack_offset: Int64 = kept(0)
    transfer_from_where: Int64 = kept(0)
    transferred_byte_in_second: Int64 = kept(0)


class HARuntimeInfo(Body, kw_only=True):
    """Replication as a broker sees it. Source: HARuntimeInfo.java, 5.3.3."""

    ha_client_runtime_info: HAClientRuntimeInfo = kept_new(HAClientRuntimeInfo)
    ha_connection_info: list[HAConnectionRuntimeInfo] = kept_list()
    in_sync_slave_nums: Int32 = kept(0)
    master: bool = kept(False)
    master_commit_log_max_offset: Int64 = kept(0)
