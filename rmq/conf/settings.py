"""What a setting is: its default, meaning, unit, range, and whether it may change while running.

A configuration class is a frozen dataclass whose fields are named by RocketMQ's own keys, letter
for letter. A field is declared with ``setting`` (the server obeys it) or ``accepted`` (RocketMQ
knows the key, so no file that has it is warned about, but nothing here reads it). Everything else,
loading, checks, printing and the documentation, follows from those declarations.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar

from rmq.base.errors import ConfigError

Value = bool | int | float | str
"""What a setting can be; Java's null is the empty text."""

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_KEY = "rmq"


class Config(Protocol):
    """Any configuration class: a dataclass of settings."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts about this machine on which some defaults depend."""

    host_name: str = "localhost"
    address: str = "127.0.0.1"
    home: str = "~"
    processors: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)


MachineRule = Callable[[Machine], Value]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a configuration file."""

    key: str
    default: Value
    meaning: str
    unit: str = ""
    minimum: int = -INT_MAX - 1
    maximum: int = INT_MAX
    choices: tuple[str, ...] = ()
    live: bool = False
    honoured: bool = True
    important: bool = False
    machine_rule: MachineRule | None = None
    machine_text: str = ""

    @property
    def kind(self) -> str:
        """Java's name of the type: boolean, int, long, double or String."""
        if isinstance(self.default, bool):
            return "boolean"
        if isinstance(self.default, int):
            return "long" if self.maximum == LONG_MAX else "int"
        return "double" if isinstance(self.default, float) else "String"

    @property
    def expected(self) -> str:
        """What a value must look like, for people."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind == "boolean":
            return "true or false"
        if self.kind in ("int", "long"):
            return f"a whole number from {self.minimum} to {self.maximum}"
        return "a number" if self.kind == "double" else "text"

    def read(self, text: str) -> Value:
        """The value that ``text`` stands for; blanks around it do not count.

        :raises ConfigError: it is not what this setting expects.
        """
        stripped = text.strip()
        value = self._convert(stripped)
        if value is None:
            raise ConfigError(
                f"{self.key}={stripped!r}: expected {self.expected}; "
                f"correct it, or leave the key out for its default {show(self.default)!r}"
            )
        return value

    def _convert(self, text: str) -> Value | None:
        if self.choices:
            return text if text in self.choices else None
        if isinstance(self.default, bool):
            return {"true": True, "false": False}.get(text.lower())
        if isinstance(self.default, int):
            number = int(text) if _INTEGER.fullmatch(text) else None
            in_range = number is not None and self.minimum <= number <= self.maximum
            return number if in_range else None
        if isinstance(self.default, float):
            return float(text) if _DECIMAL.fullmatch(text) else None
        return text


T = TypeVar("T", bool, int, float, str)


def setting(
    default: T,
    meaning: str,
    *,
    unit: str = "",
    minimum: int = -INT_MAX - 1,
    maximum: int = INT_MAX,
    choices: tuple[str, ...] = (),
    live: bool = False,
    honoured: bool = True,
    important: bool = False,
    machine: tuple[str, MachineRule] | None = None,
) -> T:
    """Declare a key that the server obeys.

    ``live``: a change takes effect at once. ``important``: printed by ``mqbroker -m``.
    ``machine``: how the default follows from the machine, as text for people and as a rule.
    """
    text, rule = machine or ("", None)
    declared = Setting(
        key="",
        default=default,
        meaning=meaning,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        choices=choices,
        live=live,
        honoured=honoured,
        important=important,
        machine_rule=rule,
        machine_text=text,
    )
    return field(default=default, metadata={_KEY: declared})


def accepted(
    default: T,
    meaning: str,
    *,
    maximum: int = INT_MAX,
    important: bool = False,
    machine: tuple[str, MachineRule] | None = None,
) -> T:
    """Declare a key of RocketMQ's that is checked and printed, but that nothing here obeys yet."""
    return setting(
        default, meaning, maximum=maximum, important=important, machine=machine, honoured=False
    )


@cache
def _declared(config: type[Config]) -> tuple[Setting, ...]:
    return tuple(replace(declared.metadata[_KEY], key=declared.name) for declared in fields(config))


def settings_of(config: Config | type[Config]) -> tuple[Setting, ...]:
    """The settings of a configuration class, in the order of their declaration."""
    return _declared(config if isinstance(config, type) else type(config))


def show(value: Value) -> str:
    """A value as Java prints it: lower-case truth values, else plain text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def lines(config: Config, *, important_only: bool = False) -> list[str]:
    """Every setting as ``key=value``, in the order of declaration.

    Source: MixAll.java, printObjectProperties(), 5.3.3.
    """
    return [
        f"{known.key}={show(getattr(config, known.key))}"
        for known in settings_of(config)
        if known.important or not important_only
    ]
