"""The name server: registration, routes, key-value configuration, write permission."""

from codec.headers.fields import Int32, Int64, RequestHeader, ResponseHeader, TopicRequestHeader


class PutKVConfigRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks PUT_KV_CONFIG (100). Source: PutKVConfigRequestHeader.java, 5.3.3."""

    namespace: str
    key: str
    value: str


class GetKVConfigRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_KV_CONFIG (101). Source: GetKVConfigRequestHeader.java, 5.3.3."""

    namespace: str
    key: str


class GetKVConfigResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_KV_CONFIG (101). Source: GetKVConfigResponseHeader.java, 5.3.3."""

    value: str | None = None


class DeleteKVConfigRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks DELETE_KV_CONFIG (102). Source: DeleteKVConfigRequestHeader.java, 5.3.3."""

    namespace: str
    key: str


class GetKVListByNamespaceRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_KVLIST_BY_NAMESPACE (219). Source: GetKVListByNamespaceRequestHeader.java, 5.3.3."""

    namespace: str


class RegisterBrokerRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks REGISTER_BROKER (103). Source: RegisterBrokerRequestHeader.java, 5.3.3."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    ha_server_addr: str
    broker_id: Int64
    heartbeat_timeout_millis: Int64 | None = None
    enable_acting_master: bool | None = None
    compressed: bool = False
    body_crc32: Int32 = 0


class RegisterBrokerResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers REGISTER_BROKER (103). Source: RegisterBrokerResponseHeader.java, 5.3.3."""

    ha_server_addr: str | None = None
    master_addr: str | None = None


class UnRegisterBrokerRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks UNREGISTER_BROKER (104). Source: UnRegisterBrokerRequestHeader.java, 5.3.3."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: Int64


class QueryDataVersionRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks QUERY_DATA_VERSION (322). Source: QueryDataVersionRequestHeader.java, 5.3.3."""

    broker_name: str
    broker_addr: str
    cluster_name: str
    broker_id: Int64


class QueryDataVersionResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers QUERY_DATA_VERSION (322). Source: QueryDataVersionResponseHeader.java, 5.3.3."""

    changed: bool


class BrokerHeartbeatRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks BROKER_HEARTBEAT (904). Source: BrokerHeartbeatRequestHeader.java, 5.3.3."""

    cluster_name: str
    broker_addr: str
    broker_name: str
    broker_id: Int64 | None = None
    epoch: Int32 | None = None
    max_offset: Int64 | None = None
    confirm_offset: Int64 | None = None
    heartbeat_timeout_mills: Int64 | None = None
    election_priority: Int32 | None = None


class GetRouteInfoRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks GET_ROUTEINFO_BY_TOPIC (105). Source: GetRouteInfoRequestHeader.java, 5.3.3."""

    topic: str
    accept_standard_json_only: bool | None = None


class WipeWritePermOfBrokerRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks WIPE_WRITE_PERM_OF_BROKER (205).

    Source: WipeWritePermOfBrokerRequestHeader.java, 5.3.3.
    """

    broker_name: str


class WipeWritePermOfBrokerResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers WIPE_WRITE_PERM_OF_BROKER (205).

    Source: WipeWritePermOfBrokerResponseHeader.java, 5.3.3.
    """

    wipe_topic_count: Int32


class AddWritePermOfBrokerRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks ADD_WRITE_PERM_OF_BROKER (327).

    Source: AddWritePermOfBrokerRequestHeader.java, 5.3.3.
    """

    broker_name: str


class AddWritePermOfBrokerResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers ADD_WRITE_PERM_OF_BROKER (327).

    Source: AddWritePermOfBrokerResponseHeader.java, 5.3.3.
    """

    add_topic_count: Int32


class DeleteTopicFromNamesrvRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks DELETE_TOPIC_IN_NAMESRV (216).

    Source: DeleteTopicFromNamesrvRequestHeader.java, 5.3.3.
    """

    topic: str
    cluster_name: str | None = None


class RegisterTopicRequestHeader(TopicRequestHeader, frozen=True, kw_only=True):
    """Asks REGISTER_TOPIC_IN_NAMESRV (217). Source: RegisterTopicRequestHeader.java, 5.3.3."""

    topic: str


class GetTopicsByClusterRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_TOPICS_BY_CLUSTER (224). Source: GetTopicsByClusterRequestHeader.java, 5.3.3."""

    cluster: str


class GetBrokerMemberGroupRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_BROKER_MEMBER_GROUP (901). Source: GetBrokerMemberGroupRequestHeader.java, 5.3.3."""

    cluster_name: str
    broker_name: str
