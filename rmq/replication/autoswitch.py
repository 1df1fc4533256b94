"""AutoSwitch replication as a whole: a broker under Controllers leads or follows, epoch by epoch.

Leading, it serves slaves, knows which of them are in the SyncStateSet, and proposes changes of it.
Following, it serves nobody: who connects to a master that is none any more is to find that out.

Who speaks to the Controllers tells ``broker_id`` before all else, then, in any order, roles by
``lead`` and ``follow``, and the SyncStateSet by ``set_sync_state``; and hears by
``on_sync_state_change`` what to propose to them (ALTER_SYNC_STATE_SET). What becomes of a proposal
comes back by ``set_sync_state``, or by ``sync_state_refused``; until then the proposal counts.

Source: AutoSwitchHAService.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from codec.disk.epoch import EpochStart
from codec.ha.autoswitch import Greeting
from rmq.base.errors import StoreError
from rmq.base.ports import Clock
from rmq.replication.autoswitch_master import (
    AutoSwitchMaster,
    AutoSwitchSettings,
    ConfirmedLog,
    Proposal,
)
from rmq.replication.autoswitch_slave import AutoSwitchSlave, SwitchingLog
from rmq.replication.connecting import Connecting, Dial
from rmq.replication.epochs import Epochs
from rmq.replication.mode import MasterState, SlaveConnection, SlaveState, Wire
from rmq.replication.sync_state import SyncState

log = logging.getLogger(__name__)

NOBODY = -1
"""The id of a broker that no Controller has given one yet."""


class AutoSwitchLog(ConfirmedLog, SwitchingLog, Protocol):
    """What is replicated, and where it goes."""


class AutoSwitch:
    """The :class:`rmq.replication.mode.Replication` of controller mode."""

    def __init__(
        self,
        source: AutoSwitchLog,
        epochs: Epochs,
        dial: Dial,
        clock: Clock,
        settings: AutoSwitchSettings,
    ) -> None:
        """``source`` and ``epochs`` are loaded before anything is asked of this."""
        self._log = source
        self._epochs = epochs
        self._settings = settings
        self._state = SyncState(NOBODY, settings.late_ms)
        self._master = AutoSwitchMaster(source, epochs, self._state, clock, settings)
        self._slave = AutoSwitchSlave(source, epochs, clock, settings.ha, self._greeting)
        self._connecting = Connecting(dial, self._slave, clock)
        self._is_leading = self._is_following = False
        self.appended = self._master.appended
        """See :class:`rmq.replication.mode.Replication`; a shortcut, as each put calls it. Also to
        be the store's ``on_append``: puts are no arrivals while slaves have to confirm them."""

    @property
    def broker_id(self) -> int:
        """Who we are in our group, for the Controllers: 1 or more, also of a master."""
        return self._state.own_id

    @broker_id.setter
    def broker_id(self, broker_id: int) -> None:
        assert not self._is_leading, "identity comes before any reign"
        self._state.own_id = broker_id

    def lead(self, epoch: int) -> None:
        """Follow nobody, and serve slaves; ``epoch`` begins where the log ends.

        Slaves of a master that goes on with a new epoch stay, and it is not noted unless the one
        before wrote something: Java's slaves would not note it either. A master that comes back in
        its old one goes on with that.
        Source: changeToMaster(), changeToMasterWhenLastRoleIsMaster().

        :raises StoreError: a later epoch has been here, or the epoch cannot be saved: nothing has
            changed; or what is confirmed cannot be dispatched.
        """
        assert self.broker_id != NOBODY, "identity comes before any reign"
        epochs = self._epochs
        if epoch < epochs.last_epoch:
            raise StoreError(f"epoch {epoch} is over, {epochs.last_epoch} has begun")
        end = self._log.written_position
        last = epochs.last
        if self._is_leading:
            if last is not None and last.start_position < end:
                epochs.append(epoch, end)
            return
        epochs.cut(end + 1)
        goes_on = epochs.last_epoch == epoch
        if not goes_on:
            epochs.append(epoch, end)
        self._is_leading, self._is_following = True, False
        self._connecting.connect_to(None)
        confirmed = max(0, min(self._log.confirmed_position, end))
        self._master.lead(confirmed, end if goes_on else None)

    def follow(self, ha_address: str | None, epoch: int) -> None:
        """Have the log from there. Source: changeToSlave(), changeToSlaveWhenMasterNotChange()."""
        assert self.broker_id != NOBODY or ha_address is None, "identity comes before any master"
        if epoch < self._epochs.last_epoch:
            log.warning("following epoch=%d, have seen %d", epoch, self._epochs.last_epoch)
        if not self._is_following:
            self._master.stop()
            self._log.limit_dispatch(self._log.confirmed_position)
            self._is_leading, self._is_following = False, True
        self._connecting.connect_to(ha_address)

    def stop(self) -> None:
        """Drop everybody."""
        self._is_leading = self._is_following = False
        self._connecting.connect_to(None)
        self._master.stop()

    def accept(self, wire: Wire, address: str) -> SlaveConnection | None:
        """Serve a slave; None unless leading."""
        return self._master.accept(wire, address)

    def on_ack(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when a slave has more."""
        self._master.on_ack(listener)

    def acked_by(self, count: int) -> int:
        """All below is in the logs of at least ``count`` (1 or more) slaves, without learners."""
        return self._master.acked_by(count)

    @property
    def slaves(self) -> list[SlaveState]:
        """Those that are connected."""
        return self._master.slaves

    @property
    def master(self) -> MasterState | None:
        """Whom we follow."""
        return self._slave.state(self._connecting.address) if self._is_following else None

    @property
    def confirm_position(self) -> int:
        """All below may be read: it is in the logs of the whole SyncStateSet."""
        return self._master.confirm_position if self._is_leading else self._log.confirmed_position

    def on_confirm(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called when more is confirmed, while leading and waiting for slaves."""
        self._master.on_confirm(listener)

    @property
    def sync_state_set(self) -> frozenset[int]:
        """The members as the Controllers last said; empty while unknown, and while following."""
        return self._state.members

    @property
    def in_sync_count(self) -> int:
        """How many brokers are in the SyncStateSet, or may be by what is proposed.

        Source: inSyncReplicasNums().
        """
        return len(self._state.counted)

    @property
    def sync_state_number(self) -> int:
        """Its epoch, to be told with a proposal; -1 while unknown."""
        return self._state.number

    def set_sync_state(self, members: frozenset[int], epoch: int) -> None:
        """The Controllers say who is in the SyncStateSet, and its own epoch; old news do nothing.

        Before ``lead``, or whenever it is known. Source: setSyncStateSet().
        """
        self._master.told(members, epoch)

    def sync_state_refused(self) -> None:
        """A Controller that leads has answered that it did not change the set.

        For the last proposal, so that all before it are settled as well. Not for an answer that
        did not come: then the proposal may have been accepted, and comes again by time.
        """
        self._master.refused()

    def on_sync_state_change(self, listener: Proposal) -> None:
        """Have ``listener`` told which set to propose; again after a while, if nothing comes."""
        self._master.on_proposal(listener)

    @property
    def epochs(self) -> Sequence[EpochStart]:
        """The epochs of our log, ascending."""
        return self._epochs.entries

    def _greeting(self) -> Greeting:
        settings = self._settings
        return Greeting(settings.from_last_file, settings.is_learner, self.broker_id)
