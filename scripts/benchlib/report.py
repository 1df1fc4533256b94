"""The verdicts, as a table and as JSON."""

import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from scripts.benchlib.cases import Case
from scripts.benchlib.footprint import CONNECTIONS_HELD, Footprint
from scripts.benchlib.replicas import Replicas
from scripts.benchlib.rounds import Side

START_SECONDS_MAX = 1.0
IDLE_BYTES_MAX = 70e6
CONNECTION_BYTES_MAX = 10e3
SLAVE_EXTRA_MAX = 0.15
SLAVE_LAG_SECONDS_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that must not be missed."""

    name: str
    measured: str
    wanted: str
    met: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One case and what each maker's server made of it."""

    case: Case
    sides: Mapping[str, Side]

    @property
    def ratio(self) -> float | None:
        """Java's CPU for one request divided by ours, if both were measured."""
        if "java" not in self.sides or "rmq" not in self.sides:
            return None
        return self.sides["java"].cpu_us / self.sides["rmq"].cpu_us


def bars(
    rows: Sequence[Row], footprint: Footprint | None, replicas: Replicas | None = None
) -> Iterator[Bar]:
    """Every bar that was measured."""
    for row in rows:
        wanted = row.case.ratio_bar
        if wanted is not None and row.ratio is not None:
            met = row.ratio >= wanted
            yield Bar(row.case.name, f"{row.ratio:.2f} x", f"at least {wanted:g} x", met)
    if footprint is not None:
        yield Bar(
            "dev-start",
            f"{footprint.start:.2f} s",
            f"at most {START_SECONDS_MAX:.1f} s",
            footprint.start <= START_SECONDS_MAX,
        )
        yield Bar(
            "dev-idle",
            f"{footprint.idle_bytes / 1e6:.1f} MB",
            f"at most {IDLE_BYTES_MAX / 1e6:.0f} MB",
            footprint.idle_bytes <= IDLE_BYTES_MAX,
        )
        yield Bar(
            "connection",
            f"{footprint.connection_bytes / 1e3:.2f} KB",
            f"at most {CONNECTION_BYTES_MAX / 1e3:.0f} KB",
            footprint.connection_bytes <= CONNECTION_BYTES_MAX,
        )
        held = footprint.connections_held
        yield Bar("connections", f"{held} held", f"{CONNECTIONS_HELD}", held >= CONNECTIONS_HELD)
    if replicas is not None:
        yield from _slave_bars(replicas)


def _slave_bars(replicas: Replicas) -> Iterator[Bar]:
    costs = f"{replicas.followed.cpu_us:.1f} us to {replicas.alone.cpu_us:.1f}"
    yield Bar(
        "slave-cpu",
        f"{replicas.extra:+.1%} ({costs})",
        f"at most {SLAVE_EXTRA_MAX:+.0%}",
        replicas.extra <= SLAVE_EXTRA_MAX,
    )
    for pace in replicas.paces:
        told = f"{pace.lag_bytes} B, {pace.lag_seconds:.2f} s at {pace.messages_per_second:.0f}/s"
        yield Bar(
            f"slave-lag-{pace.size}",
            told if pace.is_equal else f"{told}, logs DIFFER",
            f"at most {SLAVE_LAG_SECONDS_MAX:g} s, equal logs",
            pace.is_equal and pace.lag_seconds <= SLAVE_LAG_SECONDS_MAX,
        )


def show(console: Console, rows: Sequence[Row], verdicts: Sequence[Bar]) -> None:
    """Print both tables."""
    if rows:
        console.print(_costs(rows))
    if verdicts:
        console.print(_verdicts(verdicts))


def _costs(rows: Sequence[Row]) -> Table:
    table = Table(
        title="CPU microseconds of the server for one request, median (spread)",
        caption="~ not steady yet after warming up",
        box=box.SIMPLE,
        pad_edge=False,
    )
    table.add_column("case", no_wrap=True)
    for heading in ("rmq", "java", "ratio", "bar", "rmq/s", "java/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        sides = [row.sides.get(maker) for maker in ("rmq", "java")]
        bar = row.case.ratio_bar
        table.add_row(
            row.case.name,
            *(_cost(side) for side in sides),
            "" if row.ratio is None else f"{row.ratio:.2f}",
            "" if bar is None else f"{bar:g}",
            *("" if side is None else f"{side.requests_per_second / 1e3:.1f}k" for side in sides),
        )
    return table


def _cost(side: Side | None) -> str:
    if side is None:
        return ""
    mark = "" if side.steady else " ~"
    return f"{side.cpu_us:.1f} ({side.spread:.0%}){mark}"


def _verdicts(verdicts: Sequence[Bar]) -> Table:
    table = Table(title="bars", box=box.SIMPLE)
    for heading in ("bar", "measured", "wanted", "verdict"):
        table.add_column(heading)
    for bar in verdicts:
        verdict = "[green]met[/]" if bar.met else "[bold red]MISSED[/]"
        table.add_row(bar.name, bar.measured, bar.wanted, verdict)
    return table


def as_json(
    machine: Mapping[str, object],
    rows: Sequence[Row],
    footprint: Footprint | None,
    verdicts: Sequence[Bar],
    replicas: Replicas | None = None,
) -> dict[str, object]:
    """All that was measured, every round included."""
    return {
        "machine": machine,
        "cases": [
            {
                "name": row.case.name,
                "load": row.case.meaning,
                "ratio": row.ratio,
                "ratio_bar": row.case.ratio_bar,
                **{
                    maker: {"cpu_us": side.cpu_us, "spread": side.spread, **asdict(side)}
                    for maker, side in row.sides.items()
                },
            }
            for row in rows
        ],
        "footprint": None if footprint is None else asdict(footprint),
        "slave": None if replicas is None else {"extra": replicas.extra, **asdict(replicas)},
        "bars": [asdict(bar) for bar in verdicts],
    }


def machine(root: Path) -> dict[str, object]:
    """What the figures were measured on, and when."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _said(["git", "-C", str(root), "describe", "--always", "--dirty"]),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "java": _said(["java", "-version"]).partition("\n")[0],
    }


def _said(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (done.stdout or done.stderr).strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
