"""Acting masters and replication between the brokers of a set."""

from codec.headers.fields import Int64, RequestHeader, ResponseHeader


class NotifyMinBrokerIdChangeRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks NOTIFY_MIN_BROKER_ID_CHANGE (905).

    Source: NotifyMinBrokerIdChangeRequestHeader.java, 5.3.3.
    """

    min_broker_id: Int64 | None = None
    broker_name: str | None = None
    min_broker_addr: str | None = None
    offline_broker_addr: str | None = None
    ha_broker_addr: str | None = None


class ExchangeHAInfoRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks EXCHANGE_BROKER_HA_INFO (906). Source: ExchangeHAInfoRequestHeader.java, 5.3.3."""

    master_ha_address: str | None = None
    master_flush_offset: Int64 | None = None
    master_address: str | None = None


class ExchangeHAInfoResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers EXCHANGE_BROKER_HA_INFO (906). Source: ExchangeHAInfoResponseHeader.java, 5.3.3."""

    master_ha_address: str | None = None
    master_flush_offset: Int64 | None = None
    master_address: str | None = None


class ResetMasterFlushOffsetHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks RESET_MASTER_FLUSH_OFFSET (908). Source: ResetMasterFlushOffsetHeader.java, 5.3.3."""

    master_flush_offset: Int64
