"""Which header classes a request code has: one row a code, none missing."""

from typing import NamedTuple

from codec.codes import RequestCode
from codec.headers import (
    auth,
    broker_admin,
    clients,
    controller,
    groups,
    ha,
    namesrv,
    offsets,
    pop,
    pull,
    send,
    topics,
    transactions,
)
from codec.headers.fields import RequestHeader, ResponseHeader


class HeaderPair(NamedTuple):
    """The header classes of a request and of its response; None where RocketMQ has none."""

    request: type[RequestHeader] | None
    response: type[ResponseHeader] | None


_NO_HEADERS = HeaderPair(None, None)

_PAIRS = {
    RequestCode.SEND_MESSAGE: HeaderPair(
        send.SendMessageRequestHeader, send.SendMessageResponseHeader
    ),
    RequestCode.PULL_MESSAGE: HeaderPair(
        pull.PullMessageRequestHeader, pull.PullMessageResponseHeader
    ),
    RequestCode.QUERY_MESSAGE: HeaderPair(
        pull.QueryMessageRequestHeader, pull.QueryMessageResponseHeader
    ),
    RequestCode.QUERY_CONSUMER_OFFSET: HeaderPair(
        offsets.QueryConsumerOffsetRequestHeader, offsets.QueryConsumerOffsetResponseHeader
    ),
    RequestCode.UPDATE_CONSUMER_OFFSET: HeaderPair(
        offsets.UpdateConsumerOffsetRequestHeader, offsets.UpdateConsumerOffsetResponseHeader
    ),
    RequestCode.UPDATE_AND_CREATE_TOPIC: HeaderPair(topics.CreateTopicRequestHeader, None),
    RequestCode.UPDATE_AND_CREATE_TOPIC_LIST: HeaderPair(topics.CreateTopicListRequestHeader, None),
    RequestCode.GET_ALL_TOPIC_CONFIG: HeaderPair(None, topics.GetAllTopicConfigResponseHeader),
    RequestCode.GET_BROKER_CONFIG: HeaderPair(None, broker_admin.GetBrokerConfigResponseHeader),
    RequestCode.SEARCH_OFFSET_BY_TIMESTAMP: HeaderPair(
        offsets.SearchOffsetRequestHeader, offsets.SearchOffsetResponseHeader
    ),
    RequestCode.GET_MAX_OFFSET: HeaderPair(
        offsets.GetMaxOffsetRequestHeader, offsets.GetMaxOffsetResponseHeader
    ),
    RequestCode.GET_MIN_OFFSET: HeaderPair(
        offsets.GetMinOffsetRequestHeader, offsets.GetMinOffsetResponseHeader
    ),
    RequestCode.GET_EARLIEST_MSG_STORETIME: HeaderPair(
        offsets.GetEarliestMsgStoretimeRequestHeader, offsets.GetEarliestMsgStoretimeResponseHeader
    ),
    RequestCode.VIEW_MESSAGE_BY_ID: HeaderPair(pull.ViewMessageRequestHeader, None),
    RequestCode.HEART_BEAT: HeaderPair(clients.HeartbeatRequestHeader, None),
    RequestCode.UNREGISTER_CLIENT: HeaderPair(
        clients.UnregisterClientRequestHeader, clients.UnregisterClientResponseHeader
    ),
    RequestCode.CONSUMER_SEND_MSG_BACK: HeaderPair(send.ConsumerSendMsgBackRequestHeader, None),
    RequestCode.END_TRANSACTION: HeaderPair(transactions.EndTransactionRequestHeader, None),
    RequestCode.GET_CONSUMER_LIST_BY_GROUP: HeaderPair(
        clients.GetConsumerListByGroupRequestHeader, clients.GetConsumerListByGroupResponseHeader
    ),
    RequestCode.CHECK_TRANSACTION_STATE: HeaderPair(
        transactions.CheckTransactionStateRequestHeader, None
    ),
    RequestCode.NOTIFY_CONSUMER_IDS_CHANGED: HeaderPair(
        clients.NotifyConsumerIdsChangedRequestHeader, None
    ),
    RequestCode.LOCK_BATCH_MQ: HeaderPair(clients.LockBatchMqRequestHeader, None),
    RequestCode.UNLOCK_BATCH_MQ: HeaderPair(clients.UnlockBatchMqRequestHeader, None),
    RequestCode.PUT_KV_CONFIG: HeaderPair(namesrv.PutKVConfigRequestHeader, None),
    RequestCode.GET_KV_CONFIG: HeaderPair(
        namesrv.GetKVConfigRequestHeader, namesrv.GetKVConfigResponseHeader
    ),
    RequestCode.DELETE_KV_CONFIG: HeaderPair(namesrv.DeleteKVConfigRequestHeader, None),
    RequestCode.REGISTER_BROKER: HeaderPair(
        namesrv.RegisterBrokerRequestHeader, namesrv.RegisterBrokerResponseHeader
    ),
    RequestCode.UNREGISTER_BROKER: HeaderPair(namesrv.UnRegisterBrokerRequestHeader, None),
    RequestCode.GET_ROUTEINFO_BY_TOPIC: HeaderPair(namesrv.GetRouteInfoRequestHeader, None),
    RequestCode.GET_TOPIC_STATS_INFO: HeaderPair(topics.GetTopicStatsInfoRequestHeader, None),
    RequestCode.GET_CONSUMER_CONNECTION_LIST: HeaderPair(
        clients.GetConsumerConnectionListRequestHeader, None
    ),
    RequestCode.GET_PRODUCER_CONNECTION_LIST: HeaderPair(
        clients.GetProducerConnectionListRequestHeader, None
    ),
    RequestCode.WIPE_WRITE_PERM_OF_BROKER: HeaderPair(
        namesrv.WipeWritePermOfBrokerRequestHeader, namesrv.WipeWritePermOfBrokerResponseHeader
    ),
    RequestCode.DELETE_SUBSCRIPTIONGROUP: HeaderPair(
        groups.DeleteSubscriptionGroupRequestHeader, None
    ),
    RequestCode.GET_CONSUME_STATS: HeaderPair(groups.GetConsumeStatsRequestHeader, None),
    RequestCode.DELETE_TOPIC_IN_BROKER: HeaderPair(topics.DeleteTopicRequestHeader, None),
    RequestCode.DELETE_TOPIC_IN_NAMESRV: HeaderPair(
        namesrv.DeleteTopicFromNamesrvRequestHeader, None
    ),
    RequestCode.REGISTER_TOPIC_IN_NAMESRV: HeaderPair(namesrv.RegisterTopicRequestHeader, None),
    RequestCode.GET_KVLIST_BY_NAMESPACE: HeaderPair(
        namesrv.GetKVListByNamespaceRequestHeader, None
    ),
    RequestCode.RESET_CONSUMER_CLIENT_OFFSET: HeaderPair(offsets.ResetOffsetRequestHeader, None),
    RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT: HeaderPair(
        offsets.GetConsumerStatusRequestHeader, None
    ),
    RequestCode.INVOKE_BROKER_TO_RESET_OFFSET: HeaderPair(offsets.ResetOffsetRequestHeader, None),
    RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS: HeaderPair(
        offsets.GetConsumerStatusRequestHeader, None
    ),
    RequestCode.GET_TOPICS_BY_CLUSTER: HeaderPair(namesrv.GetTopicsByClusterRequestHeader, None),
    RequestCode.QUERY_TOPIC_CONSUME_BY_WHO: HeaderPair(
        topics.QueryTopicConsumeByWhoRequestHeader, None
    ),
    RequestCode.QUERY_CONSUME_TIME_SPAN: HeaderPair(
        offsets.QueryConsumeTimeSpanRequestHeader, None
    ),
    RequestCode.GET_CONSUMER_RUNNING_INFO: HeaderPair(
        clients.GetConsumerRunningInfoRequestHeader, None
    ),
    RequestCode.QUERY_CORRECTION_OFFSET: HeaderPair(offsets.QueryCorrectionOffsetHeader, None),
    RequestCode.CONSUME_MESSAGE_DIRECTLY: HeaderPair(
        clients.ConsumeMessageDirectlyResultRequestHeader, None
    ),
    RequestCode.SEND_MESSAGE_V2: HeaderPair(
        send.SendMessageRequestHeaderV2, send.SendMessageResponseHeader
    ),
    RequestCode.CLONE_GROUP_OFFSET: HeaderPair(offsets.CloneGroupOffsetRequestHeader, None),
    RequestCode.VIEW_BROKER_STATS_DATA: HeaderPair(
        broker_admin.ViewBrokerStatsDataRequestHeader, None
    ),
    RequestCode.GET_BROKER_CONSUME_STATS: HeaderPair(groups.GetConsumeStatsInBrokerHeader, None),
    RequestCode.SEND_BATCH_MESSAGE: HeaderPair(
        send.SendMessageRequestHeaderV2, send.SendMessageResponseHeader
    ),
    RequestCode.QUERY_CONSUME_QUEUE: HeaderPair(broker_admin.QueryConsumeQueueRequestHeader, None),
    RequestCode.QUERY_DATA_VERSION: HeaderPair(
        namesrv.QueryDataVersionRequestHeader, namesrv.QueryDataVersionResponseHeader
    ),
    RequestCode.RESUME_CHECK_HALF_MESSAGE: HeaderPair(
        transactions.ResumeCheckHalfMessageRequestHeader, None
    ),
    RequestCode.SEND_REPLY_MESSAGE: HeaderPair(
        send.SendMessageRequestHeader, send.SendMessageResponseHeader
    ),
    RequestCode.SEND_REPLY_MESSAGE_V2: HeaderPair(
        send.SendMessageRequestHeaderV2, send.SendMessageResponseHeader
    ),
    RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT: HeaderPair(send.ReplyMessageRequestHeader, None),
    RequestCode.ADD_WRITE_PERM_OF_BROKER: HeaderPair(
        namesrv.AddWritePermOfBrokerRequestHeader, namesrv.AddWritePermOfBrokerResponseHeader
    ),
    RequestCode.GET_ALL_PRODUCER_INFO: HeaderPair(clients.GetAllProducerInfoRequestHeader, None),
    RequestCode.QUERY_TOPICS_BY_CONSUMER: HeaderPair(
        topics.QueryTopicsByConsumerRequestHeader, None
    ),
    RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER: HeaderPair(
        groups.QuerySubscriptionByConsumerRequestHeader, None
    ),
    RequestCode.GET_TOPIC_CONFIG: HeaderPair(topics.GetTopicConfigRequestHeader, None),
    RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG: HeaderPair(
        groups.GetSubscriptionGroupConfigRequestHeader, None
    ),
    RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN: HeaderPair(
        groups.UpdateGroupForbiddenRequestHeader, None
    ),
    RequestCode.CHECK_ROCKSDB_CQ_WRITE_PROGRESS: HeaderPair(
        broker_admin.CheckRocksdbCqWriteProgressRequestHeader, None
    ),
    RequestCode.EXPORT_ROCKSDB_CONFIG_TO_JSON: HeaderPair(
        broker_admin.ExportRocksDBConfigToJsonRequestHeader, None
    ),
    RequestCode.LITE_PULL_MESSAGE: HeaderPair(
        pull.PullMessageRequestHeader, pull.PullMessageResponseHeader
    ),
    RequestCode.RECALL_MESSAGE: HeaderPair(
        send.RecallMessageRequestHeader, send.RecallMessageResponseHeader
    ),
    RequestCode.UPDATE_AND_CREATE_STATIC_TOPIC: HeaderPair(topics.CreateTopicRequestHeader, None),
    RequestCode.GET_BROKER_MEMBER_GROUP: HeaderPair(
        namesrv.GetBrokerMemberGroupRequestHeader, None
    ),
    RequestCode.ADD_BROKER: HeaderPair(broker_admin.AddBrokerRequestHeader, None),
    RequestCode.REMOVE_BROKER: HeaderPair(broker_admin.RemoveBrokerRequestHeader, None),
    RequestCode.BROKER_HEARTBEAT: HeaderPair(namesrv.BrokerHeartbeatRequestHeader, None),
    RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE: HeaderPair(
        ha.NotifyMinBrokerIdChangeRequestHeader, None
    ),
    RequestCode.EXCHANGE_BROKER_HA_INFO: HeaderPair(
        ha.ExchangeHAInfoRequestHeader, ha.ExchangeHAInfoResponseHeader
    ),
    RequestCode.RESET_MASTER_FLUSH_OFFSET: HeaderPair(ha.ResetMasterFlushOffsetHeader, None),
    RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET: HeaderPair(
        controller.AlterSyncStateSetRequestHeader, controller.AlterSyncStateSetResponseHeader
    ),
    RequestCode.CONTROLLER_ELECT_MASTER: HeaderPair(
        controller.ElectMasterRequestHeader, controller.ElectMasterResponseHeader
    ),
    RequestCode.CONTROLLER_REGISTER_BROKER: HeaderPair(
        controller.RegisterBrokerToControllerRequestHeader,
        controller.RegisterBrokerToControllerResponseHeader,
    ),
    RequestCode.CONTROLLER_GET_REPLICA_INFO: HeaderPair(
        controller.GetReplicaInfoRequestHeader, controller.GetReplicaInfoResponseHeader
    ),
    RequestCode.CONTROLLER_GET_METADATA_INFO: HeaderPair(
        None, controller.GetMetaDataResponseHeader
    ),
    RequestCode.NOTIFY_BROKER_ROLE_CHANGED: HeaderPair(
        controller.NotifyBrokerRoleChangedRequestHeader, None
    ),
    RequestCode.CLEAN_BROKER_DATA: HeaderPair(
        controller.CleanControllerBrokerDataRequestHeader, None
    ),
    RequestCode.CONTROLLER_GET_NEXT_BROKER_ID: HeaderPair(
        controller.GetNextBrokerIdRequestHeader, controller.GetNextBrokerIdResponseHeader
    ),
    RequestCode.CONTROLLER_APPLY_BROKER_ID: HeaderPair(
        controller.ApplyBrokerIdRequestHeader, controller.ApplyBrokerIdResponseHeader
    ),
    RequestCode.BROKER_CLOSE_CHANNEL_REQUEST: HeaderPair(
        controller.BrokerCloseChannelRequest, controller.BrokerCloseChannelResponse
    ),
    RequestCode.CHECK_NOT_ACTIVE_BROKER_REQUEST: HeaderPair(
        controller.CheckNotActiveBrokerRequest, controller.CheckNotActiveBrokerResponse
    ),
    RequestCode.GET_BROKER_LIVE_INFO_REQUEST: HeaderPair(
        controller.GetBrokerLiveInfoRequest, controller.GetBrokerLiveInfoResponse
    ),
    RequestCode.GET_SYNC_STATE_DATA_REQUEST: HeaderPair(controller.GetSyncStateDataRequest, None),
    RequestCode.RAFT_BROKER_HEART_BEAT_EVENT_REQUEST: HeaderPair(
        controller.RaftBrokerHeartBeatEventRequest, controller.RaftBrokerHeartBeatEventResponse
    ),
    RequestCode.AUTH_CREATE_USER: HeaderPair(auth.CreateUserRequestHeader, None),
    RequestCode.AUTH_UPDATE_USER: HeaderPair(auth.UpdateUserRequestHeader, None),
    RequestCode.AUTH_DELETE_USER: HeaderPair(auth.DeleteUserRequestHeader, None),
    RequestCode.AUTH_GET_USER: HeaderPair(auth.GetUserRequestHeader, None),
    RequestCode.AUTH_LIST_USER: HeaderPair(auth.ListUsersRequestHeader, None),
    RequestCode.AUTH_CREATE_ACL: HeaderPair(auth.CreateAclRequestHeader, None),
    RequestCode.AUTH_UPDATE_ACL: HeaderPair(auth.UpdateAclRequestHeader, None),
    RequestCode.AUTH_DELETE_ACL: HeaderPair(auth.DeleteAclRequestHeader, None),
    RequestCode.AUTH_GET_ACL: HeaderPair(auth.GetAclRequestHeader, None),
    RequestCode.AUTH_LIST_ACL: HeaderPair(auth.ListAclsRequestHeader, None),
    RequestCode.POP_MESSAGE: HeaderPair(pop.PopMessageRequestHeader, pop.PopMessageResponseHeader),
    RequestCode.ACK_MESSAGE: HeaderPair(pop.AckMessageRequestHeader, None),
    RequestCode.PEEK_MESSAGE: HeaderPair(
        pull.PeekMessageRequestHeader, pop.PopMessageResponseHeader
    ),
    RequestCode.CHANGE_MESSAGE_INVISIBLETIME: HeaderPair(
        pop.ChangeInvisibleTimeRequestHeader, pop.ChangeInvisibleTimeResponseHeader
    ),
    RequestCode.NOTIFICATION: HeaderPair(
        pull.NotificationRequestHeader, pull.NotificationResponseHeader
    ),
    RequestCode.POLLING_INFO: HeaderPair(
        pull.PollingInfoRequestHeader, pull.PollingInfoResponseHeader
    ),
}

HEADERS: dict[int, HeaderPair] = {int(code): _PAIRS.get(code, _NO_HEADERS) for code in RequestCode}
"""Header classes by request code, for every code of RequestCode.java."""
