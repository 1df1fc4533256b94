"""Clean and dirty start."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What a load found."""

    clean: bool
    """Whether the last run had closed the store."""
    records: int
    """Records read again."""
    position: int
    """Where the log ends."""
    cut_reason: str
    """Why the log ends there."""
