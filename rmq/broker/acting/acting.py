"""Whether this broker acts as master, and which master a slave has.

State: the smallest brokerId that lives, and its address; *isolated* until we have come on line.
Isolated, nothing is decided. Then, for a slave:

=========================  ========================================================================
news                       what follows
=========================  ========================================================================
ours is the smallest id    forget the master; act: begin what a master does of itself
another is the smallest    act no more
the smallest id has left,  forget its addresses: nobody copies or follows a master that is gone
and it was our master
the smallest is 0          first act no more, then follow it; if nobody says where its log comes
                           from, ask it
=========================  ========================================================================

So whoever acts knows of no master. News come from the poll of the NameServers, from their notices,
and, of a master only, with their answers to our registration; whatever was known already is none.

Source: BrokerController.java, syncBrokerMemberGroup(), updateMinBroker(), onMinBrokerChange(),
onMasterOnline(), onMasterOffline(), 5.3.3.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred, ensureDeferred

from codec.errors import CodecError
from codec.headers.ha import ExchangeHAInfoRequestHeader, NotifyMinBrokerIdChangeRequestHeader
from codec.headers.namesrv import RegisterBrokerResponseHeader
from rmq.base.errors import CallError, StoreError
from rmq.base.ports import Clock
from rmq.broker.acting.exchange import Exchange
from rmq.broker.acting.group import Group
from rmq.broker.role import MASTER_ID, RoleHolder
from rmq.broker.rounds import Rounds

logger = logging.getLogger(__name__)

FIRST_POLL_MS = 1_000
"""From coming on line to the first poll. Source: BrokerController.java, start(), 5.3.3."""


class Work(Protocol):
    """What an acting master does of itself."""

    def begin(self) -> None:
        """Begin.

        :raises StoreError: what it keeps on disk cannot be read.
        """
        ...

    def stop(self) -> None:
        """End; harmless when it has not begun."""
        ...


class Follows(Protocol):
    """Changes whom a slave follows: a part of :class:`rmq.broker.role.Switch`."""

    def become_slave(
        self, *, master_address: str | None, ha_address: str | None, epoch: int, broker_id: int
    ) -> Deferred[None]:
        """Follow from there on."""
        ...

    def learned(self, answer: RegisterBrokerResponseHeader) -> None:
        """A NameServer has told who the master is, or that it knows none."""
        ...


class SlaveLog(Protocol):
    """A slave's log, where it may have to be cut."""

    @property
    def written_position(self) -> int:
        """Where it ends."""
        ...

    def truncate(self, position: int) -> None:
        """Forget what lies there and behind.

        :raises StoreError: no record begins there, or the disk failed.
        """
        ...

    master_flushed_position: int
    """Where the master's log ended, as we know it from before; 0: we do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingSettings:
    """``period_ms`` is syncBrokerMemberGroupPeriod; ``cuts`` syncMasterFlushOffsetWhenStartup."""

    period_ms: int
    cuts: bool = False


class Acting:
    """Acts, or does not."""

    def __init__(
        self,
        clock: Clock,
        role: RoleHolder,
        group: Group,
        exchange: Exchange,
        follows: Follows,
        log: SlaveLog,
        work: Sequence[Work],
        settings: ActingSettings,
    ) -> None:
        """``work`` begins in this order, and ends in the reverse one."""
        self._role = role
        self._group = group
        self._exchange = exchange
        self._follows = follows
        self._log = log
        self._work = tuple(work)
        self._settings = settings
        self._smallest_id = MASTER_ID
        self._smallest_address: str | None = None
        self._is_running = self._is_on_line = False
        self._polls = Rounds(clock, settings.period_ms, self.poll)
        self.is_acting = False

    def start(self) -> None:
        """Begin to ask who lives: an isolated broker counts them, one on line also decides."""
        self._is_running = True
        self._polls.start(FIRST_POLL_MS)

    def stop(self) -> None:
        """Decide nothing more, and act no more."""
        self._is_running = self._is_on_line = False
        self._polls.stop()
        self._act(False)

    def on_line(self, smallest_id: int, smallest_address: str | None) -> None:
        """Clients are shown this broker from now on, and that is who has the smallest id."""
        self._is_on_line = True
        self._smallest_id, self._smallest_address = smallest_id, smallest_address
        self._decide()

    async def poll(self) -> None:
        """Ask who lives, once.

        :raises CallError: nobody tells.
        """
        addresses = await self._group.addresses()
        if not addresses:
            logger.warning("event=no_broker_known cause=the NameServer knows none of our name")
            return
        smallest = min(addresses)
        gone = self._smallest_address if smallest > self._smallest_id else None
        self._learn(smallest, addresses[smallest], gone, None)

    def notified(self, told: NotifyMinBrokerIdChangeRequestHeader) -> None:
        """A NameServer says that another has the smallest id; empty texts say nothing."""
        if told.min_broker_id is not None:
            self._learn(
                told.min_broker_id,
                told.min_broker_addr or None,
                told.offline_broker_addr or None,
                told.ha_broker_addr or None,
            )

    def registered(self, answer: RegisterBrokerResponseHeader) -> None:
        """A NameServer has answered our registration: it may know our master."""
        if self.is_acting and answer.master_addr:
            self._learn(MASTER_ID, answer.master_addr, None, answer.ha_server_addr or None)
        else:
            self._follows.learned(answer)

    def master_calls(self, told: ExchangeHAInfoRequestHeader) -> None:
        """A master that comes on line has us follow it; clients do not know of it yet.

        Its tables are not copied before it is on line: until then ours are newer.
        Source: AdminBrokerProcessor.java, updateBrokerHaInfo(), 5.3.3.
        """
        if self._role.now.is_master or not told.master_ha_address:
            return
        self.cut_at(told.master_flush_offset or 0)
        self.follow(self._role.now.master_address, told.master_ha_address)

    def cut_at(self, position: int) -> None:
        """Cut our log where the master's ended when it started, if that is wished, and once.

        0: nothing is known of the master's.
        """
        log = self._log
        if not self._settings.cuts or position <= 0 or log.master_flushed_position:
            return
        log.master_flushed_position = position
        end = log.written_position
        if end <= position:
            return
        try:
            log.truncate(position)
        except StoreError as error:
            logger.error("event=log_not_cut end=%d master=%d cause=%s", end, position, error)  # noqa: TRY400 - the store says all
        else:
            logger.warning("event=log_cut end=%d master=%d", end, position)

    def _learn(
        self, smallest_id: int, address: str | None, gone: str | None, ha_address: str | None
    ) -> None:
        role = self._role.now
        if not self._is_on_line or role.is_master:
            return
        if smallest_id == self._smallest_id:
            self._smallest_address = address or self._smallest_address
            return
        logger.info(
            "event=smallest_id_changed old=%d new=%d address=%s gone=%s",
            self._smallest_id,
            smallest_id,
            address,
            gone,
        )
        self._smallest_id, self._smallest_address = smallest_id, address
        if gone is not None and gone == role.master_address:
            self.follow(None, None)
        self._decide()
        if smallest_id == MASTER_ID and address is not None:
            if ha_address is not None:
                self.follow(address, ha_address)
            else:
                ensureDeferred(self._find(address))

    def _decide(self) -> None:
        role = self._role.now
        acts = not role.is_master and role.broker_id == self._smallest_id
        if acts and role.master_address is not None:
            self.follow(None, None)
        self._act(acts)

    async def _find(self, master: str) -> None:
        """Follow a master of which only the address is known."""
        ha_address = None
        try:
            said = await self._exchange.ask_master(master)
            ha_address = said.master_ha_address
        except (CallError, CodecError) as error:
            logger.warning("event=master_unknown address=%s cause=%s", master, error)
        role = self._role.now
        if self._is_running and self._smallest_address == master and not role.is_master:
            self.follow(master, ha_address or role.master_ha_address)

    def follow(self, address: str | None, ha_address: str | None) -> None:
        """Have a slave follow that master; None: it is not known."""
        role = self._role.now
        self._follows.become_slave(
            master_address=address,
            ha_address=ha_address,
            epoch=role.epoch,
            broker_id=role.broker_id,
        )

    def _act(self, acts: bool) -> None:
        if acts == self.is_acting:
            return
        event = "acts_as_master" if acts else "acts_no_more"
        logger.warning("event=%s broker_id=%d", event, self._role.now.broker_id)
        self.is_acting = acts
        if not acts:
            for work in reversed(self._work):
                work.stop()
            return
        for work in self._work:
            try:
                work.begin()
            except StoreError as error:
                logger.error("event=acting_work_not_begun work=%r cause=%s", work, error)  # noqa: TRY400 - the store says all
