"""Long polling: who waits for messages of which queue, and until when.

A request that finds nothing is *held*. It is resumed, once, by the first of: a message arrives
behind its offset that its filter accepts; its time is over; its connection closes; too many are
held. Time is kept in slots of ``SLOT_MS``: one timer for all, set only while something is held,
so a request may be held up to one slot longer than it asked. Java looks every 5 s.
Source: PullRequestHoldService.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Hashable
from enum import Enum, auto
from heapq import heappop, heappush
from typing import TypeAlias

from rmq.base.ports import Clock, Timer

logger = logging.getLogger(__name__)

SLOT_MS = 100
"""How finely expiry is kept."""

HELD_MAX = 400_000
"""Requests held at once, for memory's sake (about 3 KB each in all); more are resumed at once."""

HELD_BY_ONE_MAX = 10_000
"""Requests of one connection held at once, so that none can take the room of all."""

HOLD_MS_MAX = 600_000
"""Longest hold in milliseconds, whatever was asked: nobody's network keeps silent for longer."""


class Reason(Enum):
    """Why a held request goes on."""

    ARRIVED = auto()
    EXPIRED = auto()
    CLOSED = auto()


Resume: TypeAlias = Callable[[Reason], None]
"""Called exactly once; may hold again. Must not raise: it is logged and costs the answer."""

Accepts: TypeAlias = Callable[[int | None, bytes | None], bool]
"""Whether a message with this tags code and these properties (None: unknown) is wanted."""


class _Held:
    __slots__ = ("accepts", "key", "offset", "owner", "resume", "slot")

    def __init__(
        self,
        key: tuple[str, int],
        offset: int,
        slot: int,
        resume: Resume,
        *,
        accepts: Accepts | None,
        owner: Hashable,
    ) -> None:
        self.key = key
        self.offset = offset
        self.slot = slot
        self.resume = resume
        self.accepts = accepts
        self.owner = owner


class WaitingPulls:
    """The held requests of a broker."""

    def __init__(
        self, clock: Clock, held_max: int = HELD_MAX, held_by_one_max: int = HELD_BY_ONE_MAX
    ) -> None:
        self._clock = clock
        self._held_max = held_max
        self._held_by_one_max = held_by_one_max
        self._count = 0
        self._queues: dict[tuple[str, int], dict[_Held, None]] = {}
        self._owners: dict[Hashable, dict[_Held, None]] = {}
        self._slots: dict[int, dict[_Held, None]] = {}
        self._due: list[int] = []  # heap of the slots' numbers
        self._timer: Timer | None = None
        self._timer_slot = 0

    def __len__(self) -> int:
        return self._count

    def hold(
        self,
        topic: str,
        queue_id: int,
        offset: int,
        timeout_ms: int,
        resume: Resume,
        *,
        accepts: Accepts | None = None,
        owner: Hashable = None,
    ) -> None:
        """Hold a request that wants messages of a queue from ``offset`` on.

        ``accepts`` None: any message will do. ``owner``: the connection, see ``drop``.
        With ``timeout_ms`` of 0 or less, or too many held, ``resume`` is called at once.
        """
        held_by_owner = self._owners.get(owner, ())
        if (
            timeout_ms <= 0
            or self._count >= self._held_max
            or len(held_by_owner) >= self._held_by_one_max
        ):
            resume(Reason.EXPIRED)
            return
        timeout_ms = min(timeout_ms, HOLD_MS_MAX)
        slot = (self._clock.monotonic_ms() + timeout_ms) // SLOT_MS + 1
        key = (topic, queue_id)
        held = _Held(key, offset, slot, resume, accepts=accepts, owner=owner)
        self._count += 1
        try:
            self._queues[key][held] = None
        except KeyError:
            self._queues[key] = {held: None}
        try:
            self._slots[slot][held] = None
        except KeyError:
            self._open_slot(slot)[held] = None
        if owner is not None:
            try:
                self._owners[owner][held] = None
            except KeyError:
                self._owners[owner] = {held: None}

    def arrived(
        self,
        topic: str,
        queue_id: int,
        max_offset: int,
        tags_code: int | None = None,
        properties: bytes | None = None,
    ) -> None:
        """Resume whoever wants a message now in a queue whose end is ``max_offset``.

        ``max_offset`` is one more than the message's offset. Costs one look-up if nobody waits.
        Source: PullRequestHoldService.java, notifyMessageArriving(), 5.3.3.
        """
        waiting = self._queues.get((topic, queue_id))
        if waiting is None:
            return
        wanted = [
            held
            for held in waiting
            if held.offset < max_offset
            and (held.accepts is None or held.accepts(tags_code, properties))
        ]
        self._resume_all(wanted, Reason.ARRIVED)

    def is_waited_for(self, topic: str, queue_id: int) -> bool:
        """Whether anybody waits for a queue."""
        return (topic, queue_id) in self._queues

    def drop(self, owner: Hashable) -> None:
        """Resume all that a closed connection waits for."""
        self._resume_all(list(self._owners.get(owner, ())), Reason.CLOSED)

    def _open_slot(self, slot: int) -> dict[_Held, None]:
        self._slots[slot] = opened = dict[_Held, None]()
        heappush(self._due, slot)
        if self._timer is None or slot < self._timer_slot:
            self._set_timer()
        return opened

    def _set_timer(self) -> None:
        """Have ``_expire`` called when the first slot is due."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer_slot = self._due[0]
        wait_ms = self._timer_slot * SLOT_MS - self._clock.monotonic_ms()
        self._timer = self._clock.call_later(max(0, wait_ms), self._expire)

    def _expire(self) -> None:
        self._timer = None
        now_slot = self._clock.monotonic_ms() // SLOT_MS
        expired: list[_Held] = []
        while self._due and (self._due[0] <= now_slot or not self._slots[self._due[0]]):
            expired.extend(self._slots.pop(heappop(self._due)))
        if self._due:
            self._set_timer()
        self._resume_all(expired, Reason.EXPIRED)

    def _resume_all(self, wanted: list[_Held], reason: Reason) -> None:
        """Forget all first: who is resumed may hold again, and is then another."""
        for held in wanted:
            self._forget(held)
        for held in wanted:
            try:
                held.resume(reason)
            except Exception:
                logger.exception("event=resume_failed key=%s reason=%s", held.key, reason.name)

    def _forget(self, held: _Held) -> None:
        self._count -= 1
        waiting = self._queues[held.key]
        del waiting[held]
        if not waiting:
            del self._queues[held.key]
        slot = self._slots.get(held.slot)
        if slot is not None:  # None: the slot itself was taken to expire
            del slot[held]
        if held.owner is not None:
            owned = self._owners[held.owner]
            del owned[held]
            if not owned:
                del self._owners[held.owner]
