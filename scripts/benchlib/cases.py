"""What is asked, how, and how much less CPU than Java's it may cost us."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SEND_TOPIC = "BenchSend"
PULL_TOPIC = "BenchPull"
TRANSACTION_TOPIC = "BenchTransaction"
TOPICS = (SEND_TOPIC, PULL_TOPIC, TRANSACTION_TOPIC)
"""Made on every broker before the first case."""
QUEUES = 4
PULL_FILL = 8192
PULL_BATCH = 32


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load; ``role`` is the server whose CPU is counted."""

    name: str
    meaning: str
    mode: str
    role: str
    ratio_bar: float | None
    settings: dict[str, object] = field(default_factory=dict)


def send_case(size: int, label: str, conns: int, depth: int, bar: float | None) -> Case:
    """Sends of ``size`` B by ``conns`` connections, ``depth`` of each on their way."""
    way = "pipelined" if depth > 1 else "depth1"
    return Case(
        f"send{label}-{way}",
        f"send {size} B, {conns} x {depth}",
        "send",
        "broker",
        bar,
        {"topic": SEND_TOPIC, "conns": conns, "depth": depth, "size": size, "queues": QUEUES},
    )


CASES = (
    send_case(128, "128", 4, 16, 2.5),
    send_case(1024, "1k", 4, 16, None),
    send_case(128, "128", 16, 1, 1.3),
    send_case(1024, "1k", 16, 1, None),
    Case(
        "transaction",
        "half message of 128 B and its commit, 4 x 16",
        "transaction",
        "broker",
        1.0,
        {"topic": TRANSACTION_TOPIC, "conns": 4, "depth": 16, "size": 128, "queues": QUEUES},
    ),
    Case(
        "pull32",
        "pull 32 of 128 B, 4 x 1",
        "pull",
        "broker",
        2.0,
        {
            "topic": PULL_TOPIC,
            "conns": 4,
            "depth": 1,
            "size": 128,
            "queues": QUEUES,
            "batch": PULL_BATCH,
            "fill": PULL_FILL,
        },
    ),
    Case(
        "route",
        "route of a topic, 4 x 16",
        "route",
        "namesrv",
        3.0,
        {"topic": SEND_TOPIC, "conns": 4, "depth": 16, "queues": QUEUES},
    ),
)

FOOTPRINT = "footprint"
"""The name by which start time, memory and connections are chosen."""
SLAVE = "slave"
"""The name by which what a slave costs, and its pace, are chosen."""
FOLLOWED_SIZES = (128, 1024)


class Choice(NamedTuple):
    """What is measured."""

    cases: Sequence[Case]
    with_footprint: bool
    with_slave: bool


def chosen(only: str | None) -> Choice:
    """What has a name that begins with one of ``only``, commas between.

    :raises ValueError: something that begins no name.
    """
    if only is None:
        return Choice(CASES, with_footprint=True, with_slave=True)
    starts = [start.strip() for start in only.split(",")]
    names = [case.name for case in CASES] + [FOOTPRINT, SLAVE]
    for start in starts:
        if not start or not any(name.startswith(start) for name in names):
            raise ValueError(f"--only {start!r}; there are {', '.join(names)}")
    begins = tuple(starts)
    cases = [case for case in CASES if case.name.startswith(begins)]
    return Choice(cases, FOOTPRINT.startswith(begins), SLAVE.startswith(begins))
