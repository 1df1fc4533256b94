"""Frames recorded from Java 5.3.3 (RemotingCommand.encode()), by name."""

from pathlib import Path

_LINES = (Path(__file__).parent / "golden_commands.tsv").read_text().splitlines()[1:]

GOLDEN = {name: bytes.fromhex(frame) for name, frame in (line.split("\t") for line in _LINES)}
