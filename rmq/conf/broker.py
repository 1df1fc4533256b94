"""Settings of a broker, as far as they are not the store's."""

from dataclasses import dataclass

from rmq.conf.machine import (
    ADDRESS,
    HOST_NAME,
    MANY_THREADS,
    NAMESRV_ADDR,
    QUERY_THREADS,
    ROCKETMQ_HOME,
    TRANSACTION_THREADS,
    UP_TO_4_THREADS,
    UP_TO_32_THREADS,
)
from rmq.conf.settings import LONG_MAX, accepted, setting

REPORTED_CAPACITY = "what runtime info reports as a queue's capacity; no request waits in such one"


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """Who a broker is and what it allows. Source: BrokerConfig.java, BrokerIdentity.java, 5.3.3."""

    brokerName: str = setting(
        "localhost",
        "name of the broker set that master and slaves share",
        important=True,
        machine=HOST_NAME,
    )
    brokerClusterName: str = setting("DefaultCluster", "name of the cluster", important=True)
    brokerId: int = setting(
        0, "0: master; 1 and more: slave", minimum=-1, maximum=LONG_MAX, important=True
    )
    isBrokerContainer: bool = accepted(False, "process is a broker container")
    isInBrokerContainer: bool = accepted(False, "broker runs inside a container")
    brokerConfigPath: str = setting(
        "", "file in which changed settings are kept; the file given with -c"
    )
    rocketmqHome: str = setting(
        "", "directory of the installation", machine=ROCKETMQ_HOME, honoured=False
    )
    namesrvAddr: str = setting(
        "",
        "NameServers, host:port separated by ;",
        live=True,
        important=True,
        machine=NAMESRV_ADDR,
    )
    listenPort: int = setting(
        10911,
        "TCP port for clients; port minus 2 listens too",
        minimum=0,
        maximum=65535,
        important=True,
    )
    brokerIP1: str = setting(
        "127.0.0.1", "address announced to clients", important=True, machine=ADDRESS
    )
    brokerIP2: str = setting("127.0.0.1", "address announced to slaves", machine=ADDRESS)
    recoverConcurrently: bool = accepted(
        False, "recover consume queues in parallel", important=True
    )
    brokerPermission: int = setting(
        6, "what clients may do here: 2 write, 4 read, 6 both", minimum=0, maximum=7, live=True
    )
    defaultTopicQueueNums: int = setting(
        8, "most queues that a topic created by sending gets", minimum=1, maximum=65535, live=True
    )
    autoCreateTopicEnable: bool = setting(
        True, "create a topic when a message for it arrives", live=True, important=True
    )
    clusterTopicEnable: bool = setting(True, "have a topic with the cluster's name")
    brokerTopicEnable: bool = setting(True, "have a topic with the broker's name")
    autoCreateSubscriptionGroup: bool = setting(
        True, "create a consumer group when it is first used", live=True, important=True
    )
    messageStorePlugIn: str = accepted("", "comma list of AbstractPluginMessageStore classes")
    msgTraceTopicName: str = setting(
        "RMQ_SYS_TRACE_TOPIC", "topic for message traces", important=True
    )
    traceTopicEnable: bool = setting(False, "have the topic for message traces", important=True)
    sendMessageThreadPoolNums: int = accepted(
        1, "min(CPU,4) threads for send", machine=UP_TO_4_THREADS
    )
    putMessageFutureThreadPoolNums: int = accepted(
        1, "min(CPU,4) threads for put-future callbacks", machine=UP_TO_4_THREADS
    )
    pullMessageThreadPoolNums: int = accepted(18, "16+2*CPU threads for pull", machine=MANY_THREADS)
    litePullMessageThreadPoolNums: int = accepted(
        18, "16+2*CPU threads for lite pull", machine=MANY_THREADS
    )
    ackMessageThreadPoolNums: int = accepted(16, "pop ack threads")
    processReplyMessageThreadPoolNums: int = accepted(
        18, "16+2*CPU threads for reply messages", machine=MANY_THREADS
    )
    queryMessageThreadPoolNums: int = accepted(
        9, "8+CPU threads for query/view message", machine=QUERY_THREADS
    )
    adminBrokerThreadPoolNums: int = accepted(16, "admin processor threads")
    clientManageThreadPoolNums: int = accepted(32, "client manage threads")
    consumerManageThreadPoolNums: int = accepted(32, "consumer offset/group threads")
    loadBalanceProcessorThreadPoolNums: int = accepted(32, "query-assignment threads")
    heartbeatThreadPoolNums: int = accepted(
        1, "min(32,CPU) heartbeat threads", machine=UP_TO_32_THREADS
    )
    recoverThreadPoolNums: int = accepted(32, "threads for concurrent recovery")
    endTransactionThreadPoolNums: int = accepted(
        10, "max(8+2*CPU, 4*CPU) end-transaction threads", machine=TRANSACTION_THREADS
    )
    flushConsumerOffsetInterval: int = setting(
        5000, "period of saving the consumers' offsets", unit="ms", minimum=1
    )
    flushConsumerOffsetHistoryInterval: int = accepted(60000, "ms, history persist (unused mostly)")
    rejectTransactionMessage: bool = setting(
        False, "refuse half messages", live=True, important=True
    )
    fetchNameSrvAddrByDnsLookup: bool = accepted(
        False, "resolve namesrv addresses by DNS", important=True
    )
    fetchNamesrvAddrByAddressServer: bool = accepted(
        False, "get namesrv list from HTTP address server", important=True
    )
    sendThreadPoolQueueCapacity: int = setting(10000, REPORTED_CAPACITY, live=True)
    putThreadPoolQueueCapacity: int = accepted(10000, "executor queue length")
    pullThreadPoolQueueCapacity: int = setting(100000, REPORTED_CAPACITY, live=True)
    litePullThreadPoolQueueCapacity: int = setting(100000, REPORTED_CAPACITY, live=True)
    ackThreadPoolQueueCapacity: int = setting(100000, REPORTED_CAPACITY, live=True)
    replyThreadPoolQueueCapacity: int = accepted(10000, "executor queue length")
    queryThreadPoolQueueCapacity: int = setting(20000, REPORTED_CAPACITY, live=True)
    clientManagerThreadPoolQueueCapacity: int = accepted(1000000, "executor queue length")
    consumerManagerThreadPoolQueueCapacity: int = accepted(1000000, "executor queue length")
    heartbeatThreadPoolQueueCapacity: int = accepted(50000, "executor queue length")
    endTransactionPoolQueueCapacity: int = setting(100000, REPORTED_CAPACITY, live=True)
    adminBrokerThreadPoolQueueCapacity: int = accepted(10000, "executor queue length")
    loadBalanceThreadPoolQueueCapacity: int = accepted(100000, "executor queue length")
    longPollingEnable: bool = setting(
        True, "hold a pull that finds nothing until a message or its own limit comes", live=True
    )
    shortPollingTimeMills: int = setting(
        1000,
        "how long a pull is held when longPollingEnable is false",
        unit="ms",
        minimum=0,
        live=True,
        maximum=LONG_MAX,
    )
    notifyConsumerIdsChangedEnable: bool = setting(
        True, "tell a group's members when the group changes", live=True
    )
    highSpeedMode: bool = accepted(False, "commercial/stat switch")
    commercialBaseCount: int = accepted(1, "statistics base")
    commercialSizePerMsg: int = accepted(4096, "statistics unit size")
    accountStatsEnable: bool = accepted(True, "account statistics")
    accountStatsPrintZeroValues: bool = accepted(True, "print zero statistics")
    maxStatsIdleTimeInMinutes: int = accepted(-1, "drop idle stat items, -1 never")
    transferMsgByHeap: bool = accepted(True, "copy pulled messages to heap instead of file region")
    regionId: str = setting("DefaultRegion", "region written into messages and send answers")
    registerBrokerTimeoutMills: int = setting(
        24000,
        "time that a NameServer has to answer a registration",
        unit="ms",
        minimum=1,
        live=True,
    )
    sendHeartbeatTimeoutMillis: int = accepted(1000, "namesrv heartbeat timeout")
    slaveReadEnable: bool = setting(False, "send readers of old messages to a slave", live=True)
    disableConsumeIfConsumerReadSlowly: bool = setting(
        False, "stop a group that falls too far behind", honoured=False
    )
    consumerFallbehindThreshold: int = setting(
        17179869184,
        "backlog at which a group is stopped",
        unit="bytes",
        minimum=0,
        maximum=LONG_MAX,
        honoured=False,
    )
    brokerFastFailureEnable: bool = accepted(True, "expire queued requests with SYSTEM_BUSY")
    waitTimeMillsInSendQueue: int = accepted(200, "max queue wait for send", maximum=LONG_MAX)
    waitTimeMillsInPullQueue: int = accepted(5000, "max queue wait for pull", maximum=LONG_MAX)
    waitTimeMillsInLitePullQueue: int = accepted(
        5000, "max queue wait for lite pull", maximum=LONG_MAX
    )
    waitTimeMillsInHeartbeatQueue: int = accepted(
        31000, "max queue wait for heartbeat", maximum=LONG_MAX
    )
    waitTimeMillsInTransactionQueue: int = accepted(
        3000, "max queue wait for end transaction", maximum=LONG_MAX
    )
    waitTimeMillsInAckQueue: int = accepted(3000, "max queue wait for ack", maximum=LONG_MAX)
    waitTimeMillsInAdminBrokerQueue: int = accepted(
        5000, "max queue wait for admin", maximum=LONG_MAX
    )
    startAcceptSendRequestTimeStamp: int = setting(
        0,
        "refuse sends before this instant since 1970",
        unit="ms",
        minimum=0,
        live=True,
        maximum=LONG_MAX,
    )
    traceOn: bool = setting(True, "tell producers that tracing is on", live=True)
    enableCalcFilterBitMap: bool = accepted(False, "compute bloom bitmap on dispatch (SQL filter)")
    rejectPullConsumerEnable: bool = setting(
        False, "refuse pulls of groups that only pull", live=True
    )
    expectConsumerNumUseFilter: int = setting(
        32, "groups with filters that the bits in consumerFilter.json are made for", minimum=1
    )
    maxErrorRateOfBloomFilter: int = setting(
        20,
        "wrong answers that those bits may give",
        unit="percent",
        minimum=1,
        maximum=99,
    )
    filterDataCleanTimeSpan: int = setting(
        86400000,
        "how long filters of groups without consumers are kept",
        unit="ms",
        minimum=0,
        maximum=LONG_MAX,
        live=True,
    )
    filterSupportRetry: bool = setting(
        False, "filter retries by the expression of their first topic", live=True
    )
    enablePropertyFilter: bool = setting(False, "allow SQL92 expressions, not only tags", live=True)
    compressedRegister: bool = setting(False, "deflate the body of a registration", live=True)
    forceRegister: bool = setting(True, "register every period, changed or not", live=True)
    registerNameServerPeriod: int = setting(
        30000,
        "period of registration; outside 10000 to 60000 the nearer end counts",
        unit="ms",
        minimum=1,
    )
    updateNameServerAddrPeriod: int = accepted(120000, "ms between namesrv address refreshes")
    brokerHeartbeatInterval: int = setting(
        1000,
        "period of heartbeats: to Controllers, and to NameServers in acting-master mode",
        unit="ms",
        minimum=1,
    )
    brokerNotActiveTimeoutMillis: int = setting(
        10000,
        "silence after which a NameServer drops this broker in acting-master mode",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
    )
    enableNetWorkFlowControl: bool = accepted(False, "network flow control")
    enableBroadcastOffsetStore: bool = accepted(
        True, "store offsets of broadcast consumers through proxy"
    )
    broadcastOffsetExpireSecond: int = accepted(120, "broadcast offset expiry", maximum=LONG_MAX)
    broadcastOffsetExpireMaxSecond: int = accepted(
        300, "broadcast offset max expiry", maximum=LONG_MAX
    )
    popPollingSize: int = accepted(1024, "max held pop requests per queue")
    popPollingMapSize: int = accepted(100000, "max keys in pop polling map")
    maxPopPollingSize: int = accepted(100000, "max held pop requests in total", maximum=LONG_MAX)
    reviveQueueNum: int = setting(
        8, "queues of the topic from which POP revives messages", minimum=1
    )
    reviveInterval: int = accepted(1000, "ms, revive loop", maximum=LONG_MAX)
    reviveMaxSlow: int = accepted(3, "slow count before skip", maximum=LONG_MAX)
    reviveScanTime: int = accepted(10000, "ms, max revive scan per round", maximum=LONG_MAX)
    enableSkipLongAwaitingAck: bool = accepted(False, "skip long awaiting ack in revive")
    reviveAckWaitMs: int = accepted(180000, "wait for ack before revive skip", maximum=LONG_MAX)
    enablePopLog: bool = accepted(False, "verbose pop log")
    enablePopBufferMerge: bool = accepted(False, "merge ck/ack in memory")
    popCkStayBufferTime: int = accepted(10000, "ms a ck stays in buffer")
    popCkStayBufferTimeOut: int = accepted(3000, "ms before revive time a ck is flushed")
    popCkMaxBufferSize: int = accepted(200000, "max buffered ck")
    popCkOffsetMaxQueueSize: int = accepted(20000, "max ck offsets per queue")
    enablePopBatchAck: bool = accepted(False, "write bAck messages")
    popLongPollingForceNotifyInterval: int = accepted(800, "ms force notify", maximum=LONG_MAX)
    enableNotifyBeforePopCalculateLag: bool = accepted(True, "notify before lag calculation")
    enableNotifyAfterPopOrderLockRelease: bool = accepted(True, "notify after order lock release")
    initPopOffsetByCheckMsgInMem: bool = accepted(True, "initial pop offset rule as pull")
    retrieveMessageFromPopRetryTopicV1: bool = accepted(True, "also read V1 retry topic when V2 on")
    enableRetryTopicV2: bool = accepted(False, "use %RETRY%group+topic")
    popFromRetryProbability: int = accepted(20, "percent of pops starting with retry topic")
    popConsumerFSServiceInit: bool = accepted(True, "file based pop service started")
    popConsumerKVServiceLog: bool = accepted(False, "log of KV pop service")
    popConsumerKVServiceInit: bool = accepted(False, "init RocksDB pop service")
    popConsumerKVServiceEnable: bool = accepted(False, "use RocksDB pop service")
    popReviveMaxReturnSizePerRead: int = accepted(16384, "bytes per revive read")
    popReviveMaxAttemptTimes: int = accepted(16, "revive attempts")
    realTimeNotifyConsumerChange: bool = setting(
        True, "tell group changes at once, not with the next heartbeat", live=True
    )
    litePullMessageEnable: bool = setting(True, "answer LITE_PULL_MESSAGE")
    syncBrokerMemberGroupPeriod: int = setting(
        1000, "in acting-master mode: period of asking who lives of the set", unit="ms", minimum=1
    )
    loadBalancePollNameServerInterval: int = accepted(
        30000, "ms, route refresh for query assignment", maximum=LONG_MAX
    )
    cleanOfflineBrokerInterval: int = accepted(30000, "ms")
    serverLoadBalancerEnable: bool = setting(
        True, "share queues among clients that leave it to the broker", live=True
    )
    defaultMessageRequestMode: str = accepted("PULL", "PULL or POP")
    defaultPopShareQueueNum: int = accepted(-1, "-1 = all queues shared")
    transactionTimeOut: int = setting(
        6000,
        "age at which a half message is checked first",
        unit="ms",
        minimum=0,
        maximum=LONG_MAX,
        live=True,
        important=True,
    )
    transactionCheckMax: int = setting(
        15, "checks after which a half message is given up", minimum=0, live=True, important=True
    )
    transactionCheckInterval: int = setting(
        30000,
        "time between two checks of the half messages",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
        live=True,
        important=True,
    )
    transactionMetricFlushInterval: int = accepted(3000, "ms", maximum=LONG_MAX)
    transactionOpMsgMaxSize: int = setting(
        4096,
        "size of what was ended at which it is written at once",
        unit="bytes",
        minimum=1,
        live=True,
    )
    transactionOpBatchInterval: int = setting(
        3000, "time after which what was ended is written", unit="ms", minimum=1, live=True
    )
    aclEnable: bool = accepted(
        False, "ACL 1.0 switch (kept; ACL plugin removed, see auth module)", important=True
    )
    storeReplyMessageEnable: bool = setting(True, "store the answers of request-reply", live=True)
    enableDetailStat: bool = accepted(True, "detailed stats")
    autoDeleteUnusedStats: bool = accepted(True, "delete stats with topic/group")
    isolateLogEnable: bool = accepted(False, "separate log per broker (container)")
    forwardTimeout: int = accepted(3000, "ms for forwarded rpc (static topic)", maximum=LONG_MAX)
    enableSlaveActingMaster: bool = setting(False, "let a slave stand in for a lost master")
    enableRemoteEscape: bool = setting(
        False, "an acting master sends to masters of other names what it would have to store"
    )
    skipPreOnline: bool = setting(
        False, "in acting-master mode: be on line at once, not when replication runs"
    )
    asyncSendEnable: bool = accepted(True, "async send path")
    useServerSideResetOffset: bool = setting(
        True, "keep reset offsets here until the group pulls", live=True
    )
    consumerOffsetUpdateVersionStep: int = setting(
        500,
        "commits that make the offsets' version grow by one",
        minimum=1,
        live=True,
        maximum=LONG_MAX,
    )
    delayOffsetUpdateVersionStep: int = setting(
        200,
        "delayed deliveries that make the version of delayOffset.json grow by one",
        minimum=1,
        maximum=LONG_MAX,
    )
    lockInStrictMode: bool = setting(
        False, "lock queues only with most of the broker set", honoured=False
    )
    compatibleWithOldNameSrv: bool = setting(
        True, "send heartbeats as QUERY_DATA_VERSION, which old NameServers know too"
    )
    enableControllerMode: bool = setting(
        False, "let Controllers decide who is master: brokerRole and brokerId have no effect then"
    )
    controllerAddr: str = setting("", "addresses of all Controllers, host:port separated by ;")
    fetchControllerAddrByDnsLookup: bool = accepted(False, "DNS lookup of controllers")
    syncBrokerMetadataPeriod: int = setting(
        5000,
        "period of asking the Controller who is master",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
    )
    checkSyncStateSetPeriod: int = setting(
        5000,
        "period of a master's checks which slaves are in step",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
    )
    syncControllerMetadataPeriod: int = setting(
        10000,
        "period of asking the Controllers which of them leads",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
    )
    controllerHeartBeatTimeoutMills: int = setting(
        10000,
        "silence after which a Controller takes this broker for dead",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
    )
    validateSystemTopicWhenUpdateTopic: bool = setting(
        True, "refuse to change system topics by command", live=True
    )
    brokerElectionPriority: int = setting(
        2147483647, "who of equally good slaves becomes master: the lowest number"
    )
    useStaticSubscription: bool = accepted(False, "use configured subscriptions")
    metricsExporterType: str = accepted("DISABLE", "DISABLE, OTLP_GRPC, PROM, LOG")
    metricsOtelCardinalityLimit: int = accepted(50000, "metrics otel cardinality limit")
    metricsGrpcExporterTarget: str = accepted("", "metrics grpc exporter target")
    metricsGrpcExporterHeader: str = accepted("", "metrics grpc exporter header")
    metricGrpcExporterTimeOutInMills: int = accepted(
        3000, "metric grpc exporter time out in mills", maximum=LONG_MAX
    )
    metricGrpcExporterIntervalInMills: int = accepted(
        60000, "metric grpc exporter interval in mills", maximum=LONG_MAX
    )
    metricLoggingExporterIntervalInMills: int = accepted(
        10000, "metric logging exporter interval in mills", maximum=LONG_MAX
    )
    metricsPromExporterPort: int = accepted(5557, "metrics prom exporter port")
    metricsPromExporterHost: str = accepted("", "metrics prom exporter host")
    metricsLabel: str = accepted("", "metrics label")
    metricsInDelta: bool = accepted(False, "metrics in delta")
    channelExpiredTimeout: int = setting(
        120000, "silence after which a client is forgotten", unit="ms", minimum=1, maximum=LONG_MAX
    )
    subscriptionExpiredTimeout: int = accepted(
        600000, "silence after which a subscription is forgotten", maximum=LONG_MAX
    )
    estimateAccumulation: bool = accepted(True, "estimate lag for SQL filters")
    coldCtrStrategyEnable: bool = accepted(False, "cold read flow control")
    usePIDColdCtrStrategy: bool = accepted(True, "PID strategy")
    cgColdReadThreshold: int = accepted(3145728, "bytes/s per group", maximum=LONG_MAX)
    globalColdReadThreshold: int = accepted(104857600, "bytes/s total", maximum=LONG_MAX)
    fetchNamesrvAddrInterval: int = accepted(10000, "ms", maximum=LONG_MAX)
    popResponseReturnActualRetryTopic: bool = accepted(
        False, "return real retry topic in pop response"
    )
    enableSingleTopicRegister: bool = setting(
        False, "tell NameServers of a new topic alone", live=True
    )
    enableMixedMessageType: bool = setting(False, "allow topics of MIXED messages", live=True)
    enableSplitRegistration: bool = setting(
        False, "register many topics in several requests", live=True
    )
    popInflightMessageThreshold: int = accepted(10000, "inflight limit per group", maximum=LONG_MAX)
    enablePopMessageThreshold: bool = accepted(False, "enforce inflight limit")
    enableFastChannelEventProcess: bool = accepted(False, "fast disconnect processing")
    printChannelGroups: bool = accepted(False, "log channel groups")
    printChannelGroupsMinNum: int = accepted(5, "threshold for above")
    splitRegistrationSize: int = setting(800, "topics in one such request", minimum=1, live=True)
    configBlackList: str = setting(
        "configBlackList;brokerConfigPath", "keys that cannot be changed by command, separated by ;"
    )
    skipWhenCKRePutReachMaxTimes: bool = accepted(False, "drop ck when re-put count exhausted")
    appendAckAsync: bool = accepted(False, "async ack append")
    appendCkAsync: bool = accepted(False, "async ck append")
    clearRetryTopicWhenDeleteTopic: bool = setting(
        True, "delete pop retry topics with topic", live=True
    )
    enableLmqStats: bool = accepted(False, "LMQ stats")
    configManagerVersion: str = accepted("v1", "v1 JSON/rocksdb per type, v2 single rocksdb")
    allowRecallWhenBrokerNotWriteable: bool = accepted(True, "recall on read-only broker")
    recallMessageEnable: bool = accepted(False, "RECALL_MESSAGE 370 support")
    enableRegisterProducer: bool = setting(True, "keep a table of producers", honoured=False)
    enableCreateSysGroup: bool = setting(True, "have RocketMQ's own consumer groups")
