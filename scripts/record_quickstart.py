"""docs/pictures/quickstart.svg: what a terminal shows while ``sh scripts/quickstart`` runs.

``python -m scripts.record_quickstart`` clones the last commit, runs the script there in a terminal,
with an empty home, waits for the message, presses Ctrl-C, and draws what was written. Nothing in
the picture is made up; the usual ports, 9876 and 10911, must be free.
"""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs/pictures/quickstart.svg"
COMMAND = "sh scripts/quickstart"
LAST_WORDS = b"Ctrl-C stops the server."
COLUMNS = 104
THEME = TerminalTheme(
    (24, 26, 31),
    (214, 219, 226),
    [
        (24, 26, 31),
        (224, 108, 117),
        (126, 200, 120),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (96, 195, 205),
        (214, 219, 226),
    ],
)
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def written(checkout: Path, home: Path) -> str:
    """What a terminal shows while the script runs, with its control sequences.

    :raises RuntimeError: it ended before the message, or not cleanly after Ctrl-C.
    """
    ours, theirs = pty.openpty()
    environment = {**os.environ, "HOME": str(home), "COLUMNS": str(COLUMNS), "TERM": "xterm"}
    with subprocess.Popen(
        COMMAND.split(),
        cwd=checkout,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_obey_ctrl_c,  # noqa: PLW1509 - it only sets a signal
    ) as process:
        os.close(theirs)
        seen = b""
        stopped = False
        while chunk := _read(ours):
            seen += chunk
            if LAST_WORDS in seen and not stopped:
                os.killpg(process.pid, signal.SIGINT)
                stopped = True
        os.close(ours)
    if process.returncode or not stopped:
        raise RuntimeError(f"{COMMAND} ended with {process.returncode}:\n{seen.decode()}")
    return seen.decode()


def _obey_ctrl_c() -> None:
    """A shell's background jobs, and all that they start, would ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that nobody has the other end open
        return b""


def picture(text: str) -> str:
    """Draw what a terminal shows after ``COMMAND``, without fonts from elsewhere."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(f"[bold green]$[/] [bold]{COMMAND}[/]", highlight=False)
    shown = text.replace("\r\n", "\n").replace("\r", "").rstrip("\n")
    console.print(Text.from_ansi(f"{shown}\n^C"), soft_wrap=True)
    svg = console.export_svg(title="rmq", theme=THEME, unique_id="quickstart")
    return FONT_FACE.sub("", svg).replace("Fira Code, monospace", "ui-monospace, monospace")


def main(arguments: Sequence[str] = ()) -> int:
    """Write the picture, to the path given or to where the README shows it from."""
    target = Path(arguments[0]) if arguments else PICTURE
    with tempfile.TemporaryDirectory() as folder:
        checkout, home = Path(folder, "rmq"), Path(folder, "home")
        home.mkdir()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
        svg = picture(written(checkout, home))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(svg, encoding="utf-8")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
