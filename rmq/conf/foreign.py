"""Keys of RocketMQ's that belong to parts not in this server: known, so that no file is warned of.

Source: AuthConfig.java, ControllerConfig.java, JraftConfig.java, BrokerStartup.java,
properties2SystemEnv(), 5.3.3; and setters whose key is not their field's name.
"""

FOREIGN_KEYS = frozenset(
    """
    aclCacheExpiredSecond aclCacheMaxNum aclCacheRefreshSecond authConfigPath
    authenticationEnabled authenticationMetadataProvider authenticationProvider
    authenticationStrategy authenticationWhitelist authorizationEnabled
    authorizationMetadataProvider authorizationProvider authorizationStrategy
    authorizationWhitelist clusterName configName controllerDLegerGroup controllerDLegerPeers
    controllerDLegerSelfId controllerRequestThreadPoolQueueCapacity controllerStorePath
    controllerThreadPoolNums controllerType electMasterMaxRetryCount enableElectUncleanMaster
    inBrokerContainer initAuthenticationUser innerClientAuthenticationCredentials
    isProcessReadEvent jRaftControllerRPCAddr jRaftElectionTimeoutMs jRaftGroupId jRaftInitConf
    jRaftScanWaitTimeoutMs jRaftServerId jRaftSnapshotIntervalSecs mappedFileSize
    migrateAuthFromV1Enabled notifyBrokerRoleChanged rmqAddressServerDomain
    rmqAddressServerSubGroup scanAvailableNameSrv scanInactiveMasterInterval
    statefulAuthenticationCacheExpiredSecond statefulAuthenticationCacheMaxNum
    statefulAuthorizationCacheExpiredSecond statefulAuthorizationCacheMaxNum
    userCacheExpiredSecond userCacheMaxNum userCacheRefreshSecond
    """.split()  # noqa: SIM905 - a table of words reads better than fifty quoted lines
)
