"""A disk that is slow for one process: ``strace`` delays its system calls that wait for a disk.

The kernel does the waiting before the call is begun, in the thread that calls, as a disk would that
is busy with others. Mapped pages are not calls: writing to them stays quick, as it does on a slow
disk until the system runs out of clean pages. Every other call of the process takes some
microseconds more meanwhile.
"""

import shutil
import signal
import subprocess
from pathlib import Path

STRACE = "strace"
CALLS = "fsync,fdatasync,msync,sync_file_range,fallocate,ftruncate,rename,pwrite64,openat"
ATTACHED_S = 0.3
"""It says so, or has ended, by then."""
DETACHED_MAX_S = 10


def is_there() -> bool:
    """Whether ``strace`` can be started."""
    return shutil.which(STRACE) is not None


class SlowDisk:
    """From its making to :meth:`stop`, the calls of one process are late."""

    def __init__(self, pid: int, delay_ms: int, told: Path) -> None:
        """``told`` gets a line for each call.

        :raises OSError: the process cannot be traced.
        """
        self._told = told
        self._process = subprocess.Popen(
            [
                *(STRACE, "-f", "-qq", "-p", str(pid), "-o", str(told)),
                *("-e", f"trace={CALLS}", "-e", "signal=none"),
                *("-e", f"inject={CALLS}:delay_enter={delay_ms * 1000}"),
            ],
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self._process.wait(ATTACHED_S)
        except subprocess.TimeoutExpired:
            return
        said = self._said()
        if _lives(pid):
            raise OSError(f"strace ended: {said}")

    def stop(self) -> int:
        """Let go; how many calls were late."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(DETACHED_MAX_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said()
        return self._told.read_bytes().count(b"\n") if self._told.exists() else 0

    def _said(self) -> str:
        """What it complained of; it has ended."""
        if self._process.stderr is None or self._process.stderr.closed:
            return ""
        with self._process.stderr as told:
            return told.read().decode(errors="replace").strip()


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended, and nobody has asked for, does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return False
    return state != "Z"
