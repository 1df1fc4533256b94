"""The settings of a running server: what they are now, and how a command changes them.

A configuration object never changes; a command makes a new one. What does not change live is kept
in the file for the next start. Source: Configuration.java, 5.3.3. Java ignores a value that it
cannot read and says success; here it is refused and nothing changes.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from codec.codes import ResponseCode
from codec.fastjson import dumps
from rmq.base.errors import CommandError, ConfigError
from rmq.conf.live import changed, fate, forbidden
from rmq.conf.properties import build_properties, parse_properties
from rmq.conf.settings import Config, settings_of, show

logger = logging.getLogger(__name__)

YAML_SUFFIXES = (".yaml", ".yml")


class Files(Protocol):
    """Where the changed settings are kept."""

    def replace(self, path: str, content: bytes) -> None:
        """Write a whole file, or leave the old one.

        :raises OSError: it cannot be written.
        """
        ...


class RoleConfig(Config, Protocol):
    """The configuration class of a role."""

    @property
    def configBlackList(self) -> str:  # noqa: N802 - RocketMQ's own key
        """Keys that no command may change, joined by semicolons."""
        ...


C = TypeVar("C", bound=RoleConfig)


class RunningSettings(Generic[C]):
    """Holds the settings, shows them, changes them, and keeps what was changed in a file."""

    def __init__(
        self,
        disk: Files,
        path: str,
        own: C,
        others: Sequence[Config],
        *,
        protected: str,
        extra: Mapping[str, str] | None = None,
        check: Callable[[Mapping[str, str]], None] | None = None,
    ) -> None:
        """Begin with what was configured at the start; ``path`` is the file, properties or YAML.

        ``own`` are the role's settings, ``others`` are shown beside them, and changes of theirs
        are kept for the next start. ``protected``: keys, joined by semicolons, that no command may
        change whatever ``configBlackList`` says. ``extra`` is what else the start's file said:
        shown, and kept too. ``check`` raises ConfigError for a change that cannot be used.
        """
        self._disk = disk
        self._path = path
        self._others = others
        self._protected = protected
        self._check = check
        self.own = own
        """The role's settings of now; another object after a change, the same until then."""
        self.now: Callable[[], Mapping[str, str]] = dict
        """Gives what is shown, but not kept, in place of settings that are decided elsewhere."""
        self._shown = dict(extra or {})
        configs: tuple[Config, ...] = (own, *others)
        for config in configs:
            for known in settings_of(config):
                self._shown[known.key] = show(getattr(config, known.key))

    def text(self) -> str:
        """Every key with the value that it has, or will have after a restart, sorted by key."""
        return build_properties(dict(sorted({**self._shown, **self.now()}.items())))

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
        if forbidden(f"{self._protected};{self.own.configBlackList}", updates):
            raise CommandError(ResponseCode.NO_PERMISSION, "Can not update config in black list.")
        known = {key: value.strip() for key, value in updates.items() if key in self._shown}
        try:
            for config in self._others:
                changed(config, known)
            own = changed(self.own, known)
            if self._check is not None:
                self._check(known)
        except ConfigError as error:
            raise CommandError(ResponseCode.SYSTEM_ERROR, str(error)) from error
        self._keep(known)
        self.own = own
        effects = fate((own, *self._others), known)
        logger.info(
            "event=settings_changed at_once=%s after_restart=%s without_effect=%s",
            effects.at_once,
            effects.after_restart,
            effects.without_effect,
        )

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
