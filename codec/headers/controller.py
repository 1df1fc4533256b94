"""The controller: who is master, who is in sync, who is alive."""

from codec.headers.fields import Int32, Int64, RequestHeader, ResponseHeader


class AlterSyncStateSetRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CONTROLLER_ALTER_SYNC_STATE_SET (1001).

    Source: AlterSyncStateSetRequestHeader.java, 5.3.3.
    """

    broker_name: str | None = None
    master_broker_id: Int64 | None = None
    master_epoch: Int32 | None = None
    invoke_time: Int64 = 0


class AlterSyncStateSetResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CONTROLLER_ALTER_SYNC_STATE_SET (1001).

    Source: AlterSyncStateSetResponseHeader.java, 5.3.3.
    """

    new_sync_state_set_epoch: Int32 = 0


class ElectMasterRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CONTROLLER_ELECT_MASTER (1002). Source: ElectMasterRequestHeader.java, 5.3.3."""

    cluster_name: str = ""
    broker_name: str = ""
    broker_id: Int64 = -1
    designate_elect: bool = False
    invoke_time: Int64 | None = None


class ElectMasterResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CONTROLLER_ELECT_MASTER (1002). Source: ElectMasterResponseHeader.java, 5.3.3."""

    master_broker_id: Int64 | None = None
    master_address: str | None = None
    master_epoch: Int32 | None = None
    sync_state_set_epoch: Int32 | None = None


class RegisterBrokerToControllerRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CONTROLLER_REGISTER_BROKER (1003).

    Source: RegisterBrokerToControllerRequestHeader.java, 5.3.3.
    """

    cluster_name: str | None = None
    broker_name: str | None = None
    broker_id: Int64 | None = None
    broker_address: str | None = None
    invoke_time: Int64 = 0


class RegisterBrokerToControllerResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CONTROLLER_REGISTER_BROKER (1003).

    Source: RegisterBrokerToControllerResponseHeader.java, 5.3.3.
    """

    cluster_name: str | None = None
    broker_name: str | None = None
    master_broker_id: Int64 | None = None
    master_address: str | None = None
    master_epoch: Int32 | None = None
    sync_state_set_epoch: Int32 | None = None


class GetReplicaInfoRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CONTROLLER_GET_REPLICA_INFO (1004). Source: GetReplicaInfoRequestHeader.java, 5.3.3."""

    broker_name: str | None = None


class GetReplicaInfoResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CONTROLLER_GET_REPLICA_INFO (1004).

    Source: GetReplicaInfoResponseHeader.java, 5.3.3.
    """

    master_broker_id: Int64 | None = None
    master_address: str | None = None
    master_epoch: Int32 | None = None


class GetMetaDataResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CONTROLLER_GET_METADATA_INFO (1005).

    Source: GetMetaDataResponseHeader.java, 5.3.3.
    """

    group: str | None = None
    controller_leader_id: str | None = None
    controller_leader_address: str | None = None
    is_leader: bool = False
    peers: str | None = None


class NotifyBrokerRoleChangedRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks NOTIFY_BROKER_ROLE_CHANGED (1008).

    Source: NotifyBrokerRoleChangedRequestHeader.java, 5.3.3.
    """

    master_address: str | None = None
    master_epoch: Int32 | None = None
    sync_state_set_epoch: Int32 | None = None
    master_broker_id: Int64 | None = None


class CleanControllerBrokerDataRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CLEAN_BROKER_DATA (1011). Source: CleanControllerBrokerDataRequestHeader.java, 5.3.3."""

    cluster_name: str | None = None
    broker_name: str
    broker_controller_ids_to_clean: str | None = None
    is_clean_living_broker: bool = False
    invoke_time: Int64 = 0


class GetNextBrokerIdRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CONTROLLER_GET_NEXT_BROKER_ID (1012).

    Source: GetNextBrokerIdRequestHeader.java, 5.3.3.
    """

    cluster_name: str | None = None
    broker_name: str | None = None


class GetNextBrokerIdResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CONTROLLER_GET_NEXT_BROKER_ID (1012).

    Source: GetNextBrokerIdResponseHeader.java, 5.3.3.
    """

    cluster_name: str | None = None
    broker_name: str | None = None
    next_broker_id: Int64 | None = None


class ApplyBrokerIdRequestHeader(RequestHeader, frozen=True, kw_only=True):
    """Asks CONTROLLER_APPLY_BROKER_ID (1013). Source: ApplyBrokerIdRequestHeader.java, 5.3.3."""

    cluster_name: str | None = None
    broker_name: str | None = None
    applied_broker_id: Int64 | None = None
    register_check_code: str | None = None


class ApplyBrokerIdResponseHeader(ResponseHeader, frozen=True, kw_only=True):
    """Answers CONTROLLER_APPLY_BROKER_ID (1013).

    Source: ApplyBrokerIdResponseHeader.java, 5.3.3.
    """

    cluster_name: str | None = None
    broker_name: str | None = None


class BrokerCloseChannelRequest(RequestHeader, frozen=True, kw_only=True):
    """Asks BROKER_CLOSE_CHANNEL_REQUEST (1014). Source: BrokerCloseChannelRequest.java, 5.3.3."""

    cluster_name: str | None = None
    broker_name: str | None = None
    broker_id: Int64 | None = None


class BrokerCloseChannelResponse(ResponseHeader, frozen=True, kw_only=True):
    """Answers BROKER_CLOSE_CHANNEL_REQUEST (1014).

    Source: BrokerCloseChannelResponse.java, 5.3.3.
    """


class CheckNotActiveBrokerRequest(RequestHeader, frozen=True, kw_only=True):
    """Asks CHECK_NOT_ACTIVE_BROKER_REQUEST (1015).

    Source: CheckNotActiveBrokerRequest.java, 5.3.3.
    """

    check_time_millis: Int64 | None = None


class CheckNotActiveBrokerResponse(ResponseHeader, frozen=True, kw_only=True):
    """Answers CHECK_NOT_ACTIVE_BROKER_REQUEST (1015).

    Source: CheckNotActiveBrokerResponse.java, 5.3.3.
    """


class GetBrokerLiveInfoRequest(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_BROKER_LIVE_INFO_REQUEST (1016). Source: GetBrokerLiveInfoRequest.java, 5.3.3."""

    cluster_name: str | None = None
    broker_name: str | None = None
    broker_id: Int64 | None = None


class GetBrokerLiveInfoResponse(ResponseHeader, frozen=True, kw_only=True):
    """Answers GET_BROKER_LIVE_INFO_REQUEST (1016).

    Source: GetBrokerLiveInfoResponse.java, 5.3.3.
    """


class GetSyncStateDataRequest(RequestHeader, frozen=True, kw_only=True):
    """Asks GET_SYNC_STATE_DATA_REQUEST (1017). Source: GetSyncStateDataRequest.java, 5.3.3."""

    invoke_time: Int64 | None = None


class RaftBrokerHeartBeatEventRequest(RequestHeader, frozen=True, kw_only=True):
    """Asks RAFT_BROKER_HEART_BEAT_EVENT_REQUEST (1018).

    Source: RaftBrokerHeartBeatEventRequest.java, 5.3.3.
    """

    cluster_name_identity_info: str | None = None
    broker_name_identity_info: str | None = None
    broker_id_identity_info: Int64 | None = None
    broker_name: str | None = None
    broker_addr: str | None = None
    heartbeat_timeout_millis: Int64 | None = None
    broker_id: Int64 | None = None
    last_update_timestamp: Int64 | None = None
    epoch: Int32 | None = None
    max_offset: Int64 | None = None
    confirm_offset: Int64 | None = None
    election_priority: Int32 | None = None


class RaftBrokerHeartBeatEventResponse(ResponseHeader, frozen=True, kw_only=True):
    """Answers RAFT_BROKER_HEART_BEAT_EVENT_REQUEST (1018).

    Source: RaftBrokerHeartBeatEventResponse.java, 5.3.3.
    """
