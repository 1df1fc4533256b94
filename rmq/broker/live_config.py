"""The settings of a running broker, and who obeys a change of them.

Whoever follows (its ``config`` attribute) gets a changed ``BrokerConfig`` at once. Of the store and
the network nothing changes live.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from codec.bodies.data_version import DataVersion
from codec.fastjson import dumps
from rmq.base.ports import Clock
from rmq.conf.broker import BrokerConfig
from rmq.conf.running import Files, RunningSettings
from rmq.conf.settings import Config
from rmq.conf.startup import check_addresses

PROTECTED = "brokerConfigPath;configBlackList;rocketmqHome"
"""Keys that no command may change, whatever ``configBlackList`` says."""

Listener: TypeAlias = Callable[[BrokerConfig, BrokerConfig], None]
"""Told of the settings before and after a change."""


class Follower(Protocol):
    """Whoever reads ``config`` anew each time, and so obeys a change at once."""

    config: BrokerConfig


class LiveConfig(RunningSettings[BrokerConfig]):
    """The settings, their version, and those who follow them."""

    def __init__(
        self,
        disk: Files,
        clock: Clock,
        broker: BrokerConfig,
        others: Sequence[Config],
        path: str,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Begin with what was configured at the start; see :class:`RunningSettings`."""
        super().__init__(disk, path, broker, others, protected=PROTECTED, extra=extra, check=_check)
        self._clock = clock
        self._data_version = DataVersion(timestamp=clock.wall_ms())
        self._followers: list[Follower] = []
        self._listeners: list[Listener] = []

    @property
    def broker(self) -> BrokerConfig:
        """The settings of now; another object after a change, the same until then."""
        return self.own

    @property
    def version_text(self) -> str:
        """How often the settings were changed since the start, as JSON."""
        return dumps(self._data_version).decode()

    def follow(self, *followers: Follower) -> None:
        """Give each of ``followers`` the new settings after every change."""
        self._followers += followers

    def on_change(self, listener: Listener) -> None:
        """Have ``listener`` told of every change, after the followers have it."""
        self._listeners.append(listener)

    def update(self, text: str) -> None:
        """Take over properties text and hand out what came of it; see the base class.

        :raises CommandError: refused, and nothing is changed.
        """
        before = self.own
        super().update(text)
        self._data_version = self._data_version.next(self._clock.wall_ms())
        for follower in self._followers:
            follower.config = self.own
        for listener in self._listeners:
            listener(before, self.own)


def _check(updates: Mapping[str, str]) -> None:
    check_addresses("namesrvAddr", updates.get("namesrvAddr", ""))
