"""Settings of a NameServer."""

from dataclasses import dataclass

from rmq.conf.machine import ROCKETMQ_HOME, home
from rmq.conf.settings import LONG_MAX, accepted, setting


@dataclass(frozen=True, slots=True)
class NamesrvConfig:
    """What a NameServer knows and allows. Source: NamesrvConfig.java, 5.3.3."""

    rocketmqHome: str = accepted("", "rocketmq home", machine=ROCKETMQ_HOME)
    kvConfigPath: str = setting(
        "~/namesrv/kvConfig.json",
        "file of the key-value table, saved atomically",
        machine=home("namesrv/kvConfig.json"),
    )
    configStorePath: str = setting(
        "~/namesrv/namesrv.properties",
        "file in which changed settings are kept; the file given with -c",
        machine=home("namesrv/namesrv.properties"),
    )
    productEnvName: str = setting(
        "center",
        "namespace asked for routes of topics unknown here, if clusterTest",
        honoured=False,
    )
    clusterTest: bool = setting(
        False, "answer routes of unknown topics as a test environment does", honoured=False
    )
    orderMessageEnable: bool = setting(
        False, "answer ordered topics' configuration with their routes", live=True
    )
    returnOrderTopicConfigToBroker: bool = setting(
        True, "give the ORDER_TOPIC_CONFIG table to registering brokers", live=True
    )
    clientRequestThreadPoolNums: int = accepted(8, "client request thread pool nums")
    defaultThreadPoolNums: int = accepted(16, "default thread pool nums")
    clientRequestThreadPoolQueueCapacity: int = accepted(50000, "executor queue length")
    defaultThreadPoolQueueCapacity: int = accepted(10000, "executor queue length")
    scanNotActiveBrokerInterval: int = setting(
        5000, "period of the scan for silent brokers", unit="ms", minimum=1, maximum=LONG_MAX
    )
    unRegisterBrokerQueueCapacity: int = setting(
        3000, "brokers that may wait to be removed in one batch", minimum=1
    )
    supportActingMaster: bool = setting(
        False, "let the smallest live broker id stand in for a lost master in routes", live=True
    )
    enableAllTopicList: bool = setting(True, "answer the list of all topics", live=True)
    enableTopicList: bool = setting(
        True, "answer the lists of topics by cluster, system and unit", live=True
    )
    notifyMinBrokerIdChanged: bool = setting(
        False, "tell brokers when the smallest live id of their set changes", live=True
    )
    enableControllerInNamesrv: bool = setting(
        False, "run a Controller in this process too, at its own port"
    )
    needWaitForService: bool = setting(
        False, "refuse routes for a while after the start", live=True
    )
    waitSecondsForService: int = setting(
        45, "how long routes are refused after the start", unit="s", minimum=0, live=True
    )
    deleteTopicWithBrokerRegistration: bool = setting(
        False, "forget topics that a broker no longer registers", live=True
    )
    configBlackList: str = setting(
        "configBlackList;configStorePath;kvConfigPath",
        "keys that cannot be changed by command, separated by ;",
    )
