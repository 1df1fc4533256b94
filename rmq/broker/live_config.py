"""The settings of a running broker: what they are now, and how a command changes them.

A ``BrokerConfig`` never changes; a command makes a new one, and whoever follows (its ``config``
attribute) gets it at once. Of the store and the network nothing changes live: such updates are kept
in the file for the next start. Source: Configuration.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from codec.bodies.data_version import DataVersion
from codec.codes import ResponseCode
from codec.fastjson import dumps
from rmq.base.errors import CommandError, ConfigError
from rmq.base.ports import Clock
from rmq.conf.broker import BrokerConfig
from rmq.conf.live import changed, fate, forbidden
from rmq.conf.properties import build_properties, parse_properties
from rmq.conf.settings import Config, settings_of, show
from rmq.conf.startup import check_addresses

logger = logging.getLogger(__name__)

ALWAYS_FORBIDDEN = "brokerConfigPath;configBlackList;rocketmqHome"
"""Keys that no command may change, whatever ``configBlackList`` says."""

YAML_SUFFIXES = (".yaml", ".yml")

Listener: TypeAlias = Callable[[BrokerConfig, BrokerConfig], None]
"""Told of the settings before and after a change."""


class Files(Protocol):
    """Where the changed settings are kept."""

    def replace(self, path: str, content: bytes) -> None:
        """Write a whole file, or leave the old one.

        :raises OSError: it cannot be written.
        """
        ...


class Follower(Protocol):
    """Whoever reads ``config`` anew each time, and so obeys a change at once."""

    config: BrokerConfig


class LiveConfig:
    """Holds the settings, shows them, changes them, and keeps what was changed in a file.

    Java ignores a value that it cannot read and says success; here it is refused and nothing
    changes.
    """

    def __init__(
        self,
        disk: Files,
        clock: Clock,
        broker: BrokerConfig,
        others: Sequence[Config],
        path: str,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Begin with what was configured at the start.

        ``others`` are shown beside the broker's own settings, and changes of theirs are kept for
        the next start. ``path`` is the file. ``extra`` is what else the start's file said: shown,
        and kept too.
        """
        self._disk = disk
        self._clock = clock
        self._broker = broker
        self._others = others
        self._path = path
        self._data_version = DataVersion(timestamp=clock.wall_ms())
        self._followers: list[Follower] = []
        self._listeners: list[Listener] = []
        self._shown = dict(extra or {})
        for config in (broker, *others):
            for known in settings_of(config):
                self._shown[known.key] = show(getattr(config, known.key))

    @property
    def broker(self) -> BrokerConfig:
        """The settings of now; another object after a change, the same until then."""
        return self._broker

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

    def text(self) -> str:
        """Every key with the value that it has, or will have after a restart, sorted by key."""
        return build_properties(dict(sorted(self._shown.items())))

    def update(self, text: str) -> None:
        """Take over properties text; keys that nobody knows are ignored, as Java does.

        :raises CommandError: NO_PERMISSION, a key is forbidden; SYSTEM_ERROR, a value is not what
            its key expects or the file cannot be written. Nothing is changed then.
        """
        try:
            updates = parse_properties(text)
        except ConfigError as error:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"string2Properties error: {error}"
            ) from error
        if forbidden(f"{ALWAYS_FORBIDDEN};{self._broker.configBlackList}", updates):
            raise CommandError(ResponseCode.NO_PERMISSION, "Can not update config in black list.")
        known = {key: value.strip() for key, value in updates.items() if key in self._shown}
        try:
            for config in self._others:
                changed(config, known)
            broker = changed(self._broker, known)
            check_addresses("namesrvAddr", known.get("namesrvAddr", ""))
        except ConfigError as error:
            raise CommandError(ResponseCode.SYSTEM_ERROR, str(error)) from error
        self._keep(known)
        self._data_version = self._data_version.next(self._clock.wall_ms())
        effects = fate((broker, *self._others), known)
        logger.info(
            "event=settings_changed at_once=%s after_restart=%s without_effect=%s",
            effects.at_once,
            effects.after_restart,
            effects.without_effect,
        )
        self._hand_out(broker)

    def _hand_out(self, broker: BrokerConfig) -> None:
        before, self._broker = self._broker, broker
        for follower in self._followers:
            follower.config = broker
        for listener in self._listeners:
            listener(before, broker)

    def _keep(self, known: Mapping[str, str]) -> None:
        """Write the file, then show the new values."""
        shown = {**self._shown, **known}
        ordered = dict(sorted(shown.items()))
        is_yaml = self._path.endswith(YAML_SUFFIXES)
        text = _yaml(ordered) if is_yaml else build_properties(ordered)
        try:
            self._disk.replace(self._path, text.encode())
        except OSError as error:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"{self._path} cannot be written: {error}"
            ) from error
        self._shown = shown


def _yaml(values: Mapping[str, str]) -> str:
    """A mapping of texts; JSON's quotes are YAML's too."""
    return "".join(f"{key}: {dumps(value).decode()}\n" for key, value in values.items())
