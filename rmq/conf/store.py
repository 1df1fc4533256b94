"""Settings of the message store."""

from dataclasses import dataclass

from rmq.conf.machine import home
from rmq.conf.settings import LONG_MAX, accepted, setting

BROKER_ROLES = ("ASYNC_MASTER", "SYNC_MASTER", "SLAVE")
FLUSH_TYPES = ("ASYNC_FLUSH", "SYNC_FLUSH")
DELAY_LEVELS = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"


@dataclass(frozen=True, slots=True)
class MessageStoreConfig:
    """Where messages are kept, how safely and how long. Source: MessageStoreConfig.java, 5.3.3."""

    storePathRootDir: str = setting(
        "~/store", "directory of the store", important=True, machine=home("store")
    )
    storePathCommitLog: str = setting(
        "", "directory of the commit log; empty: commitlog under the root", important=True
    )
    storePathDLedgerCommitLog: str = setting(
        "",
        "folder of the group's entries in DLedger mode; empty: dledger-<dLegerSelfId>/data below "
        "storePathRootDir",
        important=True,
    )
    storePathEpochFile: str = setting(
        "",
        "where each master's reign began, under Controllers; empty: epochFileCheckpoint under "
        "the root",
        important=True,
    )
    storePathBrokerIdentity: str = setting(
        "",
        "the id that Controllers gave this broker; empty: brokerIdentity under the root",
        important=True,
    )
    readOnlyCommitLogStorePaths: str = accepted("", "read-only extra paths")
    mappedFileSizeCommitLog: int = setting(
        1073741824, "size of a commit log file", unit="bytes", minimum=4096
    )
    compactionMappedFileSize: int = accepted(104857600, "compaction log file size")
    compactionCqMappedFileSize: int = accepted(10485760, "compaction CQ file size")
    compactionScheduleInternal: int = accepted(900000, "ms")
    maxOffsetMapSize: int = accepted(104857600, "compaction offset map bytes")
    compactionThreadNum: int = accepted(6, "threads")
    enableCompaction: bool = accepted(True, "compaction topics")
    mappedFileSizeTimerLog: int = accepted(104857600, "timer log file size")
    timerPrecisionMs: int = accepted(1000, "wheel precision: 1000/500/200/100")
    timerRollWindowSlot: int = accepted(172800, "roll window slots (2 days)")
    timerFlushIntervalMs: int = accepted(1000, "timer flush")
    timerGetMessageThreadNum: int = accepted(3, "threads")
    timerPutMessageThreadNum: int = accepted(3, "threads")
    timerEnableDisruptor: bool = accepted(False, "queue impl")
    timerEnableCheckMetrics: bool = accepted(True, "check metrics")
    timerInterceptDelayLevel: bool = accepted(False, "map delay levels to timer")
    timerMaxDelaySec: int = accepted(259200, "max arbitrary delay (3 days)")
    timerWheelEnable: bool = accepted(True, "arbitrary-time messages")
    disappearTimeAfterStart: int = accepted(-1, "do not load first seconds, -1 off", important=True)
    timerStopEnqueue: bool = accepted(False, "pause enqueue")
    timerCheckMetricsWhen: str = accepted("05", "hour of metrics check")
    timerSkipUnknownError: bool = accepted(False, "skip")
    timerWarmEnable: bool = accepted(False, "warm")
    timerStopDequeue: bool = accepted(False, "pause dequeue")
    timerEnableRetryUntilSuccess: bool = accepted(False, "retry puts")
    timerCongestNumEachSlot: int = accepted(2147483647, "max messages per slot")
    timerMetricSmallThreshold: int = accepted(1000000, "metrics")
    timerProgressLogIntervalMs: int = accepted(10000, "log")
    storeType: str = accepted("default", "default or defaultRocksDB", important=True)
    mappedFileSizeConsumeQueue: int = setting(
        6000000, "size of a consume queue file; rounded up to units of 20", unit="bytes", minimum=20
    )
    enableConsumeQueueExt: bool = accepted(False, "CQ ext files")
    mappedFileSizeConsumeQueueExt: int = accepted(50331648, "CQ ext file bytes")
    mapperFileSizeBatchConsumeQueue: int = accepted(13800000, "batch CQ file bytes (300000*46)")
    bitMapLengthConsumeQueueExt: int = accepted(64, "bits")
    flushIntervalCommitLog: int = setting(
        500, "period of flushing with ASYNC_FLUSH", unit="ms", minimum=1, important=True
    )
    commitIntervalCommitLog: int = accepted(200, "ms commit from transient pool", important=True)
    maxRecoveryCommitlogFiles: int = setting(
        30, "files examined after a clean shutdown", minimum=1, honoured=False
    )
    diskSpaceWarningLevelRatio: int = setting(
        90,
        "share of the disk above which writes are refused",
        unit="%",
        minimum=1,
        maximum=100,
    )
    diskSpaceCleanForciblyRatio: int = setting(
        85,
        "share of the disk above which files go at once",
        unit="%",
        minimum=1,
        maximum=100,
    )
    useReentrantLockWhenPutMessage: bool = accepted(True, "reentrant lock vs spin lock")
    flushCommitLogTimed: bool = accepted(True, "sleep instead of wait", important=True)
    flushIntervalConsumeQueue: int = setting(
        1000, "period of flushing the consume queues", unit="ms", minimum=1
    )
    cleanResourceInterval: int = setting(
        10000, "period of the search for files to delete", unit="ms", minimum=1
    )
    deleteCommitLogFilesInterval: int = accepted(100, "ms between file deletes")
    deleteConsumeQueueFilesInterval: int = accepted(100, "ms between file deletes")
    destroyMapedFileIntervalForcibly: int = accepted(120000, "ms")
    redeleteHangedFileInterval: int = accepted(120000, "ms")
    deleteWhen: str = setting(
        "04",
        "hours of the day at which expired files go, two digits each, separated by ;",
        important=True,
    )
    diskMaxUsedSpaceRatio: int = setting(
        75,
        "share of the disk above which expired files go at any hour; 10 to 95",
        unit="%",
        minimum=0,
        maximum=100,
    )
    fileReservedTime: int = setting(
        72, "age at which a file expires", unit="h", minimum=0, important=True
    )
    deleteFileBatchMax: int = setting(10, "files that go in one round", minimum=1, important=True)
    putMsgIndexHightWater: int = accepted(600000, "index queue limit")
    maxMessageSize: int = setting(4194304, "most bytes of a message body", unit="bytes", minimum=1)
    maxFilterMessageSize: int = setting(
        16000,
        "most bytes of consume queue that one pull scans",
        unit="bytes",
        minimum=20,
    )
    checkCRCOnRecover: bool = setting(True, "check the bodies' checksums at recovery")
    flushCommitLogLeastPages: int = setting(
        4, "pages of 4096 bytes that make a timed flush worth it", minimum=0
    )
    commitCommitLogLeastPages: int = accepted(4, "pages")
    flushLeastPagesWhenWarmMapedFile: int = accepted(4096, "pages")
    flushConsumeQueueLeastPages: int = setting(
        2, "pages of 4096 bytes that make a flush worth it", minimum=0
    )
    flushCommitLogThoroughInterval: int = setting(
        10000, "time after which fewer pages are flushed too", unit="ms", minimum=0
    )
    commitCommitLogThoroughInterval: int = accepted(200, "ms")
    flushConsumeQueueThoroughInterval: int = setting(
        60000, "time after which fewer pages are flushed too", unit="ms", minimum=0
    )
    maxTransferBytesOnMessageInMemory: int = setting(
        262144,
        "most bytes that a pull of recent messages gives",
        unit="bytes",
        minimum=1,
        important=True,
    )
    maxTransferCountOnMessageInMemory: int = setting(
        32, "most messages that a pull of recent ones gives", minimum=1, important=True
    )
    maxTransferBytesOnMessageInDisk: int = setting(
        65536,
        "most bytes that a pull of old messages gives",
        unit="bytes",
        minimum=1,
        important=True,
    )
    maxTransferCountOnMessageInDisk: int = setting(
        8, "most messages that a pull of old ones gives", minimum=1, important=True
    )
    accessMessageInMemoryMaxRatio: int = setting(
        40,
        "share of memory that holds recent messages; 10 less on a slave",
        unit="%",
        minimum=0,
        maximum=100,
        important=True,
    )
    messageIndexEnable: bool = setting(True, "keep an index of keys", important=True)
    maxHashSlotNum: int = setting(5000000, "slots of an index file", minimum=1)
    maxIndexNum: int = setting(20000000, "entries of an index file", minimum=2)
    maxMsgsNumBatch: int = setting(64, "most messages that a query gives", minimum=1)
    messageIndexSafe: bool = setting(
        False, "recover no further than the index was flushed", important=True, honoured=False
    )
    haListenPort: int = setting(
        0, "TCP port for slaves; 0: the port for clients plus 1", minimum=-1, maximum=65535
    )
    haSendHeartbeatInterval: int = setting(
        5000,
        "time with nothing to send after which a slave hears of us",
        unit="ms",
        minimum=1,
    )
    haHousekeepingInterval: int = setting(
        20000, "silence after which a slave is dropped", unit="ms", minimum=1
    )
    haTransferBatchSize: int = setting(
        32768, "size of a piece of the commit log sent to a slave", unit="bytes", minimum=1
    )
    haMasterAddress: str = setting(
        "",
        "where a slave fetches the log, host:port; empty: where the NameServers say",
        important=True,
    )
    haMaxGapNotInSync: int = setting(
        268435456, "how far behind a slave is still shown as in sync", unit="bytes", minimum=1
    )
    brokerRole: str = setting(
        "ASYNC_MASTER", "what this broker is to its set", choices=BROKER_ROLES, important=True
    )
    flushDiskType: str = setting(
        "ASYNC_FLUSH",
        "SYNC_FLUSH: answered when on disk; ASYNC_FLUSH: flushed by time",
        choices=FLUSH_TYPES,
        important=True,
    )
    syncFlushTimeout: int = setting(
        5000,
        "time after which a send unflushed is answered FLUSH_DISK_TIMEOUT",
        unit="ms",
        minimum=1,
    )
    putMessageTimeout: int = accepted(8000, "ms")
    slaveTimeout: int = setting(
        3000,
        "time after which a send unreplicated is answered FLUSH_SLAVE_TIMEOUT",
        unit="ms",
        minimum=1,
    )
    messageDelayLevel: str = setting(
        DELAY_LEVELS, "the delays of levels 1, 2, ..., with s, m, h or d"
    )
    flushDelayOffsetInterval: int = setting(
        10000, "time between saves of delayOffset.json", unit="ms", minimum=1, maximum=LONG_MAX
    )
    cleanFileForciblyEnable: bool = setting(
        True,
        "in DLedger mode: delete files whatever their age when the disk is nearly full",
        important=True,
    )
    warmMapedFileEnable: bool = accepted(False, "pre-touch pages")
    offsetCheckInSlave: bool = setting(False, "correct a reader's offset on a slave too")
    debugLockEnable: bool = accepted(False, "debug")
    duplicationEnable: bool = setting(
        False, "dispatch only what the confirm offset allows", honoured=False
    )
    diskFallRecorded: bool = accepted(True, "stats")
    osPageCacheBusyTimeOutMills: int = setting(
        1000,
        "time of one append at which sends are refused as busy",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
        honoured=False,
    )
    defaultQueryMaxNum: int = setting(
        32, "messages that a query gives if it does not say", minimum=1
    )
    transientStorePoolEnable: bool = accepted(False, "off-heap write buffers", important=True)
    transientStorePoolSize: int = accepted(5, "buffers")
    fastFailIfNoBufferInStorePool: bool = accepted(False, "fail when pool is empty")
    enableDLegerCommitLog: bool = setting(
        False, "keep the commit log by a DLedger group, which chooses the master among its brokers"
    )
    dLegerGroup: str = setting(
        "", "name of the DLedger group, the same for all of them; usually the brokerName"
    )
    dLegerPeers: str = setting(
        "",
        "the DLedger group, id-host:port separated by ;, the same for all of them; the ports are "
        "not those of listenPort",
    )
    dLegerSelfId: str = setting("", "which of the DLedger group this broker is, n and a number")
    preferredLeaderId: str = setting(
        "", "who had better lead the DLedger group, ids separated by ;; empty: nobody"
    )
    enableBatchPush: bool = setting(
        False,
        "send the DLedger group's members together what waits; that is done, too, unless "
        "false is given",
    )
    enableScheduleMessageStats: bool = accepted(True, "stats")
    enableLmq: bool = accepted(False, "light message queues")
    enableMultiDispatch: bool = accepted(False, "multi dispatch")
    maxLmqConsumeQueueNum: int = accepted(20000, "LMQ cap")
    enableScheduleAsyncDeliver: bool = accepted(False, "async delivery of delay levels")
    scheduleAsyncDeliverMaxPendingLimit: int = accepted(2000, "pending cap")
    scheduleAsyncDeliverMaxResendNum2Blocked: int = accepted(3, "resends before block")
    maxBatchDeleteFilesNum: int = accepted(50, "max batch delete files num")
    dispatchCqThreads: int = accepted(10, "dispatch cq threads")
    dispatchCqCacheNum: int = accepted(4096, "dispatch cq cache num")
    enableAsyncReput: bool = accepted(True, "enable async reput")
    recheckReputOffsetFromCq: bool = accepted(False, "recheck reput offset from cq")
    maxTopicLength: int = setting(
        127, "most bytes of a topic's name", unit="bytes", minimum=1, maximum=32767, honoured=False
    )
    autoMessageVersionOnTopicLen: bool = setting(
        True, "write version 2 records for topics longer than 127 bytes"
    )
    enabledAppendPropCRC: bool = setting(False, "append the checksum property to each message")
    forceVerifyPropCRC: bool = setting(False, "check that property at recovery", honoured=False)
    travelCqFileNumWhenGetMessage: int = accepted(1, "travel cq file num when get message")
    correctLogicMinOffsetSleepInterval: int = accepted(
        1, "correct logic min offset sleep interval (ms)"
    )
    correctLogicMinOffsetForceInterval: int = accepted(
        300000, "correct logic min offset force interval (ms)"
    )
    mappedFileSwapEnable: bool = accepted(True, "mapped file swap enable")
    commitLogForceSwapMapInterval: int = accepted(
        43200000, "commit log force swap map interval (ms)", maximum=LONG_MAX
    )
    commitLogSwapMapInterval: int = accepted(
        3600000, "commit log swap map interval (ms)", maximum=LONG_MAX
    )
    commitLogSwapMapReserveFileNum: int = accepted(100, "commit log swap map reserve file num")
    logicQueueForceSwapMapInterval: int = accepted(
        43200000, "logic queue force swap map interval (ms)", maximum=LONG_MAX
    )
    logicQueueSwapMapInterval: int = accepted(
        3600000, "logic queue swap map interval (ms)", maximum=LONG_MAX
    )
    cleanSwapedMapInterval: int = accepted(
        300000, "clean swaped map interval (ms)", maximum=LONG_MAX
    )
    logicQueueSwapMapReserveFileNum: int = accepted(20, "logic queue swap map reserve file num")
    searchBcqByCacheEnable: bool = accepted(True, "search bcq by cache enable")
    dispatchFromSenderThread: bool = accepted(False, "dispatch from sender thread", important=True)
    wakeCommitWhenPutMessage: bool = accepted(True, "wake commit when put message", important=True)
    wakeFlushWhenPutMessage: bool = accepted(False, "wake flush when put message", important=True)
    enableCleanExpiredOffset: bool = accepted(False, "enable clean expired offset", important=True)
    maxAsyncPutMessageRequests: int = accepted(5000, "group commit limit")
    pullBatchMaxMessageCount: int = setting(
        160, "most messages of any one pull", minimum=1, honoured=False
    )
    totalReplicas: int = setting(
        1,
        "in acting-master mode: brokers of the set, this one included; above 1 a broker comes on "
        "line when replication runs",
        minimum=1,
        important=True,
    )
    inSyncReplicas: int = setting(
        1,
        "brokers that must have a message before a SYNC_MASTER answers, this one included",
        minimum=1,
        important=True,
    )
    minInSyncReplicas: int = setting(
        1,
        "brokers in step below which sends are refused: under Controllers, or with "
        "enableAutoInSyncReplicas in acting-master mode",
        minimum=1,
        important=True,
    )
    allAckInSyncStateSet: bool = setting(
        False,
        "under Controllers: answer a send when every broker in step has the message",
        important=True,
    )
    enableAutoInSyncReplicas: bool = setting(
        False,
        "in acting-master mode: wait for as many of inSyncReplicas as live, "
        "but for minInSyncReplicas",
        important=True,
    )
    haFlowControlEnable: bool = setting(
        False, "send a slave no more than maxHaTransferByteInSecond", important=True
    )
    maxHaTransferByteInSecond: int = setting(
        104857600, "bytes that a slave gets in a second", unit="bytes", minimum=1, maximum=LONG_MAX
    )
    haMaxTimeSlaveNotCatchup: int = setting(
        15000,
        "under Controllers: time without having all after which a slave is not in step any more",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
    )
    syncMasterFlushOffsetWhenStartup: bool = setting(
        False,
        "in acting-master mode: a slave cuts, once, what its master's log had not when it started",
    )
    maxChecksumRange: int = accepted(1073741824, "max checksum range", maximum=LONG_MAX)
    replicasPerDiskPartition: int = accepted(1, "replicas per disk partition")
    logicalDiskSpaceCleanForciblyThreshold: float = accepted(
        0.8, "logical disk space clean forcibly threshold"
    )
    maxSlaveResendLength: int = accepted(268435456, "max slave resend length", maximum=LONG_MAX)
    syncFromLastFile: bool = setting(
        False, "under Controllers: a slave that has nothing begins at its master's last file"
    )
    asyncLearner: bool = setting(
        False, "under Controllers: this broker copies its master, and is never in step"
    )
    maxConsumeQueueScan: int = accepted(20000, "max consume queue scan")
    sampleCountThreshold: int = accepted(5000, "sample count threshold")
    coldDataFlowControlEnable: bool = accepted(False, "cold data flow control enable")
    coldDataScanEnable: bool = accepted(False, "cold data scan enable")
    dataReadAheadEnable: bool = accepted(True, "data read ahead enable")
    timerColdDataCheckIntervalMs: int = accepted(60000, "timer cold data check interval ms")
    sampleSteps: int = accepted(32, "sample steps")
    accessMessageInMemoryHotRatio: int = accepted(26, "access message in memory hot ratio")
    enableBuildConsumeQueueConcurrently: bool = accepted(
        False, "enable build consume queue concurrently"
    )
    batchDispatchRequestThreadPoolNums: int = accepted(
        16, "batch dispatch request thread pool nums"
    )
    cleanRocksDBDirtyCQIntervalMin: int = accepted(
        60, "clean rocks dbdirty cqinterval min", maximum=LONG_MAX
    )
    statRocksDBCQIntervalSec: int = accepted(10, "stat rocks dbcqinterval sec", maximum=LONG_MAX)
    memTableFlushIntervalMs: int = accepted(
        3600000, "mem table flush interval ms", maximum=LONG_MAX
    )
    realTimePersistRocksDBConfig: bool = accepted(True, "real time persist rocks dbconfig")
    enableRocksDBLog: bool = accepted(False, "enable rocks dblog")
    topicQueueLockNum: int = accepted(32, "locks for queue offset assignment")
    readUnCommitted: bool = accepted(False, "dispatch beyond confirm offset")
    putConsumeQueueDataByFileChannel: bool = accepted(True, "write CQ through file channel")
    rocksdbCQDoubleWriteEnable: bool = accepted(False, "rocksdb cqdouble write enable")
    bottomMostCompressionTypeForConsumeQueueStore: str = accepted(
        "zstd", "bottom most compression type for consume queue store"
    )
    rocksdbCompressionType: str = accepted("lz4", "rocksdb compression type")
    rocksdbFlushWalFrequency: int = accepted(1024, "rocksdb flush wal frequency")
    rocksdbWalFileRollingThreshold: int = accepted(
        1073741824, "rocksdb wal file rolling threshold", maximum=LONG_MAX
    )
    spinLockCollisionRetreatOptimalDegree: int = accepted(
        1000, "spin lock collision retreat optimal degree"
    )
    useABSLock: bool = accepted(False, "use abslock")
