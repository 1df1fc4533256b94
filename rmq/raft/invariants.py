"""What must be true of a group after every event, as objects that remember and check.

A simulator builds ``Invariants()``, calls ``check`` with all members (also those that are down)
after each event, ``applied`` for each entry a member applies. They read members only. A check
costs a few operations for each member and each entry that is new, never the length of a log.

The disk must be honest: what a driver was told to make durable survives. With a driver as lax as
Java's, ``CommittedNeverLost`` may fail by loss of power, and rightly so.
"""

from collections.abc import Sequence
from typing import Protocol

from rmq.raft.messages import NO_INDEX, Entry, Role
from rmq.raft.ready import HardState


class Records(Protocol):
    """The part of ``rmq.raft.log.Log`` that is looked at."""

    @property
    def begin_index(self) -> int:
        """Index of the first entry, -1 if empty."""
        ...

    @property
    def end_index(self) -> int:
        """Index of the last entry, -1 if empty."""
        ...

    def entry(self, index: int) -> Entry | None:
        """The entry, or None if the log does not hold it."""
        ...


class Seen(Protocol):
    """A member as an invariant sees it."""

    @property
    def self_id(self) -> str:
        """Who it is."""
        ...

    @property
    def starts(self) -> int:
        """How often it was started."""
        ...

    @property
    def role(self) -> Role:
        """What it is; UNKNOWN while it is down."""
        ...

    @property
    def term(self) -> int:
        """Its term, in memory."""
        ...

    @property
    def persisted(self) -> HardState:
        """What is on its disk."""
        ...

    @property
    def log(self) -> Records:
        """Its log; while it is down, what is on its disk."""
        ...

    @property
    def committed_index(self) -> int:
        """What it knows to be committed; -1 while it is down."""
        ...


class BrokenInvariantError(AssertionError):
    """The group is wrong; the text says which rule, who, and what was expected."""


class Invariant:
    """One rule. Its name is its class's."""

    def check(self, members: Sequence[Seen]) -> None:
        """Look at all members.

        :raises BrokenInvariantError: the rule is broken.
        """
        raise NotImplementedError

    def require(self, truth: bool, why: str) -> None:
        """Complain unless it is true."""
        if not truth:
            raise BrokenInvariantError(f"{type(self).__name__}: {why}")


class OneLeaderPerTerm(Invariant):
    """No term has two leaders, ever."""

    def __init__(self) -> None:
        self._leaders: dict[int, str] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Look at who leads."""
        for one in members:
            if one.role is Role.LEADER:
                known = self._leaders.setdefault(one.term, one.self_id)
                self.require(
                    known == one.self_id, f"term {one.term} has leaders {known} and {one.self_id}"
                )


class TermMonotonic(Invariant):
    """A member's persisted term never shrinks, and its term is never below it."""

    def __init__(self) -> None:
        self._terms: dict[str, int] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Look at terms."""
        for one in members:
            term, before = one.persisted.term, self._terms.get(one.self_id, 0)
            self.require(term >= before, f"{one.self_id} went from term {before} to {term}")
            self._terms[one.self_id] = term
            if one.role is not Role.UNKNOWN:
                self.require(one.term >= term, f"{one.self_id} is in {one.term}, persisted {term}")


class VoteOncePerTerm(Invariant):
    """A member's persisted vote does not change in a term."""

    def __init__(self) -> None:
        self._votes: dict[tuple[str, int], str] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Look at votes."""
        for one in members:
            term, vote = one.persisted.term, one.persisted.voted_for
            known = self._votes.get((one.self_id, term))
            if vote is not None and known is None:
                self._votes[one.self_id, term] = vote
            else:
                self.require(
                    vote == known, f"{one.self_id} voted for {known}, now {vote}, in term {term}"
                )


class LogMatching(Invariant):
    """Two entries of one index and term are equal, and what stands before them is too."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Entry, int | None]] = {}
        self._checked: dict[str, dict[int, int]] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Look at each log from its end back to where it was looked at before."""
        for one in members:
            self._check_log(one, self._checked.setdefault(one.self_id, {}))

    def _check_log(self, one: Seen, checked: dict[int, int]) -> None:
        log = one.log
        begin_index, index = log.begin_index, log.end_index
        entry = log.entry(index)
        while entry is not None:
            before = log.entry(index - 1) if index > begin_index else None
            term_before = before.term if before is not None else None
            known, known_before = self._known.setdefault((index, entry.term), (entry, term_before))
            self.require(known == entry, f"{one.self_id} holds {entry}, another {known}")
            if known_before is None:
                self._known[index, entry.term] = entry, term_before
            elif term_before is not None:
                self.require(
                    known_before == term_before,
                    f"{one.self_id} has term {term_before} before {entry}, another {known_before}",
                )
            if checked.get(index) == entry.term:
                return
            checked[index] = entry.term
            entry, index = before, index - 1


class LeaderAppendOnly(Invariant):
    """A leader's log only grows in its term."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, int], int] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Look at leaders' ends."""
        for one in members:
            if one.role is Role.LEADER:
                key, end_index = (one.self_id, one.term), one.log.end_index
                before = self._ends.get(key, NO_INDEX)
                self.require(end_index >= before, f"leader {key} shrank {before} to {end_index}")
                self._ends[key] = end_index


class Committed(Invariant):
    """What one member says is committed, every member that says so holds equal.

    The others ask it what is committed: ``entries`` by index, and ``ends``: by the term of who
    said so first, the last index.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.end_index = NO_INDEX
        self.ends: dict[int, int] = {}
        self._seen: dict[tuple[str, int], int] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Look at entries newly committed."""
        for one in members:
            committed_index, log = one.committed_index, one.log
            self.require(
                committed_index <= log.end_index,
                f"{one.self_id} committed {committed_index}, its log ends at {log.end_index}",
            )
            key = one.self_id, one.starts
            first_index = max(self._seen.get(key, NO_INDEX) + 1, log.begin_index, 0)
            for index in range(first_index, committed_index + 1):
                self._add(one, index, log.entry(index))
            self._seen[key] = max(committed_index, first_index - 1)

    def _add(self, one: Seen, index: int, entry: Entry | None) -> None:
        known = self.entries.get(index)
        if known is None and entry is not None:
            self.entries[index] = entry
            self.end_index = max(self.end_index, index)
            self.ends[one.term] = max(self.ends.get(one.term, NO_INDEX), index)
        else:
            self.require(known == entry, f"{one.self_id} committed {entry}, others {known}")


class LeaderCompleteness(Invariant):
    """Who leads a term holds all that was committed in earlier terms."""

    def __init__(self, committed: Committed) -> None:
        self._committed = committed

    def check(self, members: Sequence[Seen]) -> None:
        """Look at leaders' logs."""
        ends = self._committed.ends
        for one in members:
            if one.role is not Role.LEADER:
                continue
            index = max((end for term, end in ends.items() if term < one.term), default=NO_INDEX)
            if index >= max(one.log.begin_index, 0):
                want, have = self._committed.entries[index], one.log.entry(index)
                self.require(
                    want == have,
                    f"{one.self_id} leads term {one.term} with {have}, committed was {want}",
                )


