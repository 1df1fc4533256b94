"""Unique keys for messages that came without one. Source: MessageClientIDSetter.java, 5.3.3."""

from datetime import UTC, datetime, timedelta

from codec.message.ids import build_unique_key
from rmq.base.ports import Clock

COUNTER_DIGITS = 4
"""Hexadecimal digits at the end of a key that count within a millisecond and beyond."""


class UniqueKeys:
    """Makes keys that no other process makes, as far as address and number tell it apart."""

    def __init__(self, clock: Clock, ip: bytes, process_id: int, seed: int) -> None:
        """``ip`` has 4 or 16 bytes; ``seed``, any 32 bits, tells two lives of a process apart."""
        self._clock = clock
        self._ip = ip
        self._process_id = process_id
        self._seed = seed
        self._counter = 0
        self._now_ms = -1
        self._beginning = ""
        self._month_start_ms = 0
        self._month_end_ms = 0

    def __call__(self) -> str:
        """A new key, 32 or 56 upper-case hexadecimal digits."""
        now_ms = self._clock.wall_ms()
        if now_ms != self._now_ms:
            self._turn_millisecond(now_ms)
        self._counter = counter = (self._counter + 1) & 0xFFFF
        return f"{self._beginning}{counter:04X}"

    def _turn_millisecond(self, now_ms: int) -> None:
        if not self._month_start_ms <= now_ms < self._month_end_ms:
            self._turn_month(now_ms)
        self._now_ms = now_ms
        key = build_unique_key(
            ip=self._ip,
            pid=self._process_id,
            class_loader_hash=self._seed,
            month_start_ms=self._month_start_ms,
            now_ms=now_ms,
            counter=0,
        )
        self._beginning = key[:-COUNTER_DIGITS]

    def _turn_month(self, now_ms: int) -> None:
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end = (start + timedelta(days=32)).replace(day=1)
        self._month_start_ms = int(start.timestamp()) * 1000
        self._month_end_ms = int(end.timestamp()) * 1000
