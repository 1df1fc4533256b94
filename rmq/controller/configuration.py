"""The settings of a running Controller."""

from collections.abc import Mapping, Sequence

from rmq.conf.controller import ControllerConfig
from rmq.conf.running import Files, RunningSettings
from rmq.conf.settings import Config

PROTECTED = "configBlackList;configStorePath;rocketmqHome"
"""Keys that no command may change, whatever ``configBlackList`` says."""


class Configuration(RunningSettings[ControllerConfig]):
    """The settings, kept in ``configStorePath``.

    Source: ControllerRequestProcessor.java, handleUpdateControllerConfig(), 5.3.3.
    """

    def __init__(
        self,
        disk: Files,
        controller: ControllerConfig,
        others: Sequence[Config] = (),
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Begin with what was configured at the start; see :class:`RunningSettings`."""
        super().__init__(
            disk, controller.configStorePath, controller, others, protected=PROTECTED, extra=extra
        )

    def settings(self) -> ControllerConfig:
        """The settings of now; another object after a change, the same until then."""
        return self.own
