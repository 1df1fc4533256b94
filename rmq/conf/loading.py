"""From keys and texts to configuration objects: defaults, checks and warnings.

What counts, weakest first: the declared default, the machine's default, the role's own default,
the file, the command line. An unknown key is a warning that names the nearest known one, because
RocketMQ ignores it silently; a value that cannot be used stops the start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from rmq.conf.foreign import FOREIGN_KEYS
from rmq.conf.settings import Config, Machine, Value, settings_of

C = TypeVar("C", bound=Config)


def build(
    config: type[C],
    values: Mapping[str, str],
    machine: Machine,
    role_defaults: Mapping[str, Value] | None = None,
) -> C:
    """An object of class ``config``; of ``values`` only the keys it declares are read.

    :raises ConfigError: a value is not what its key expects.
    """
    chosen: dict[str, Value] = dict(role_defaults or {})
    for known in settings_of(config):
        if known.key in values:
            chosen[known.key] = known.read(values[known.key])
        elif known.key not in chosen and known.machine_rule is not None:
            chosen[known.key] = known.machine_rule(machine)
    return config(**chosen)


def unknown_key_warnings(
    keys: Iterable[str], configs: Iterable[type[Config]], where: str = "the configuration"
) -> list[str]:
    """One sentence for each key that none of ``configs`` declares and RocketMQ does not know."""
    known = {known.key for config in configs for known in settings_of(config)}
    return [
        f"unknown key {key!r} in {where} has no effect{_suggestion(key, known)}"
        for key in keys
        if key not in known and key not in FOREIGN_KEYS
    ]


def _suggestion(key: str, known: Iterable[str]) -> str:
    spellings = {name.lower(): name for name in known}
    near = get_close_matches(key.lower(), spellings, n=1, cutoff=0.6)
    return f"; did you mean {spellings[near[0]]!r}?" if near else ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Configuration objects by class, and what deserves a warning."""

    configs: Mapping[type[Config], Config]
    values: Mapping[str, str]
    warnings: tuple[str, ...]

    def of(self, config: type[C]) -> C:
        """The object of class ``config``, which must be one of those that were loaded."""
        found = self.configs[config]
        assert isinstance(found, config)
        return found


def load(
    configs: Iterable[type[Config]],
    values: Mapping[str, str],
    overrides: Mapping[str, str],
    machine: Machine,
    role_defaults: Mapping[type[Config], Mapping[str, Value]],
) -> Loaded:
    """All configuration objects of a process. ``overrides`` (command line) beat ``values`` (file).

    :raises ConfigError: a value is not what its key expects.
    """
    classes = tuple(configs)
    given = {**values, **overrides}
    return Loaded(
        configs={
            config: build(config, given, machine, role_defaults.get(config)) for config in classes
        },
        values=given,
        warnings=tuple(unknown_key_warnings(given, classes)),
    )