class CommittedNeverLost(Invariant):
    """The last committed entry is in a majority's logs, on disk if they are down."""

    def __init__(self, committed: Committed) -> None:
        self._committed = committed

    def check(self, members: Sequence[Seen]) -> None:
        """Count who holds it; a log that begins later has held it."""
        index = self._committed.end_index
        if index == NO_INDEX:
            return
        want = self._committed.entries[index]
        holders = [
            one.self_id
            for one in members
            if one.log.begin_index > index or one.log.entry(index) == want
        ]
        self.require(len(holders) > len(members) // 2, f"{want} is held only by {holders}")


class CommitMonotonic(Invariant):
    """A committed index never shrinks while a member lives, unless its log begins anew."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, int], tuple[int, int]] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Look at committed indexes."""
        for one in members:
            if one.role is Role.UNKNOWN:
                continue
            key, now = (one.self_id, one.starts), (one.committed_index, one.log.begin_index)
            before = self._before.get(key, now)
            self.require(
                now[0] >= before[0] or now[1] > before[0],
                f"{one.self_id} went from {before[0]} to {now[0]} committed",
            )
            self._before[key] = now


class AppliedInOrder(Invariant):
    """Members apply committed entries, each once in a life, in order; all apply the same."""

    def __init__(self, committed: Committed) -> None:
        self._committed = committed
        self._last: dict[tuple[str, int], int] = {}

    def check(self, members: Sequence[Seen]) -> None:
        """Nothing: entries are told by ``applied``."""

    def applied(self, one: Seen, entry: Entry) -> None:
        """Take note of an entry applied.

        :raises BrokenInvariantError: it was not its turn, or it is not what was committed.
        """
        key = one.self_id, one.starts
        due = max(self._last.get(key, NO_INDEX) + 1, one.log.begin_index)
        self.require(entry.index == due, f"{one.self_id} applies {entry.index}, due is {due}")
        self._last[key] = due
        known = self._committed.entries.get(due)
        self.require(known in (None, entry), f"{one.self_id} applies {entry}, committed is {known}")


class Invariants:
    """All of them."""

    def __init__(self) -> None:
        committed = Committed()
        self._in_order = AppliedInOrder(committed)
        self.all: tuple[Invariant, ...] = (
            OneLeaderPerTerm(),
            TermMonotonic(),
            VoteOncePerTerm(),
            LogMatching(),
            LeaderAppendOnly(),
            committed,
            LeaderCompleteness(committed),
            CommittedNeverLost(committed),
            CommitMonotonic(),
            self._in_order,
        )

    def check(self, members: Sequence[Seen]) -> None:
        """Check all rules.

        :raises BrokenInvariantError: one is broken.
        """
        for one in self.all:
            one.check(members)

    def applied(self, member: Seen, entry: Entry) -> None:
        """Take note of an entry applied.

        :raises BrokenInvariantError: it was not its turn, or it is not what was committed.
        """
        self._in_order.applied(member, entry)
