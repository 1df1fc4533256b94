"""Faults one after the other, some of them at once, and how soon the group serves again."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import clusters

from scripts.commandlib.waiting import until
from scripts.faultlib.attempts import longest_pause_s
from scripts.faultlib.injection import Injection
from scripts.faultlib.load import Producer, all_acked_since
from scripts.faultlib.menu import Fault, Menu
from scripts.faultlib.reading import master_of
from scripts.faultlib.register import Board

AGAIN_MAX_S = 60
"""From the repair until every producer got an answer again."""
WHOLE_MAX_S = 120
WHOLE_EACH = 10
"""After so many faults all members must get to have all."""
CALM_S = (0.1, 0.8)
OVERLAP_SHARE = 0.25
"""Of the faults, the share that another one joins."""


@dataclass(frozen=True, slots=True)
class Suffered:
    """A fault and what came of it; seconds."""

    fault: Fault
    at_s: float
    """Since the first one."""
    again_s: float
    """From the repair of all that was broken until every producer was answered again."""
    pause_s: float
    """The longest time meanwhile in which no producer was."""


@dataclass
class Storm:
    """A group under load, and what befalls it."""

    group: clusters.Group
    injection: Injection
    producers: Sequence[Producer]
    board: Board
    menu: Menu
    chance: random.Random
    say: Callable[[str], None]
    suffered: list[Suffered] = field(default_factory=list)

    def go(self, count: int, messages: int, seconds: float) -> None:
        """So many faults and as many more as so many messages take, unless the time is over.

        :raises TooLateError: the group does not serve again in time after a repair.
        :raises DiedError: a broker ended by itself.
        """
        self._began = time.monotonic()
        wholes = 0
        while len(self.suffered) < count or self._acknowledged() < messages:
            if time.monotonic() > self._began + seconds:
                self.say(f"{seconds / 60:g} minutes are over")
                return
            self._once(may_overlap=len(self.suffered) != count - 1)
            if len(self.suffered) // WHOLE_EACH > wholes:
                wholes = len(self.suffered) // WHOLE_EACH
                self.until_whole()

    def until_whole(self) -> None:
        """Until all members have all, while the load goes on."""
        until("all members to have all", self._is_whole, WHOLE_MAX_S)

    def _is_whole(self) -> bool:
        self.injection.must_live()
        try:
            return self.group.is_whole()
        except (OSError, ValueError, KeyError):
            return False

    def _acknowledged(self) -> int:
        return sum(one.attempts.acknowledged for one in self.producers)

    def _once(self, *, may_overlap: bool) -> None:
        began = time.monotonic()
        faults = [self._drawn()]
        self._begin(faults[0], began)
        first_end = began + faults[0].seconds
        if may_overlap and self.chance.random() < OVERLAP_SHARE:
            time.sleep(self.chance.random() * faults[0].seconds)
            second = self._drawn()
            if go_together(faults[0], second):
                faults.append(second)
                self._begin(second, time.monotonic())
            else:
                self.menu.put_back(second)
        second_end = time.monotonic() + faults[-1].seconds
        ends = sorted(zip((first_end, second_end), faults, strict=False), key=lambda one: one[0])
        for end, fault in ends:
            time.sleep(max(0.0, end - time.monotonic()))
            self.injection.end(fault)
        repaired = time.monotonic()
        until("the group to serve", lambda: self._serves(repaired), AGAIN_MAX_S)
        again = time.monotonic()
        attempts = [one.attempts for one in self.producers]
        pause_s = longest_pause_s(attempts, began, again)
        for fault in faults:
            one = Suffered(fault, began - self._began, again - repaired, pause_s)
            self.suffered.append(one)
        self.say(
            f"  served {again - repaired:.2f} s after the repair, {pause_s:.2f} s without an "
            f"answer; {self._acknowledged():,} acknowledged"
        )
        self.board.turn()
        time.sleep(self.chance.uniform(*CALM_S))

    def _serves(self, since: float) -> bool:
        self.injection.must_live()
        return all_acked_since(self.producers, since)

    def _drawn(self) -> Fault:
        master = master_of(self.group)
        number = None if master is None else self.group.brokers.index(master)
        return self.menu.next(len(self.group.brokers), number)

    def _begin(self, fault: Fault, now: float) -> None:
        self.say(f"{now - self._began:7.1f} s  {fault}")
        self.injection.begin(fault)


def go_together(one: Fault, other: Fault) -> bool:
    """Whether two faults may be there at once: not two of a family, nor one of a dead broker."""
    families = {fault.kind.partition("-")[0] for fault in (one, other)}
    return len(families) > 1 and (
        "kill" not in families or not set(one.victims) & set(other.victims)
    )
