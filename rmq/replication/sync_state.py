"""Who is in the SyncStateSet: the brokers of which the Controllers may make one the next master.

The set belongs to the Controllers; a master proposes changes. Until it knows what became of a
proposal, both may be true, so that what is *confirmed* must be in the logs of all *counted*: the
members as last told, those of each proposal since, and who is about to be proposed. The rules:

- members are unknown until told, and then nothing is confirmed; nor while we are not one of them;
- what is confirmed stays so in one reign: it only grows, and only while every counted broker is
  connected and has said how far it is;
- who has nearly all is *joining*: counted at once, and proposed when it has all that is confirmed,
  which waits for it from now on; if that takes longer than ``JOINING_MS``, it has to try again;
- a member is proposed out when it is not connected, or has not had all for ``late_ms``;
- telling has a number that grows with each change; what has a lower one is old.

So nobody can become a member without having all that was ever confirmed.

Source: AutoSwitchHAService.java, 5.3.3. On purpose different: Java counts a member that has not yet
said how far it is as one that has everything, and only the last of several proposals; takes a slave
that was sent everything, but answers nothing, for one that has it; and lets nobody join who is
never seen to have all, which under load may be nobody.
"""

import logging
from collections.abc import Mapping
from typing import Protocol

log = logging.getLogger(__name__)

UNKNOWN = -1
"""The number of a set that nobody has told yet."""


JOINING_MS = 1_000
"""How long what is confirmed may wait for one that joins."""


class Standing(Protocol):
    """A connected slave, as it matters here."""

    @property
    def has_reported(self) -> bool:
        """Whether it has said how far it is."""
        ...

    @property
    def acked(self) -> int:
        """All below is in its log."""
        ...

    @property
    def caught_up_ms(self) -> int:
        """When it last had all, on the growing clock."""
        ...

    @property
    def may_join(self) -> bool:
        """Whether it had nearly all at its last report, and all from before this reign."""
        ...


class SyncState:
    """The SyncStateSet as the broker ``own_id`` knows it while it leads."""

    def __init__(self, own_id: int, late_ms: int) -> None:
        """``late_ms`` is haMaxTimeSlaveNotCatchup."""
        self.own_id = own_id
        self._late_ms = late_ms
        self._proposed: frozenset[int] = frozenset()
        self._awaited: frozenset[int] | None = None
        self._takes_back = False
        self._joining: dict[int, int] = {}
        self.members: frozenset[int] = frozenset()
        """As last told; empty while unknown."""
        self.number = UNKNOWN
        """The epoch of the set, not of the master: it grows with each change of the set."""

    @property
    def counted(self) -> frozenset[int]:
        """Who may be a member now. Source: getSyncStateSet()."""
        return self.members | self._proposed | self._joining.keys()

    @property
    def is_alone(self) -> bool:
        """Whether we are for sure the only member."""
        return self.counted == {self.own_id}

    def tell(self, members: frozenset[int], number: int) -> bool:
        """The Controllers say who is in; whether that is news. Ends all proposals if it is.

        Source: setSyncStateSet().
        """
        if number < self.number or (number == self.number and members == self.members):
            return False
        log.info("SyncStateSet members=%s number=%d", sorted(members), number)
        self.members, self.number = members, number
        self._takes_back = self._awaited not in (None, members)
        self._proposed, self._awaited = frozenset(), None
        return True

    def refused(self) -> None:
        """The Controllers say that the last proposal, and all before, changed nothing."""
        self._proposed, self._awaited, self._takes_back = frozenset(), None, False

    def forget(self) -> None:
        """Nothing is known any more: another master leads."""
        self.members, self.number = frozenset(), UNKNOWN
        self._joining.clear()
        self.refused()

    def join(self, broker_id: int, now_ms: int) -> None:
        """Count a broker that has nearly all."""
        if broker_id not in self.counted:
            self._joining[broker_id] = now_ms

    def confirmed(self, slaves: Mapping[int, Standing], end: int, before: int) -> int:
        """All below is in the logs of all counted; ours ends at ``end``.

        ``before`` is what was confirmed in this reign already. Source: computeConfirmOffset().
        """
        if self.own_id not in self.members:
            return before
        lowest = end
        for member in self.counted:
            if member == self.own_id:
                continue
            slave = slaves.get(member)
            if slave is None or not slave.has_reported:
                return before
            lowest = min(lowest, slave.acked)
        return max(before, lowest)

    def review(
        self, slaves: Mapping[int, Standing], now_ms: int, needed: int, *, again: bool = False
    ) -> frozenset[int] | None:
        """The set to propose now; None if there is nothing to change, or all is proposed already.

        ``needed``: all below has to be in the log of whom we propose in: what is confirmed.
        With ``again`` also what was proposed, for it is not known what became of it. The members
        as they are take back a proposal that may not have been made yet, and that was not counted
        any more since others were told.
        Source: maybeShrinkSyncStateSet(), maybeExpandInSyncStateSet().
        """
        if self.own_id not in self.members:
            return None
        for broker_id, since_ms in list(self._joining.items()):
            slave = slaves.get(broker_id)
            if slave is None or now_ms - since_ms > JOINING_MS:
                del self._joining[broker_id]
        now_wanted = {self.own_id}
        for broker_id, slave in slaves.items():
            in_time = now_ms - slave.caught_up_ms <= self._late_ms
            if in_time and (
                broker_id in self.members or (slave.may_join and slave.acked >= needed)
            ):
                now_wanted.add(broker_id)
        wanted = frozenset(now_wanted)
        if wanted == self.members and self._proposed <= self.members and not self._takes_back:
            return None
        self._takes_back = False
        if wanted == self._awaited and not again:
            return None
        log.info(
            "SyncStateSet proposed=%s members=%s number=%d",
            sorted(wanted),
            sorted(self.members),
            self.number,
        )
        self._awaited = wanted
        self._proposed |= wanted
        for broker_id in wanted & self._joining.keys():
            del self._joining[broker_id]
        return wanted
