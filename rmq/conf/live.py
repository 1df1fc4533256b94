"""Changing settings of a running server, as UPDATE_BROKER_CONFIG and UPDATE_NAMESRV_CONFIG ask.

A configuration object never changes: a change gives new objects. Only settings declared ``live``
take effect in them; the others are kept for the next start, and said so.
Source: Configuration.java, update(), 5.3.3. On purpose different: Java changes every field at once
and leaves open which of them anyone reads again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from rmq.conf.foreign import FOREIGN_KEYS
from rmq.conf.settings import Config, Value, settings_of

C = TypeVar("C", bound=Config)


def changed(config: C, updates: Mapping[str, str]) -> C:
    """``config`` with those of ``updates`` that it declares and that may change live.

    All of its keys are checked, live or not.

    :raises ConfigError: a value is not what its key expects; nothing is changed then.
    """
    read: dict[str, Value] = {}
    for known in settings_of(config):
        if known.key in updates:
            value = known.read(updates[known.key])
            if known.live:
                read[known.key] = value
    return replace(config, **read) if read else config


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an update, key by key."""

    at_once: tuple[str, ...]
    after_restart: tuple[str, ...]
    without_effect: tuple[str, ...]


def fate(configs: Iterable[Config | type[Config]], updates: Iterable[str]) -> Fate:
    """Sort the keys of an update by when they take effect, if ever.

    A key that only other parts of RocketMQ know, or that nothing here obeys, has no effect.
    """
    live: dict[str, bool] = {}
    for config in configs:
        for known in settings_of(config):
            if known.honoured:
                live[known.key] = known.live or live.get(known.key, False)
    keys = tuple(updates)
    return Fate(
        at_once=tuple(key for key in keys if live.get(key) is True),
        after_restart=tuple(key for key in keys if live.get(key) is False),
        without_effect=tuple(key for key in keys if key not in live),
    )


def unknown(configs: Iterable[Config | type[Config]], keys: Iterable[str]) -> list[str]:
    """Those of ``keys`` that neither ``configs`` nor any other part of RocketMQ knows."""
    known = {known.key for config in configs for known in settings_of(config)} | FOREIGN_KEYS
    return [key for key in keys if key not in known]


def forbidden(black_list: str, keys: Iterable[str]) -> list[str]:
    """Those of ``keys`` that ``configBlackList`` protects. It always protects itself."""
    protected = {key.strip() for key in black_list.split(";")} | {"configBlackList"}
    return [key for key in keys if key in protected]
