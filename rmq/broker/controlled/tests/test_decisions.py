from twisted.internet.defer import Deferred, fail, succeed

from rmq.base.errors import CallError, StoreError
from rmq.base.manual import ManualClock
from rmq.broker.controlled.decisions import RETRY_MS, Decisions
from rmq.broker.controlled.requests import Verdict
from rmq.broker.role import Role, RoleHolder

ALONE = frozenset((1,))
BOTH = frozenset((1, 2))


class Scene:
    """Decisions of broker 1, with everything around them in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.role = RoleHolder(Role(kind="SLAVE", broker_id=1))
        self.told: list[tuple[frozenset[int], int]] = []
        self.changes: list[str] = []
        self.asked: list[tuple[str, Deferred[str | None]]] = []
        self.failures: list[Exception] = []
        self.decisions = Decisions(self.clock, self.role, self, self, self.ha_address)
        self.decisions.know_as(1)

    def set_sync_state(self, members: frozenset[int], number: int) -> None:
        """Replication is told."""
        self.told.append((members, number))

    def ha_address(self, address: str) -> Deferred[str | None]:
        """A master is asked."""
        self.asked.append((address, Deferred()))
        return self.asked[-1][1]

    def become_master(self, *, epoch: int, sync_master: bool = True) -> Deferred[None]:
        """Lead, unless failures are owed."""
        assert sync_master
        self.changes.append(f"master {epoch}")
        if self.failures:
            return fail(self.failures.pop())
        self.role.set(Role(kind="SYNC_MASTER", broker_id=0, epoch=epoch))
        return succeed(None)

    def become_slave(
        self, *, master_address: str | None, ha_address: str | None, epoch: int, broker_id: int
    ) -> Deferred[None]:
        """Follow, unless failures are owed."""
        self.changes.append(f"slave {epoch} of {master_address} by {ha_address}")
        if self.failures:
            return fail(self.failures.pop())
        self.role.set(
            Role(
                kind="SLAVE",
                broker_id=broker_id,
                epoch=epoch,
                master_address=master_address,
                master_ha_address=ha_address,
            )
        )
        return succeed(None)


def ours(epoch: int, members: frozenset[int] = ALONE, number: int = 1) -> Verdict:
    return Verdict(
        master_id=1, master_address="h:1", epoch=epoch, in_sync=members, in_sync_epoch=number
    )


def theirs(epoch: int, address: str = "h:2", number: int = 1) -> Verdict:
    return Verdict(
        master_id=2, master_address=address, epoch=epoch, in_sync=BOTH, in_sync_epoch=number
    )


def test_who_is_named_leads_and_is_told_its_replicas() -> None:
    scene = Scene()

    scene.decisions.learn(ours(3))

    assert scene.told == [(ALONE, 1)]
    assert scene.changes == ["master 3"]
    assert scene.decisions.is_leading
    assert scene.decisions.verdict == ours(3)


def test_who_is_not_named_refuses_puts_first_and_then_asks_for_the_log() -> None:
    scene = Scene()

    scene.decisions.learn(theirs(3))
    assert scene.changes == ["slave 3 of h:2 by None"]
    address, answer = scene.asked.pop()
    answer.callback("h:3")

    assert address == "h:2"
    assert scene.changes[1:] == ["slave 3 of h:2 by h:3"]
    assert scene.told == []
    assert not scene.decisions.is_leading


def test_lower_and_equal_epochs_are_old_news() -> None:
    scene = Scene()
    scene.decisions.learn(ours(3, number=5))

    scene.decisions.learn(theirs(2))
    scene.decisions.learn(theirs(3, number=9))
    scene.decisions.learn(ours(3, BOTH, number=5))

    assert scene.changes == ["master 3"]
    assert scene.told == [(ALONE, 5)]


def test_a_verdict_without_a_master_or_before_we_have_an_id_is_ignored() -> None:
    scene = Scene()
    scene.decisions.learn(Verdict(epoch=9))
    scene.decisions.own_id = None

    scene.decisions.learn(ours(3))

    assert scene.changes == []
    assert not scene.decisions.is_leading


def test_a_newer_set_of_the_same_master_is_told_to_the_master_s_replication() -> None:
    scene = Scene()
    scene.decisions.learn(ours(3))

    scene.decisions.learn(ours(3, BOTH, number=2))

    assert scene.told == [(ALONE, 1), (BOTH, 2)]
    assert scene.changes == ["master 3"]


def test_a_slave_keeps_the_newer_set_to_itself() -> None:
    scene = Scene()
    scene.decisions.learn(theirs(3))

    scene.decisions.learn(theirs(3, number=2))

    assert scene.told == []
    assert scene.decisions.verdict.in_sync_epoch == 2
    assert scene.changes == ["slave 3 of h:2 by None"]


def test_a_master_that_moved_is_followed_to_its_new_address() -> None:
    scene = Scene()
    scene.decisions.learn(theirs(3))

    scene.decisions.learn(theirs(3, "h:9"))
    (_, late), (_, answer) = scene.asked
    late.callback("h:3")
    answer.callback("h:10")

    assert scene.changes[1:] == ["slave 3 of h:9 by None", "slave 3 of h:9 by h:10"]


def test_our_own_address_is_no_news() -> None:
    scene = Scene()
    scene.decisions.learn(ours(3))

    scene.decisions.learn(
        Verdict(master_id=1, master_address="other:1", epoch=3, in_sync=ALONE, in_sync_epoch=1)
    )

    assert scene.changes == ["master 3"]


def test_a_change_that_fails_is_tried_again() -> None:
    scene = Scene()
    scene.failures = [StoreError("full")]
    scene.decisions.learn(ours(3))
    assert not scene.decisions.is_leading

    scene.clock.advance(RETRY_MS)

    assert scene.changes == ["master 3", "master 3"]
    assert scene.decisions.is_leading


def test_a_newer_verdict_ends_the_trying() -> None:
    scene = Scene()
    scene.failures = [StoreError("full")]
    scene.decisions.learn(ours(3))

    scene.decisions.learn(theirs(4))
    scene.asked[0][1].callback("h:3")
    scene.clock.advance(10 * RETRY_MS)

    assert scene.changes == ["master 3", "slave 4 of h:2 by None", "slave 4 of h:2 by h:3"]


def test_a_master_that_does_not_lead_yet_is_asked_again_without_another_change() -> None:
    scene = Scene()
    scene.decisions.learn(theirs(3))

    scene.asked[0][1].callback(None)
    scene.clock.advance(RETRY_MS)
    scene.asked[1][1].errback(CallError("gone"))
    scene.clock.advance(RETRY_MS)
    scene.asked[2][1].callback("h:3")

    assert scene.changes == ["slave 3 of h:2 by None", "slave 3 of h:2 by h:3"]


def test_a_late_failure_of_an_old_verdict_changes_nothing() -> None:
    scene = Scene()
    scene.decisions.learn(theirs(3))
    scene.decisions.learn(ours(4))

    scene.asked[0][1].errback(CallError("gone"))
    scene.clock.advance(10 * RETRY_MS)

    assert scene.changes == ["slave 3 of h:2 by None", "master 4"]
    assert scene.clock.owed == 0


def test_a_slave_whose_change_fails_tries_again_once() -> None:
    scene = Scene()
    scene.failures = [StoreError("full")]
    scene.decisions.learn(theirs(3))
    scene.asked[0][1].errback(CallError("gone"))

    assert scene.clock.owed == 1
    scene.clock.advance(RETRY_MS)

    assert scene.changes == ["slave 3 of h:2 by None", "slave 3 of h:2 by None"]


def test_an_old_master_steps_down_and_leads_again() -> None:
    scene = Scene()

    scene.decisions.learn(ours(1))
    scene.decisions.learn(theirs(2))
    scene.decisions.learn(ours(3))

    assert scene.changes == ["master 1", "slave 2 of h:2 by None", "master 3"]


def test_after_the_end_nothing_changes() -> None:
    scene = Scene()
    scene.failures = [StoreError("full")]
    scene.decisions.learn(ours(3))

    scene.decisions.stop()
    scene.decisions.learn(ours(4))
    scene.clock.advance(10 * RETRY_MS)

    assert scene.changes == ["master 3"]


def test_known_by_the_same_id_again_everything_stays() -> None:
    scene = Scene()
    scene.decisions.learn(ours(3))

    scene.decisions.know_as(1)

    assert scene.decisions.is_leading


def test_known_by_another_id_what_was_decided_is_void() -> None:
    scene = Scene()
    scene.decisions.learn(ours(3))
    scene.failures = [StoreError("full")]

    scene.decisions.know_as(7)
    scene.clock.advance(10 * RETRY_MS)

    assert scene.changes == ["master 3", "slave 3 of None by None"]
    assert scene.decisions.verdict == Verdict()
    assert scene.clock.owed == 0
