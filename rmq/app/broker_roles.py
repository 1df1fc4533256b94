"""The one place where a broker's role is changed: at the start, and while it runs.

A change is one turn of the reactor: nothing can come between its steps, and no second change. Only
telling the NameServers takes longer, and nobody waits for that but who wants to.

To master: what came from the old master ends with a whole record and is dispatched, replication
leads, puts are taken, what only masters do is begun, and the role says so. To slave: what only
masters do ends (it may still put), puts are refused, the role says so, upon which senders that wait
are refused, and replication follows. What is remembered of the log's content only in memory is
forgotten on the way, for another master may have written another end.

Source: BrokerController.java, changeSpecialServiceStatus(); ReplicasManager.java,
changeToMaster(), changeToSlave(); DLedgerRoleChangeHandler.java, 5.3.3.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from codec.headers.namesrv import RegisterBrokerResponseHeader
from rmq.base.errors import StoreError
from rmq.broker.role import MASTER_ID, Kind, Role, RoleHolder
from rmq.conf.startup import BrokerSettings
from rmq.replication.mode import Replication

log = logging.getLogger(__name__)


class SwitchedStore(Protocol):
    """What a store does for a change of role."""

    def follow(self, reason: str) -> None:
        """Refuse puts, for a reason that senders are told."""
        ...

    def lead(self) -> None:
        """Take puts."""
        ...

    def dispatch(self) -> int:
        """Give queues and readers all whole records that are new; how many they were.

        :raises StoreError: the disk failed.
        """
        ...

    def drop_torn_tail(self) -> int:
        """Cut what is no whole record at the log's end; where it ends.

        :raises StoreError: the disk failed.
        """
        ...


class MasterWork(Protocol):
    """What goes on by itself in a master, and only there."""

    def begin(self) -> None:
        """Begin; puts are taken, the log is what it is.

        :raises StoreError: what it keeps on disk cannot be read.
        """
        ...

    def stop(self) -> None:
        """End; puts are still taken."""
        ...


class Announcing(Protocol):
    """Tells NameServers."""

    def start(self) -> Deferred[int]:
        """Tell them, and go on doing so by time."""
        ...

    def register_all(self) -> Deferred[int]:
        """Tell them everything; fires when each has answered or failed."""
        ...


class Roles:
    """Leads and follows; a :class:`rmq.broker.role.Switch`.

    ``start`` first. Until then the holder has the role to begin with.
    """

    def __init__(
        self,
        holder: RoleHolder,
        store: SwitchedStore,
        replication: Replication,
        work: Sequence[MasterWork],
        announcing: Announcing,
        *,
        own_addresses: Iterable[str],
    ) -> None:
        """``work`` begins in this order, and ends in the reverse one.

        ``own_addresses``: ours, and that of our HA port; a master is never sought there.
        """
        self._holder = holder
        self._store = store
        self._replication = replication
        self._work = tuple(work)
        self._announcing = announcing
        self._own_addresses = frozenset(own_addresses)
        self._is_announced = False
        self._is_working = False
        self._learns = False
        self._is_isolated = False
        self._fixed_ha_address: str | None = None

    def start(self, *, learns: bool, announces: bool = True, isolated: bool = False) -> None:
        """Play the first role; the store is loaded.

        ``learns``: a slave goes where the NameServers say, but to the HA address that the role
        already has, if it has one. ``announces``: the NameServers are told at once; else not before
        the first change. ``isolated``: the NameServers are told nothing, and a master does nothing
        of itself, before ``come_on_line``.

        :raises StoreError: the store cannot do its part, or what a master works on cannot be read.
        """
        role = self._holder.now
        self._learns = learns
        self._is_isolated = isolated
        self._fixed_ha_address = role.master_ha_address
        if role.is_master:
            self._lead(role)
        else:
            self._follow(role)
        if announces:
            self._announce()

    def come_on_line(self) -> Deferred[None]:
        """End the isolation; fires when the NameServers have been told, or did not answer.

        :raises StoreError: what a master works on cannot be read; still isolated.
        """
        self._is_isolated = False
        if self._holder.now.is_master:
            try:
                self._begin_work()
            except StoreError:
                self._is_isolated = True
                self._end_work()
                raise
        return self._announce()

    def stop(self) -> None:
        """End what only masters do, with a last save; replication is stopped by its port."""
        self._learns = False
        self._end_work()

    def become_master(self, *, epoch: int, sync_master: bool = True) -> Deferred[None]:
        """See :class:`rmq.broker.role.Switch`."""
        now = self._holder.now
        if epoch < now.epoch or (now.is_master and epoch == now.epoch):
            log.info("role kept role=%s epoch=%d asked=%d", now.kind, now.epoch, epoch)
            return succeed(None)
        kind: Kind = "SYNC_MASTER" if sync_master else "ASYNC_MASTER"
        try:
            self._lead(Role(kind=kind, broker_id=MASTER_ID, epoch=epoch))
        except StoreError as error:
            log.error("cannot lead epoch=%d cause=%s", epoch, error)  # noqa: TRY400 - whoever asked is told, too
            failed: Deferred[None] = Deferred()
            failed.errback(error)
            return failed
        return self._announce()

    def become_slave(
        self,
        *,
        master_address: str | None,
        ha_address: str | None,
        epoch: int,
        broker_id: int,
    ) -> Deferred[None]:
        """See :class:`rmq.broker.role.Switch`."""
        assert broker_id > MASTER_ID, f"{broker_id=}"
        now = self._holder.now
        if epoch < now.epoch:
            log.info("role kept role=%s epoch=%d asked=%d", now.kind, now.epoch, epoch)
            return succeed(None)
        self._follow(
            Role(
                kind="SLAVE",
                broker_id=broker_id,
                epoch=epoch,
                master_address=master_address,
                master_ha_address=ha_address,
            )
        )
        if self._is_announced and not now.is_master and now.broker_id == broker_id:
            return succeed(None)
        return self._announce()

    def learned(self, answer: RegisterBrokerResponseHeader) -> None:
        """A NameServer has told us who the master is, or that it knows none.

        Then the last one known stays: another NameServer may know better.
        """
        now = self._holder.now
        if not self._learns or now.is_master:
            return
        role = replace(
            now,
            master_address=self._other(answer.master_addr) or now.master_address,
            master_ha_address=self._fixed_ha_address
            or self._other(answer.ha_server_addr)
            or now.master_ha_address,
        )
        if role != now:
            self._follow(role)

    def _other(self, address: str | None) -> str | None:
        """An address, unless it is empty or ours: a NameServer may remember our former life."""
        return None if not address or address in self._own_addresses else address

    def _lead(self, role: Role) -> None:
        """Become a master, all in one turn; nothing has changed if it fails.

        :raises StoreError: the log cannot be cut or dispatched, an epoch or a table not be saved.
        """
        before = self._holder.now
        end = self._store.drop_torn_tail()
        self._store.dispatch()
        self._replication.lead(role.epoch)
        try:
            self._store.dispatch()  # what only the new epoch lets be read
            self._store.lead()
            self._begin_work()
        except StoreError:
            self._end_work()
            self._store.follow("this broker failed to become a master, see its log")
            self._replication.follow(before.master_ha_address, before.epoch)
            raise
        self._holder.set(role)
        log.info("role=%s epoch=%d broker_id=%d end=%d", role.kind, role.epoch, role.broker_id, end)

    def _follow(self, role: Role) -> None:
        """Be a slave, or that of another master."""
        self._end_work()
        self._store.follow("this broker is a slave, messages are put to its master")
        self._holder.set(role)
        self._replication.follow(role.master_ha_address, role.epoch)
        log.info(
            "role=SLAVE epoch=%d broker_id=%d master=%s ha=%s",
            role.epoch,
            role.broker_id,
            role.master_address,
            role.master_ha_address,
        )

    def _begin_work(self) -> None:
        if not self._is_working and not self._is_isolated:
            self._is_working = True
            for work in self._work:
                work.begin()

    def _end_work(self) -> None:
        if self._is_working:
            self._is_working = False
            for work in reversed(self._work):
                work.stop()

    def _announce(self) -> Deferred[None]:
        """Tell the NameServers what we are; fires when all have answered or failed."""
        if self._is_isolated:
            return succeed(None)
        if self._is_announced:
            told = self._announcing.register_all()
        else:
            self._is_announced = True
            told = self._announcing.start()
        done: Deferred[None] = told.addCallback(lambda _: None)
        return done


def first_role(settings: BrokerSettings) -> Role:
    """What a broker is before anybody elects: what its configuration says.

    Under Controllers and in DLedger that is a slave of nobody.
    """
    broker, store = settings.broker, settings.store
    if broker.enableControllerMode or store.enableDLegerCommitLog:
        return Role(kind="SLAVE", broker_id=max(broker.brokerId, MASTER_ID + 1))
    if store.brokerRole == "SLAVE":
        return Role(
            kind="SLAVE",
            broker_id=broker.brokerId,
            master_ha_address=store.haMasterAddress or None,
        )
    kind: Kind = "SYNC_MASTER" if store.brokerRole == "SYNC_MASTER" else "ASYNC_MASTER"
    return Role(kind=kind, broker_id=MASTER_ID)
