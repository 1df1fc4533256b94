"""The settings of a running NameServer: what they are now, and how a command changes them."""

import logging
from collections.abc import Mapping, Sequence

from codec.codes import ResponseCode
from rmq.base.errors import CommandError, ConfigError
from rmq.conf.live import changed, fate, forbidden
from rmq.conf.namesrv import NamesrvConfig
from rmq.conf.properties import build_properties, parse_properties
from rmq.conf.settings import Config, settings_of, show
from rmq.namesrv.kv_config import Files

logger = logging.getLogger(__name__)

ALWAYS_FORBIDDEN = "configBlackList;configStorePath;kvConfigPath;rocketmqHome"
"""Keys that no command may change, whatever ``configBlackList`` says."""


class Configuration:
    """Holds the settings, shows them, changes them, and keeps what was changed in a file.

    Source: Configuration.java, and DefaultRequestProcessor.java, updateConfig(), 5.3.3. Java
    ignores a value that it cannot read and says success; here it is refused and nothing changes.
    """

    def __init__(
        self,
        disk: Files,
        namesrv: NamesrvConfig,
        others: Sequence[Config] = (),
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Begin with what was configured at the start.

        ``others`` are shown beside the NameServer's own settings, and changes of theirs are kept
        for the next start. ``extra`` is what else the start's file said: shown, and kept too.
        """
        self._disk = disk
        self._namesrv = namesrv
        self._others = others
        self._shown = dict(extra or {})
        for config in (namesrv, *others):
            for known in settings_of(config):
                self._shown[known.key] = show(getattr(config, known.key))

    def settings(self) -> NamesrvConfig:
        """The settings of now; another object after a change, the same until then."""
        return self._namesrv

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
        if forbidden(f"{ALWAYS_FORBIDDEN};{self._namesrv.configBlackList}", updates):
            raise CommandError(ResponseCode.NO_PERMISSION, "Can not update config in black list.")
        known = {key: value.strip() for key, value in updates.items() if key in self._shown}
        try:
            for config in self._others:
                changed(config, known)
            namesrv = changed(self._namesrv, known)
        except ConfigError as error:
            raise CommandError(ResponseCode.SYSTEM_ERROR, str(error)) from error
        self._keep(known)
        self._namesrv = namesrv
        effects = fate((namesrv, *self._others), known)
        logger.info(
            "event=settings_changed at_once=%s after_restart=%s without_effect=%s",
            effects.at_once,
            effects.after_restart,
            effects.without_effect,
        )

    def _keep(self, known: Mapping[str, str]) -> None:
        """Write the file, then show the new values."""
        before = self._shown
        self._shown = {**before, **known}
        try:
            self._disk.replace(self._namesrv.configStorePath, self.text().encode())
        except OSError as error:
            self._shown = before
            path = self._namesrv.configStorePath
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"{path} cannot be written: {error}"
            ) from error
