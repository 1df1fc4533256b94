"""The rules of a Controller's start.

Source: ControllerStartup.java, createControllerManager(), and ControllerManager.java, initialize(),
5.3.3. On purpose different: changed settings of a Controller by itself are kept in the file that it
was started with, so that they are there after the next start.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rmq.base.errors import ConfigError
from rmq.conf.controller import ControllerConfig
from rmq.conf.loading import Loaded, load
from rmq.conf.profiles import FAST_CONTROLLER, is_fast
from rmq.conf.remoting import RemotingClientConfig, RemotingServerConfig
from rmq.conf.rmq import RmqConfig
from rmq.conf.settings import Config, Machine, Value, lines

CONTROLLER_PORT = 19876
"""Never listened at: the port is that of ``controllerDLegerPeers``."""

CONTROLLER_CONFIGS: tuple[type[Config], ...] = (
    ControllerConfig,
    RemotingServerConfig,
    RemotingClientConfig,
    RmqConfig,
)


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """All that a Controller is told. ``values`` are the keys that were given, as they were."""

    controller: ControllerConfig
    server: RemotingServerConfig
    client: RemotingClientConfig
    rmq: RmqConfig
    values: Mapping[str, str]
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """What ``mqcontroller -p`` prints: ``key=value`` of every setting."""
        parts: tuple[Config, ...] = (self.controller, self.server, self.client, self.rmq)
        return [line for part in parts for line in lines(part)]


def controller_settings(
    values: Mapping[str, str],
    machine: Machine,
    *,
    config_path: str = "",
) -> ControllerSettings:
    """The settings of a Controller; ``values`` are those of the file ``config_path``, if any.

    :raises ConfigError: a value cannot be used.
    """
    defaults: dict[type[Config], Mapping[str, Value]] = {
        RemotingServerConfig: {"listenPort": CONTROLLER_PORT},
        **controller_defaults(values),
    }
    settings = settled(load(CONTROLLER_CONFIGS, values, {}, machine, defaults))
    if config_path and "configStorePath" not in values:
        controller = replace(settings.controller, configStorePath=config_path)
        settings = replace(settings, controller=controller)
    return settings


def controller_defaults(
    values: Mapping[str, str],
) -> Mapping[type[Config], Mapping[str, Value]]:
    """The defaults that follow from the profile."""
    return {ControllerConfig: FAST_CONTROLLER} if is_fast(values) else {}


def settled(loaded: Loaded) -> ControllerSettings:
    """The settings from what was loaded, ``ControllerConfig`` among it.

    :raises ConfigError: they cannot be used.
    """
    controller = loaded.of(ControllerConfig)
    if controller.controllerType == "jRaft":
        raise ConfigError(
            "controllerType=jRaft: expected DLedger; jRaft Controllers talk a protocol of their "
            "own among each other, which this one does not; set controllerType=DLedger and "
            "controllerDLegerGroup, controllerDLegerPeers, controllerDLegerSelfId"
        )
    return ControllerSettings(
        controller=controller,
        server=loaded.of(RemotingServerConfig),
        client=loaded.of(RemotingClientConfig),
        rmq=loaded.of(RmqConfig),
        values=loaded.values,
        warnings=loaded.warnings,
    )
