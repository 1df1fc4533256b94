"""Pulling from a slave: who is sent to the master, and who is served.

As long as a slave has a connection to its master the master has more: a consumer that finds nothing
is sent there at once, one that finds something with its next pull, unless it reads what the master
has no longer in memory. Without a master the slave serves like one.

On purpose different: Java's slave, unless slaveReadEnable is set, refuses to be read even when the
master is gone; and by default it does not know whether there is a master, and sends consumers to it
in any case, which then pull again without a pause.
Source: PullMessageProcessor.java, rejectRequest(), composeResponseHeader();
DefaultPullMessageResultHandler.java, handle(), 5.3.3.
"""

from collections.abc import Callable

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.broker.role import RoleHolder


class SlavePulls:
    """What is special about pulls while the broker is a slave."""

    def __init__(
        self, role: RoleHolder, is_master_near: Callable[[], bool], *, corrects_offsets: bool
    ) -> None:
        """``is_master_near``: whether the slave has a connection to its master.

        ``corrects_offsets``: whether a slave tells consumers where to go on that are not where it
        has messages (offsetCheckInSlave); else they try again, as the slave may lag behind.
        """
        self._role = role
        self._is_master_near = is_master_near
        self._corrects_offsets = corrects_offsets

    @property
    def is_one(self) -> bool:
        """Whether this broker is a slave now."""
        return not self._role.now.is_master

    def sends_to_master(self) -> bool:
        """Whether consumers had better ask the master, it being another and there."""
        return not self._role.now.is_master and self._is_master_near()

    def refuse_disabled(self) -> None:
        """Refuse to be read, with slaveReadEnable=false, while the master is there.

        :raises CommandError: SYSTEM_BUSY.
        """
        if self._is_master_near():
            raise CommandError(
                ResponseCode.SYSTEM_BUSY,
                "[REJECTREQUEST]system busy, start flow control for a while: this is a slave, "
                "read from its master, or set slaveReadEnable=true",
            )

    def code(self, code: ResponseCode) -> ResponseCode:
        """The answer of a slave that has no messages for a pull, where a master's is ``code``."""
        is_moved = code is ResponseCode.PULL_OFFSET_MOVED
        if self._is_master_near() or (is_moved and not self._corrects_offsets):
            return ResponseCode.PULL_RETRY_IMMEDIATELY
        return code
