"""What the clients of a soak saw: the facts that the broker is held to.

Each thread writes its own entries; the checker reads when all have ended.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise: which, and where."""

    rule: str
    where: str
    """Message key, or what else it is about."""
    topic: str = ""
    queue_id: int = -1
    offset: int = -1
    detail: str = ""

    def __str__(self) -> str:
        """One line for people."""
        place = f" topic={self.topic} queue={self.queue_id} offset={self.offset}"
        return f"{self.rule}: {self.where}{place if self.topic else ''} {self.detail}".rstrip()


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as read at the end."""

    key: str
    queue_id: int
    offset: int
    store_ms: int
    reconsume_times: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """A client had a queue's lock, surely, between two monotonic times of one broker process."""

    queue_id: int
    client: str
    life: int
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where a consumer was told to go on after it had connected anew."""

    group: str
    topic: str
    queue_id: int
    offset: int
    saved_min: int
    """The highest offset acknowledged so long before that it must have been saved."""
    asked_max: int
    """The highest offset that was ever committed."""


Sight = dict[tuple[int, int], str]
"""(queue, offset) to the key that a consumer saw there."""


@dataclass
class Ledger:
    """All facts of one soak; ``kills_ms`` are wall times."""

    acknowledged: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Topic to numbers; of transactions those whose half message was acknowledged."""
    sent: Counter[str] = field(default_factory=Counter)
    """Topic to how many were sent: numbers below may exist."""
    refused: Counter[tuple[str, int]] = field(default_factory=Counter)
    """(topic, response code) of sends that were refused."""
    seen: dict[tuple[str, str], Sight] = field(default_factory=lambda: defaultdict(dict))
    """(group, topic) to what its consumer saw."""
    reached: dict[tuple[str, str], dict[int, int]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """(group, topic) to queue to the offset that its consumer reached."""
    sent_back: set[tuple[str, int]] = field(default_factory=set)
    """(key, reconsumeTimes) of the attempts."""
    sent_back_surely: set[tuple[str, int]] = field(default_factory=set)
    """Those of them that were acknowledged."""
    leases: list[Lease] = field(default_factory=list)
    resumed: list[Resumed] = field(default_factory=list)
    checks_answered: int = 0
    kills_ms: list[int] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    """What clients found broken at once."""

    def sight(self, group: str, topic: str, place: tuple[int, int], key: str) -> None:
        """Note what a consumer saw; the same place must show the same message again."""
        before = self.seen[group, topic].setdefault(place, key)
        if before != key:
            self.violations.append(Violation("changed", key, topic, *place, f"it was {before}"))
