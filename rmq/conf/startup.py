"""The rules of a start: which configuration a role has, and what follows from what.

Source: BrokerStartup.java, buildBrokerController(), and NamesrvStartup.java,
parseCommandlineAndConfigFile(), 5.3.3. On purpose different: a class default that is never in
effect in a started broker (listenPort 6888, haListenPort 10912) is not shown, the effective one is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rmq.base.errors import ConfigError
from rmq.conf.broker import BrokerConfig
from rmq.conf.controller import ControllerConfig
from rmq.conf.controller_startup import ControllerSettings, controller_defaults, settled
from rmq.conf.loading import build, load
from rmq.conf.namesrv import NamesrvConfig
from rmq.conf.profiles import FAST_BROKER, FAST_STORE, is_fast
from rmq.conf.remoting import RemotingClientConfig, RemotingServerConfig
from rmq.conf.rmq import RmqConfig
from rmq.conf.settings import Config, Machine, Value, lines
from rmq.conf.store import MessageStoreConfig

SELF_ID = re.compile(r"n[0-9]{1,8}")
"""What dLegerSelfId must look like."""

UNDECIDED_ID = -1
"""brokerId of a broker whose role is not decided yet."""

NAMESRV_PORT = 9876
BROKER_PORT = 10911

NAMESRV_CONFIGS: tuple[type[Config], ...] = (
    NamesrvConfig,
    RemotingServerConfig,
    RemotingClientConfig,
    RmqConfig,
)
BROKER_CONFIGS: tuple[type[Config], ...] = (
    BrokerConfig,
    RemotingServerConfig,
    RemotingClientConfig,
    MessageStoreConfig,
    RmqConfig,
)


@dataclass(frozen=True, slots=True)
class NamesrvSettings:
    """All that a NameServer is told. ``values`` are the keys that were given, as they were."""

    namesrv: NamesrvConfig
    server: RemotingServerConfig
    client: RemotingClientConfig
    rmq: RmqConfig
    values: Mapping[str, str]
    warnings: tuple[str, ...]
    controller: ControllerSettings | None = None
    """Of the Controller beside it, with enableControllerInNamesrv."""

    def lines(self) -> list[str]:
        """What ``mqnamesrv -p`` prints: ``key=value`` of every setting."""
        parts: tuple[Config, ...] = (self.namesrv, self.server, self.client, self.rmq)
        if self.controller is not None:
            parts = (*parts, self.controller.controller)
        return [line for part in parts for line in lines(part)]


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """All that a broker is told. ``values`` are the keys that were given, as they were."""

    broker: BrokerConfig
    server: RemotingServerConfig
    client: RemotingClientConfig
    store: MessageStoreConfig
    rmq: RmqConfig
    values: Mapping[str, str]
    warnings: tuple[str, ...]

    def lines(self, *, important_only: bool = False) -> list[str]:
        """What ``mqbroker -p`` prints, or, with ``important_only``, ``mqbroker -m``."""
        parts: tuple[Config, ...] = (
            self.broker,
            self.server,
            self.client,
            self.store,
            self.rmq,
        )
        return [line for part in parts for line in lines(part, important_only=important_only)]


def namesrv_settings(
    values: Mapping[str, str],
    machine: Machine,
    *,
    config_path: str = "",
    overrides: Mapping[str, str] | None = None,
) -> NamesrvSettings:
    """The settings of a NameServer; ``values`` are those of the file ``config_path``, if any.

    :raises ConfigError: a value cannot be used.
    """
    given = {**values, **(overrides or {})}
    embedded = build(NamesrvConfig, given, machine).enableControllerInNamesrv
    configs = (*NAMESRV_CONFIGS, ControllerConfig) if embedded else NAMESRV_CONFIGS
    defaults: dict[type[Config], Mapping[str, Value]] = {
        RemotingServerConfig: {"listenPort": NAMESRV_PORT},
        **controller_defaults(values),
    }
    loaded = load(configs, values, overrides or {}, machine, defaults)
    _refuse_access_control(loaded.values)
    namesrv = loaded.of(NamesrvConfig)
    if config_path:
        namesrv = replace(namesrv, configStorePath=config_path)
    return NamesrvSettings(
        namesrv=namesrv,
        server=loaded.of(RemotingServerConfig),
        client=loaded.of(RemotingClientConfig),
        rmq=loaded.of(RmqConfig),
        values=loaded.values,
        warnings=loaded.warnings,
        controller=settled(loaded) if embedded else None,
    )


def broker_settings(
    values: Mapping[str, str],
    machine: Machine,
    *,
    config_path: str = "",
    overrides: Mapping[str, str] | None = None,
) -> BrokerSettings:
    """The settings of a broker; ``values`` are those of the file ``config_path``, if any.

    ``overrides`` are of the command line: ``-n`` is ``{"namesrvAddr": ...}``.

    :raises ConfigError: a value cannot be used.
    """
    defaults: dict[type[Config], Mapping[str, Value]] = {
        RemotingServerConfig: {"listenPort": BROKER_PORT}
    }
    if is_fast({**values, **(overrides or {})}):
        defaults |= {BrokerConfig: FAST_BROKER, MessageStoreConfig: FAST_STORE}
    loaded = load(BROKER_CONFIGS, values, overrides or {}, machine, defaults)
    broker, store = loaded.of(BrokerConfig), loaded.of(MessageStoreConfig)
    server = loaded.of(RemotingServerConfig)
    _refuse_access_control(loaded.values)
    check_addresses("namesrvAddr", broker.namesrvAddr)
    _check_controllers(broker, loaded.values)
    _check_group(broker, store)
    broker = replace(
        broker,
        brokerId=_broker_id(broker, store),
        brokerConfigPath=config_path or broker.brokerConfigPath,
    )
    return BrokerSettings(
        broker=broker,
        server=server,
        client=loaded.of(RemotingClientConfig),
        store=_settled_store(store, server.listenPort),
        rmq=loaded.of(RmqConfig),
        values=loaded.values,
        warnings=(*loaded.warnings, *_ignored(broker, store, loaded.values)),
    )


def _check_controllers(broker: BrokerConfig, values: Mapping[str, str]) -> None:
    """A broker under Controllers must know where they are."""
    check_addresses("controllerAddr", broker.controllerAddr)
    if broker.enableControllerMode and not broker.controllerAddr:
        raise ConfigError(
            "controllerAddr is empty: with enableControllerMode=true expected the addresses of "
            'all Controllers; write them like "127.0.0.1:9877;127.0.0.1:9878;127.0.0.1:9879"'
        )
    if values.get("fetchControllerAddrByDnsLookup", "").strip().lower() == "true":
        raise ConfigError(
            "fetchControllerAddrByDnsLookup=true: expected false, names are looked up at each "
            "connection anyway; leave the key out, and write all Controllers into controllerAddr"
        )


def _check_group(broker: BrokerConfig, store: MessageStoreConfig) -> None:
    """One rule for who is master, and a number to be known by.

    Source: BrokerStartup.java, buildBrokerController(); DLedgerCommitLog.java, 5.3.3.
    """
    if not store.enableDLegerCommitLog:
        return
    if broker.enableControllerMode:
        raise ConfigError(
            "enableControllerMode=true and enableDLegerCommitLog=true: expected one of them, each "
            "chooses masters; leave one of the keys out"
        )
    if not SELF_ID.fullmatch(store.dLegerSelfId):
        raise ConfigError(
            f"dLegerSelfId={store.dLegerSelfId!r}: expected n and a number, which is this broker's "
            "own in dLegerPeers; write it like dLegerSelfId=n0"
        )
    if "," in store.storePathDLedgerCommitLog:
        raise ConfigError(
            f"storePathDLedgerCommitLog={store.storePathDLedgerCommitLog!r}: expected one folder, "
            "this server does not spread a log over several; name one, or leave the key out"
        )


def _ignored(
    broker: BrokerConfig, store: MessageStoreConfig, values: Mapping[str, str]
) -> list[str]:
    """What a broker is told in vain if others choose its role."""
    why = ""
    if broker.enableControllerMode:
        why = "with enableControllerMode=true the Controllers decide"
    elif store.enableDLegerCommitLog:
        why = "with enableDLegerCommitLog=true the group decides"
    return [
        f"{key}={values[key].strip()} has no effect: {why}"
        for key in ("brokerRole", "brokerId")
        if why and key in values
    ]


def _refuse_access_control(values: Mapping[str, str]) -> None:
    """Who relies on access control must not get an open server."""
    for key in ("authenticationEnabled", "authorizationEnabled"):
        if values.get(key, "").strip().lower() == "true":
            raise ConfigError(
                f"{key}=true: expected false, this server has no access control; "
                "leave the key out, and keep the ports in networks that you trust"
            )


def _broker_id(broker: BrokerConfig, store: MessageStoreConfig) -> int:
    """A master is 0 whatever the file says; a slave must have a number of its own.

    Under Controllers it is undecided what this broker will be; in a DLedger group its number, as a
    slave, is one more than that in the group. Source: DLedgerCommitLog.java, getId(), 5.3.3.
    """
    if store.enableDLegerCommitLog:
        return int(store.dLegerSelfId[1:]) + 1
    if broker.enableControllerMode:
        return UNDECIDED_ID
    if store.brokerRole != "SLAVE":
        return 0
    if broker.brokerId <= 0:
        raise ConfigError(
            f"Slave's brokerId must be > 0, found brokerId={broker.brokerId}: "
            "give each slave of a set a number of its own"
        )
    return broker.brokerId


def _settled_store(store: MessageStoreConfig, listen_port: int) -> MessageStoreConfig:
    """The store's settings with those filled in that follow from others."""
    ratio, root = store.accessMessageInMemoryMaxRatio, store.storePathRootDir
    ha_port = store.haListenPort
    return replace(
        store,
        haListenPort=listen_port + 1 if ha_port <= 0 else ha_port,
        storePathCommitLog=store.storePathCommitLog or f"{root}/commitlog",
        storePathEpochFile=store.storePathEpochFile or f"{root}/epochFileCheckpoint",
        storePathBrokerIdentity=store.storePathBrokerIdentity or f"{root}/brokerIdentity",
        accessMessageInMemoryMaxRatio=ratio - 10 if store.brokerRole == "SLAVE" else ratio,
    )


def check_addresses(key: str, text: str) -> None:
    """See that ``text`` is empty or ``host:port`` addresses, separated by ``;``.

    :raises ConfigError: one of them is not.
    """
    for address in text.split(";") if text else ():
        host, _, port = address.strip().rpartition(":")
        if not (host and port.isascii() and port.isdigit() and int(port) <= 65535):
            raise ConfigError(
                f"{key}={text!r}: expected host:port separated by ;, found {address!r}; "
                'write it like "127.0.0.1:9876;192.168.0.1:9876"'
            )
