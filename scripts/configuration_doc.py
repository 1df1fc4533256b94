"""docs/configuration.md from the declarations in ``rmq.conf``."""

from collections.abc import Sequence

from rmq.conf.broker import BrokerConfig
from rmq.conf.controller import ControllerConfig
from rmq.conf.namesrv import NamesrvConfig
from rmq.conf.remoting import RemotingClientConfig, RemotingServerConfig
from rmq.conf.rmq import RmqConfig
from rmq.conf.settings import INT_MAX, LONG_MAX, Config, Setting, settings_of, show
from rmq.conf.store import MessageStoreConfig
from scripts.markdown import code, table

SECTIONS: Sequence[tuple[str, type[Config]]] = (
    ("NameServer", NamesrvConfig),
    ("Broker", BrokerConfig),
    ("Message store", MessageStoreConfig),
    ("Controller", ControllerConfig),
    ("Listening sockets (all servers)", RemotingServerConfig),
    ("Connections to other servers", RemotingClientConfig),
    ("Only in rmq", RmqConfig),
)

INTRODUCTION = """\
# Configuration

<!-- Generated from rmq/conf by python -m scripts.generate_docs; change it there. -->

Keys, types and defaults are those of Apache RocketMQ 5.3.3, letter for letter. A file given with
`-c` holds `key=value` lines, or, if its name ends in `.yaml` or `.yml`, a flat YAML mapping. What
counts, weakest first: the default, the environment (`NAMESRV_ADDR`, `ROCKETMQ_HOME`), the file, the
command line (`-n`). An unknown key is a warning that names the nearest known one; a value that
cannot be used stops the start. `-p` prints all settings, `mqbroker -m` the important ones.

A broker listens at `listenPort` (10911), at that port minus 2, and for slaves at `haListenPort`;
a NameServer at `listenPort` (9876), a Controller at the port of its own entry in
`controllerDLegerPeers`, for brokers and the other Controllers. A broker that is no slave has
`brokerId` 0 whatever its file says.

*Live* settings take effect at once when they are changed by command; all others with the next
start. Keys under *accepted, not used yet* are RocketMQ's own, too: they are checked and printed,
but change nothing.
"""


def text() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *(_section(title, config) for title, config in SECTIONS)])


def _section(title: str, config: type[Config]) -> str:
    known = settings_of(config)
    used = [_row(one) for one in known if one.honoured]
    unused = [f"{code(one.key)} ({_default(one)})" for one in known if not one.honoured]
    lines = [f"## {title}", ""]
    lines += table(("key", "type", "default", "range", "unit", "live", "meaning"), used)
    if unused:
        lines += ["", f"Accepted, not used yet: {', '.join(unused)}."]
    return "\n".join([*lines, ""])


def _row(one: Setting) -> tuple[str, ...]:
    return (
        code(one.key),
        one.kind,
        _default(one),
        limits(one),
        one.unit,
        "live" if one.live else "",
        one.meaning,
    )


def _default(one: Setting) -> str:
    return one.machine_text or code(show(one.default)) or "empty"


def limits(one: Setting) -> str:
    """The values that are possible, as far as the type does not say."""
    if one.choices:
        return ", ".join(code(choice) for choice in one.choices)
    low = "" if one.minimum == -INT_MAX - 1 else str(one.minimum)
    high = "" if one.maximum in (INT_MAX, LONG_MAX) else str(one.maximum)
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"to {high}" if high else ""
