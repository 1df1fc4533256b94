"""Wall clocks that are wrong: ``libfaketime`` in a process, told by a file what to say.

Only the wall clock: what measures how long something takes (``CLOCK_MONOTONIC``) stays right, as it
does on a machine whose date is set or whose time service goes astray. The library's variant for
threads locks at each look at a clock, which made a broker twice as slow; in ours one thread looks.
"""

import subprocess
import sys
import time
from pathlib import Path

LIBRARIES = (
    "/usr/lib/*/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
)
RIGHT = "+0"
LOOK_S = 1
"""How often a process looks into its file."""
WRONG_MAX_S = 2.0
"""How far a clock may be from what was asked for, when asked at once."""


def library() -> Path | None:
    """Where ``libfaketime`` is; None: it is not installed."""
    for pattern in LIBRARIES:
        for path in sorted(Path("/").glob(pattern[1:])):
            return path
    return None


class WrongClock:
    """The clock of one broker, right at first."""

    def __init__(self, preload: Path, file: Path) -> None:
        self._preload = preload
        self._file = file
        self.set(RIGHT)

    def set(self, what: str) -> None:
        """Say from now on ``what``: seconds off, and maybe a speed, such as ``-90 x2``."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{what}\n")
        new.replace(self._file)

    def prefix(self) -> tuple[str, ...]:
        """What starts a process that believes it."""
        return (
            "env",
            f"LD_PRELOAD={self._preload}",
            f"FAKETIME_TIMESTAMP_FILE={self._file}",
            f"FAKETIME_CACHE_DURATION={LOOK_S}",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "NO_FAKE_STAT=1",
        )

    def works(self) -> bool:
        """Whether a process believes it."""
        self.set("+3600")
        asked = [*self.prefix(), sys.executable, "-c", "import time; print(time.time())"]
        said = float(subprocess.run(asked, capture_output=True, check=True, text=True).stdout)
        self.set(RIGHT)
        return abs(said - time.time() - 3600) < WRONG_MAX_S
