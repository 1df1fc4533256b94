from collections.abc import Callable

import pytest

from rmq.base.manual import ManualClock
from rmq.broker.controlled.acks import SetAcks, SetReplicas
from rmq.store.messages import PutStatus

TIMEOUT_MS = 3_000


class Set:
    """A SyncStateSet, and slaves of which some may be quicker."""

    def __init__(self) -> None:
        self.confirm_position = 0
        self.acked = 0
        self.confirm_listeners: list[Callable[[], None]] = []
        self.ack_listeners: list[Callable[[], None]] = []

    def acked_by(self, count: int) -> int:
        """All below is at so many slaves."""
        assert count == 1
        return self.acked

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have it called when a slave has more."""
        self.ack_listeners.append(listener)

    def on_confirm(self, listener: Callable[[], None]) -> None:
        """Have it called when more is confirmed."""
        self.confirm_listeners.append(listener)

    def move(self, *, acked: int | None = None, confirmed: int | None = None) -> None:
        """Slaves get more."""
        if acked is not None:
            self.acked = acked
            for listener in self.ack_listeners:
                listener()
        if confirmed is not None:
            self.confirm_position = confirmed
            for listener in self.confirm_listeners:
                listener()


def scene(*, all_ack: bool) -> tuple[ManualClock, Set, SetReplicas]:
    clock, members = ManualClock(), Set()
    acks = SetAcks(members, all_ack=all_ack)
    return clock, members, SetReplicas(acks, clock, count=1, timeout_ms=TIMEOUT_MS)


@pytest.mark.parametrize("all_ack", [True, False])
def test_a_put_is_acknowledged_when_the_whole_set_has_it(all_ack: bool) -> None:
    _, members, replicas = scene(all_ack=all_ack)
    answers: list[PutStatus] = []
    replicas.replicated(100).addCallback(answers.append)

    members.move(acked=100)
    assert answers == []
    members.move(confirmed=100)

    assert answers == [PutStatus.PUT_OK]


def test_a_set_of_ourselves_alone_is_enough_where_the_set_is_promised() -> None:
    _, members, replicas = scene(all_ack=True)
    members.confirm_position = 100
    answers: list[PutStatus] = []

    replicas.replicated(100).addCallback(answers.append)

    assert answers == [PutStatus.PUT_OK]


def test_a_set_of_ourselves_alone_is_not_enough_where_other_brokers_are_promised() -> None:
    clock, members, replicas = scene(all_ack=False)
    members.confirm_position = 100
    answers: list[PutStatus] = []

    replicas.replicated(100).addCallback(answers.append)
    clock.advance(TIMEOUT_MS)

    assert answers == [PutStatus.FLUSH_SLAVE_TIMEOUT]


def test_a_master_whose_set_does_not_shrink_acknowledges_nothing_more() -> None:
    clock, members, replicas = scene(all_ack=True)
    members.move(acked=100, confirmed=100)
    answers: list[PutStatus] = []

    for end in (200, 300, 400):  # its slaves are gone, its Controllers too
        replicas.replicated(end).addCallback(answers.append)
        clock.advance(TIMEOUT_MS)

    assert answers == [PutStatus.FLUSH_SLAVE_TIMEOUT] * 3
