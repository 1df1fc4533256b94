"""Which role a broker plays now, and who may change it.

A broker is master (ASYNC_MASTER or SYNC_MASTER: brokerId 0) or SLAVE (brokerId 1 or more). Classic
mode decides that once, by brokerRole; Controllers and DLedger decide it again and again. Whoever
behaves differently as master and as slave asks the holder when it matters, or is told of a change;
nobody asks the configuration. Everything runs on the reactor's thread, so that between two events a
role is a fact: it never changes under a function's feet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from twisted.internet.defer import Deferred

Kind: TypeAlias = Literal["ASYNC_MASTER", "SYNC_MASTER", "SLAVE"]
"""As brokerRole says it. Source: BrokerRole.java, 5.3.3."""

MASTER_ID = 0
"""The brokerId of every master. Source: MixAll.java, MASTER_ID, 5.3.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a broker is at one time.

    ``is_master == (kind != "SLAVE")``. ``broker_id`` is 0 for masters, except an acting one.
    ``epoch`` counts a group's masters in controller mode and DLedger, 0 in classic mode. The two
    addresses, host:port, are those of a slave's master: where requests go, and where the log comes
    from; None where they are not known, and for masters.
    """

    kind: Kind
    broker_id: int
    epoch: int = 0
    master_address: str | None = None
    master_ha_address: str | None = None

    @property
    def is_master(self) -> bool:
        """Whether puts are taken here."""
        return self.kind != "SLAVE"


RoleListener: TypeAlias = Callable[[Role, Role], None]
"""Told of the role before and after a change."""


class RoleHolder:
    """The role of now: anybody may read it, only ``rmq.app.broker_roles`` sets it."""

    __slots__ = ("_listeners", "_now")

    def __init__(self, role: Role) -> None:
        self._now = role
        self._listeners: list[RoleListener] = []

    @property
    def now(self) -> Role:
        """The role of now; another object after a change, the same until then."""
        return self._now

    def set(self, role: Role) -> None:
        """Change the role, then tell the listeners, in the order they came; nothing if equal."""
        before, self._now = self._now, role
        if before != role:
            for listener in self._listeners:
                listener(before, role)

    def on_change(self, listener: RoleListener) -> None:
        """Have ``listener`` told of every change, when the holder has the new role already."""
        self._listeners.append(listener)


class Switch(Protocol):
    """Changes the role of a running broker. ``rmq.app.broker_roles.Roles`` is the one.

    Changes do not overlap: one that is asked for while another is under way begins when that is
    over. An epoch lower than the present one is stale: nothing happens.
    """

    def become_master(self, *, epoch: int, sync_master: bool = True) -> Deferred[None]:
        """Lead from now on; fires when this broker serves as master.

        That is: no master is followed any more, the log ends with a whole record and is dispatched,
        puts are taken, slaves are served, schedule and transaction checks run, and the NameServers
        have been told (or did not answer). For a master whose ``epoch`` is the present one nothing
        happens. Fails with StoreError when the log cannot be cut or dispatched: the broker is then
        what it was before, but takes no puts.
        """
        ...

    def become_slave(
        self,
        *,
        master_address: str | None,
        ha_address: str | None,
        epoch: int,
        broker_id: int,
    ) -> Deferred[None]:
        """Follow a master from now on; fires when puts are refused here and it is being followed.

        Who still waits for an acknowledgement is refused; schedule and checks have stopped; the
        NameServers have been told (or did not answer). ``broker_id`` is 1 or more; addresses are
        None while nobody knows them: call again when they are known. A slave of the same master
        with the same ``epoch`` only takes over what else is new.
        """
        ...
