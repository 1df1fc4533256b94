"""The settings of a running NameServer."""

from collections.abc import Mapping, Sequence

from rmq.conf.namesrv import NamesrvConfig
from rmq.conf.running import Files, RunningSettings
from rmq.conf.settings import Config

PROTECTED = "configBlackList;configStorePath;kvConfigPath;rocketmqHome"
"""Keys that no command may change, whatever ``configBlackList`` says."""


class Configuration(RunningSettings[NamesrvConfig]):
    """The settings, kept in ``configStorePath``.

    Source: DefaultRequestProcessor.java, updateConfig(), 5.3.3.
    """

    def __init__(
        self,
        disk: Files,
        namesrv: NamesrvConfig,
        others: Sequence[Config] = (),
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Begin with what was configured at the start; see :class:`RunningSettings`."""
        super().__init__(
            disk, namesrv.configStorePath, namesrv, others, protected=PROTECTED, extra=extra
        )

    def settings(self) -> NamesrvConfig:
        """The settings of now; another object after a change, the same until then."""
        return self.own
