"""From what the Controllers decided to the role we play.

Verdicts come from notices, polls, registration and elections, late, twice and out of order. Of
those with a master, the one with the greatest epoch counts; of the same epoch, the SyncStateSet
with its own greatest epoch. The newest is carried out at once; ``Switch`` sees to it that changes
do not overlap. One that fails is tried again, until it succeeds or a newer verdict makes it
needless.

A slave refuses puts first. Then it asks its master where the log comes from, until that one tells:
it may not know yet that it is the master.

Source: ReplicasManager.java, changeBrokerRole(), changeToMaster(), changeToSlave(), 5.3.3. On
purpose different: there a change that fails is believed to be done; and a slave waits until a
NameServer knows where the log comes from.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeAlias

from twisted.internet.defer import ensureDeferred
from twisted.python.failure import Failure

from rmq.base.errors import CallError
from rmq.base.ports import Clock, Timer
from rmq.broker.controlled.requests import Verdict
from rmq.broker.role import RoleHolder, Switch

logger = logging.getLogger(__name__)

RETRY_MS = 500
"""From a change that failed, or a master that did not answer, to the next try."""

HaAddress: TypeAlias = Callable[[str], Awaitable[str | None]]
"""Asks a master (host:port) where the log comes from; None: it does not tell, or is none yet."""


class SyncState(Protocol):
    """The SyncStateSet as replication uses it."""

    def set_sync_state(self, members: frozenset[int], number: int) -> None:
        """Have these count from now on; ``number`` is the set's own epoch."""
        ...


class Decisions:
    """Keeps our role what the Controllers decided."""

    def __init__(
        self,
        clock: Clock,
        role: RoleHolder,
        switch: Switch,
        sync_state: SyncState,
        ha_address: HaAddress,
    ) -> None:
        """``role`` is what ``switch`` changes. Nothing is learnt before ``know_as``."""
        self.own_id: int | None = None
        self._clock = clock
        self._role = role
        self._switch = switch
        self._sync_state = sync_state
        self._ha_address = ha_address
        self._verdict = Verdict()
        self._is_stopped = False
        self._retry: Timer | None = None

    @property
    def verdict(self) -> Verdict:
        """The newest that named a master; of epoch 0 before there was one."""
        return self._verdict

    @property
    def is_leading(self) -> bool:
        """Whether it names us, and we are master in its epoch."""
        now = self._role.now
        return self._names_us and now.is_master and now.epoch == self._verdict.epoch

    @property
    def _names_us(self) -> bool:
        return self.own_id is not None and self._verdict.master_id == self.own_id

    def stop(self) -> None:
        """Change nothing any more."""
        self._is_stopped = True
        self._cancel_retry()

    def know_as(self, broker_id: int) -> None:
        """Controllers know us by this id. If by another than before, what they decided is void.

        A broker that had a role then is a slave of nobody, until they decide anew.
        """
        before, now = self.own_id, self._role.now
        self.own_id = broker_id
        if before in (None, broker_id):
            return
        self._cancel_retry()
        self._verdict = Verdict()
        self._switch.become_slave(
            master_address=None, ha_address=None, epoch=now.epoch, broker_id=broker_id
        ).addErrback(self._failed, self._verdict)

    def learn(self, verdict: Verdict) -> None:
        """Take note of what the Controllers decided; old news are ignored."""
        known = self._verdict
        if self._is_stopped or self.own_id is None or not verdict.has_master:
            return
        if verdict.epoch > known.epoch:
            self._verdict = verdict
            logger.info(
                "event=master_decided id=%s address=%s epoch=%d in_sync=%s own_id=%d",
                verdict.master_id,
                verdict.master_address,
                verdict.epoch,
                sorted(verdict.in_sync),
                self.own_id,
            )
            self._carry_out()
        elif verdict.epoch == known.epoch and verdict.master_id == known.master_id:
            self._learn_more(verdict)

    def _learn_more(self, verdict: Verdict) -> None:
        """Of the same master: its set may have changed, and a slave's master may have moved."""
        if verdict.in_sync_epoch > self._verdict.in_sync_epoch:
            self._verdict = replace(
                self._verdict, in_sync=verdict.in_sync, in_sync_epoch=verdict.in_sync_epoch
            )
            self._tell_replicas()
        if verdict.master_address != self._verdict.master_address and not self._names_us:
            self._verdict = replace(self._verdict, master_address=verdict.master_address)
            self._carry_out()

    def _carry_out(self) -> None:
        self._cancel_retry()
        if self._names_us:
            self._lead(self._verdict)
        elif self._verdict.has_master:
            self._follow(self._verdict)

    def _lead(self, verdict: Verdict) -> None:
        self._sync_state.set_sync_state(verdict.in_sync, verdict.in_sync_epoch)
        leading = self._switch.become_master(epoch=verdict.epoch)
        leading.addErrback(self._failed, verdict)

    def _tell_replicas(self) -> None:
        if self.is_leading:
            self._sync_state.set_sync_state(self._verdict.in_sync, self._verdict.in_sync_epoch)

    def _follow(self, verdict: Verdict) -> None:
        now = self._role.now
        if now.is_master or (now.epoch, now.master_address) != _master_of(verdict):
            self._become_slave(verdict, None)
        ensureDeferred(self._fetch(verdict)).addErrback(self._failed, verdict)

    async def _fetch(self, verdict: Verdict) -> None:
        """Have the master's log.

        :raises CallError: it did not tell where.
        :raises CodecError: its answer is broken.
        """
        assert verdict.master_address is not None, "only those with a master are carried out"
        ha_address = await self._ha_address(verdict.master_address)
        if ha_address is None:
            raise CallError(f"{verdict.master_address} does not lead yet")
        if not self._is_stale(verdict):
            self._become_slave(verdict, ha_address)

    def _become_slave(self, verdict: Verdict, ha_address: str | None) -> None:
        assert self.own_id is not None, "nothing is learnt without"
        following = self._switch.become_slave(
            master_address=verdict.master_address,
            ha_address=ha_address,
            epoch=verdict.epoch,
            broker_id=self.own_id,
        )
        following.addErrback(self._failed, verdict)

    def _is_stale(self, verdict: Verdict) -> bool:
        return self._is_stopped or _master_of(verdict) != _master_of(self._verdict)

    def _failed(self, failure: Failure, verdict: Verdict) -> None:
        if self._is_stale(verdict):
            return
        logger.warning("event=role_not_taken epoch=%d cause=%s", verdict.epoch, failure.value)
        self._cancel_retry()
        self._retry = self._clock.call_later(RETRY_MS, self._carry_out)

    def _cancel_retry(self) -> None:
        timer, self._retry = self._retry, None
        if timer is not None:
            timer.cancel()


def _master_of(verdict: Verdict) -> tuple[int, str | None]:
    return verdict.epoch, verdict.master_address
