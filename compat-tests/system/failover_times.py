"""How long a broker group is without a master: kills, hangs, and Controllers that die with it.

    python compat-tests/system/failover_times.py [--count 30] [--profile fast] [--apache] [KIND...]

Prints, for each kind, the times in seconds from the fault until the NameServer has the new master, and
until that has acknowledged a message; and how many acknowledged messages were lost. Kinds: ``kill``,
``hang`` (SIGSTOP), ``both`` (the Controllers' leader and the master are killed at once).
"""

import argparse
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import artifacts
import clusters
import servers
from clusters import Group, Producer, wait_for

KINDS = ("kill", "hang", "both")
PRODUCERS = 2
TAKE_OVER_MAX_S = 60


def faulty(group: Group, kind: str) -> tuple[servers.Server, list[servers.Server]]:
    """Break the master; gives it, and all that have to be started again."""
    master = group.master()
    broken = [group.leader()] if kind == "both" else []
    for one in broken:
        one.kill()
    if kind == "hang":
        master.process.send_signal(signal.SIGSTOP)
    else:
        master.kill()
        broken.append(master)
    return master, broken


def once(group: Group, sending: list[Producer], kind: str) -> tuple[float, float]:
    """One fault and its repair; when the next master was known, and when it acknowledged."""
    began = time.monotonic()
    old, broken = faulty(group, kind)
    began = time.monotonic() if kind == "both" else began
    new = wait_for(
        "a new master", lambda: (now := group.master()) is not old and now, TAKE_OVER_MAX_S, 0.002
    )
    known_s = time.monotonic() - began
    first = wait_for(
        "an acknowledgement",
        lambda: min(filter(None, (one.acked_by(new, began) for one in sending)), default=None),
        TAKE_OVER_MAX_S,
    )
    if kind == "hang":
        old.process.send_signal(signal.SIGCONT)
    for one in broken:
        one.launch()
    wait_for("all to be in step", group.is_whole, 120)
    time.sleep(1)
    return known_s, first - began


def summary(times: list[float]) -> str:
    """Median, and the best and the worst."""
    middle = statistics.median(times)
    return f"median {middle:.3f} min {min(times):.3f} max {max(times):.3f}"


def measure(kind: str, count: int, profile: str, *, apache: bool) -> None:
    """Do it ``count`` times and print what came out."""
    folder = Path(tempfile.mkdtemp(prefix="failover-"))
    jars = artifacts.server_jars() if apache else None
    group = Group(
        folder,
        jars=jars,
        java_brokers=2 if apache else 0,
        java_controllers=apache,
        profile=profile,
        allAckInSyncStateSet="true",
    )
    try:
        group.start()
        sending = [Producer(group, f"p{number}", timeout_s=0.5) for number in range(PRODUCERS)]
        wait_for("a first message", lambda: all(one.acked for one in sending), 30)
        times = [once(group, sending, kind) for _ in range(count)]
        for one in sending:
            one.stop()
        wait_for("all to be in step", group.is_whole, 60)
        acked = {body for one in sending for _, _, body in one.acked}
        lost = len(acked - set(group.kept(group.master())))
    finally:
        group.end()
        shutil.rmtree(folder, ignore_errors=True)
    whose = "Apache's" if apache else "ours"
    print(f"{whose}, {profile}, {kind}, {count} times: {lost} of {len(acked)} acknowledged lost")
    print(f"  known to the NameServer: {summary([known for known, _ in times])}")
    print(f"  first acknowledgement:   {summary([first for _, first in times])}", flush=True)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", choices=[*KINDS, []], help="which faults; all if none")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--profile", default="default", choices=("default", "fast"))
    parser.add_argument("--apache", action="store_true", help="measure Apache's own servers")
    chosen = parser.parse_args()
    if chosen.apache and not clusters.java_is_there():
        parser.error("--apache needs Java")
    for kind in chosen.kinds or KINDS:
        measure(kind, chosen.count, chosen.profile, apache=chosen.apache)


if __name__ == "__main__":
    main()
