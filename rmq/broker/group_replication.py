"""Replication as a broker of a DLedger group sees it: the group does it, nobody comes for the log.

There is no HA port, though registrations name one. Source: DefaultMessageStore.java,
DefaultMessageStore(), 5.3.3.
"""

from collections.abc import Callable

from rmq.broker.group_role import GroupMember
from rmq.raft.messages import Role
from rmq.replication.mode import MasterState, SlaveConnection, SlaveState, Wire


class GroupReplication:
    """A :class:`rmq.replication.mode.Replication` that leaves all to a member."""

    def __init__(self, member: GroupMember) -> None:
        self._member = member

    def lead(self, epoch: int) -> None:
        """The member leads already."""

    def follow(self, ha_address: str | None, epoch: int) -> None:
        """The member follows already."""

    def stop(self) -> None:
        """The member stops by itself."""

    def accept(self, wire: Wire, address: str) -> SlaveConnection | None:  # noqa: ARG002 - of the mode
        """Serve nobody."""
        return None

    def appended(self, *_arrival: object) -> None:
        """The member knows."""

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Nobody acknowledges."""

    def acked_by(self, count: int) -> int:  # noqa: ARG002 - of the mode
        """Nothing: there are no slaves in this sense."""
        return 0

    @property
    def slaves(self) -> list[SlaveState]:
        """Nobody in this sense."""
        return []

    @property
    def master(self) -> MasterState | None:
        """The leader that the member follows; None while it leads."""
        member = self._member
        if member.role is Role.LEADER:
            return None
        return MasterState(
            address=None,
            rate=0,
            heard_ms=0,
            said_ms=0,
            is_connected=member.role is Role.FOLLOWER and member.leader_id is not None,
        )
