"""Settings of a Controller."""

from dataclasses import dataclass

from rmq.conf.machine import ROCKETMQ_HOME, home
from rmq.conf.settings import LONG_MAX, accepted, setting


@dataclass(frozen=True, slots=True)
class ControllerConfig:
    """What a Controller knows and allows. Source: ControllerConfig.java, 5.3.3."""

    rocketmqHome: str = accepted("", "rocketmq home", machine=ROCKETMQ_HOME)
    configStorePath: str = setting(
        "~/controller/controller.properties",
        "file in which changed settings are kept; of a Controller by itself, the file given "
        "with -c",
        machine=home("controller/controller.properties"),
    )
    controllerType: str = setting(
        "DLedger",
        "how Controllers agree; jRaft is another protocol, not spoken here, and refused",
        choices=("DLedger", "jRaft"),
    )
    scanNotActiveBrokerInterval: int = setting(
        5000,
        "period of the scan for silent brokers; one whose connection closes is lost at once",
        unit="ms",
        minimum=1,
        maximum=LONG_MAX,
    )
    controllerThreadPoolNums: int = accepted(16, "request threads")
    controllerRequestThreadPoolQueueCapacity: int = accepted(50000, "executor queue length")
    controllerDLegerGroup: str = setting(
        "", "name of the group of Controllers, the same for all of them", important=True
    )
    controllerDLegerPeers: str = setting(
        "",
        "the group, id-host:port separated by ;, the same for all of them: brokers and the other "
        "Controllers come to this port",
        important=True,
    )
    controllerDLegerSelfId: str = setting(
        "", "which of the group this Controller is, n and a number", important=True
    )
    mappedFileSize: int = setting(
        1 << 30,
        "size of a file of the log; what is there already must have the same",
        unit="bytes",
        minimum=4096,
    )
    controllerStorePath: str = setting(
        "~/DLedgerController",
        "folder of the log; each Controller needs its own id or folder",
        machine=home("DLedgerController"),
    )
    electMasterMaxRetryCount: int = setting(
        3, "how often an election is tried that the group did not agree on", minimum=1, live=True
    )
    enableElectUncleanMaster: bool = setting(
        False,
        "let a replica lead that is not in sync if nobody else can: acknowledged messages are lost",
        live=True,
    )
    processReadEvent: bool = setting(
        False,
        "have the group agree before a question is answered: no answer is ever out of date, and "
        "each costs an entry of the log",
        live=True,
    )
    notifyBrokerRoleChanged: bool = setting(
        True, "tell brokers of a new master at once; they ask every 5 s anyway", live=True
    )
    scanInactiveMasterInterval: int = setting(
        5000, "period of the scan for dead masters", unit="ms", minimum=1, maximum=LONG_MAX
    )
    metricsExporterType: str = accepted("DISABLE", "DISABLE, OTLP_GRPC, PROM, LOG")
    metricsGrpcExporterTarget: str = accepted("", "metrics grpc exporter target")
    metricsGrpcExporterHeader: str = accepted("", "metrics grpc exporter header")
    metricGrpcExporterTimeOutInMills: int = accepted(
        3000, "metric grpc exporter time out", maximum=LONG_MAX
    )
    metricGrpcExporterIntervalInMills: int = accepted(
        60000, "metric grpc exporter interval", maximum=LONG_MAX
    )
    metricLoggingExporterIntervalInMills: int = accepted(
        10000, "metric logging exporter interval", maximum=LONG_MAX
    )
    metricsPromExporterPort: int = accepted(5557, "metrics prom exporter port")
    metricsPromExporterHost: str = accepted("", "metrics prom exporter host")
    metricsLabel: str = accepted("", "metrics label")
    metricsInDelta: bool = accepted(False, "metrics in delta")
    configBlackList: str = setting(
        "configBlackList;configStorePath", "keys that cannot be changed by command, separated by ;"
    )
