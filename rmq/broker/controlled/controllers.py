"""Where the Controllers are, which of them leads, and how that one is asked.

Any Controller says whom it takes for the leader. One that was cut off may still believe in an old
one, so what most of them say counts: all are asked at the same time, and the first address that a
majority of them names is taken; when all have answered or failed, the one named most often. So a
Controller that hangs delays nothing as long as a majority lives.

Source: ReplicasManager.java, updateControllerMetadata(), 5.3.3, which takes the first answer.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.controller import GetMetaDataResponseHeader
from codec.headers.fields import RequestHeader, decode_header, ext_fields_of
from rmq.base.errors import CallError
from rmq.remoting.calls import Caller

logger = logging.getLogger(__name__)

TIMEOUT_MS = 3_000
"""Source: BrokerOuterAPI.java, alterSyncStateSet() and its like, 5.3.3."""


class ControllerRefusedError(CallError):
    """The leader answered, and refused; ``code`` is its response code."""

    def __init__(self, request: RequestCode, code: int, remark: str | None) -> None:
        super().__init__(f"{request.name} refused with {code}: {remark}")
        self.code = code


class Controllers:
    """All Controllers, as one broker sees them."""

    def __init__(
        self, caller: Caller, addresses: Iterable[str], *, timeout_ms: int = TIMEOUT_MS
    ) -> None:
        """``addresses`` are ``host:port``; ``timeout_ms`` is how long an answer may take."""
        self._caller = caller
        self._timeout_ms = timeout_ms
        self.addresses = list(dict.fromkeys(addresses))
        self.leader: str | None = None
        self._looking: _Look | None = None

    async def look(self, *, agreed: bool = False) -> str:
        """Ask all which one leads; its address, which is ``leader`` from now on.

        :raises CallError: none answered, or none knows, or, with ``agreed``, a majority does not
            name the same.
        """
        if self._looking is None:
            self._looking = _Look(self._caller, self.addresses, self._timeout_ms)
        look = self._looking
        leader = await look.wait()
        if self._looking is look:
            self._looking = None
        if agreed and not look.is_agreed:
            raise CallError(f"no majority of {';'.join(self.addresses)} names the same leader")
        if leader is None:
            self.leader = None
            raise CallError(f"no Controller of {';'.join(self.addresses)} knows a leader")
        if leader != self.leader:
            logger.info("event=controller_leader address=%s before=%s", leader, self.leader)
        self.leader = leader
        return leader

    async def ask(
        self,
        code: RequestCode,
        header: RequestHeader,
        body: bytes = b"",
        *,
        accepted: Iterable[int] = (),
    ) -> Command:
        """Ask the leader, first looking for it if unknown; a leader that fails is looked for anew.

        :raises ControllerRefusedError: it answered neither SUCCESS nor one of ``accepted``.
        :raises CallError: no leader, or no answer in time.
        """
        leader = self.leader or await self.look()
        command = Command(code=code, ext_fields=ext_fields_of(header), body=body)
        try:
            answer = await self._caller.call(leader, command, self._timeout_ms)
        except CallError:
            self._forget(leader)
            raise
        if answer.code == ResponseCode.SUCCESS or answer.code in accepted:
            return answer
        if answer.code == ResponseCode.CONTROLLER_NOT_LEADER:
            self._forget(leader)
        raise ControllerRefusedError(code, answer.code, answer.remark)

    def tell_all(self, code: RequestCode, header: RequestHeader) -> None:
        """Send to every Controller, one way: each keeps its own list of who lives."""
        for address in self.addresses:
            command = Command(code=code, ext_fields=ext_fields_of(header))
            self._caller.send(address, command)

    def _forget(self, leader: str) -> None:
        if self.leader == leader:
            self.leader = None


class _Look:
    """One question to all Controllers; any number may wait for what comes of it."""

    def __init__(self, caller: Caller, addresses: list[str], timeout_ms: int) -> None:
        self._left = len(addresses)
        self._majority = len(addresses) // 2 + 1
        self._named: Counter[str] = Counter()
        self._is_over = not addresses
        self.is_agreed = False
        self._leader: str | None = None
        self._waiting: list[Deferred[str | None]] = []
        for address in addresses:
            command = Command(code=RequestCode.CONTROLLER_GET_METADATA_INFO, ext_fields={})
            answer = caller.call(address, command, timeout_ms)
            answer.addCallbacks(self._answered, partial(self._failed, address))

    def wait(self) -> Deferred[str | None]:
        """Fires with the leader's address, None if nobody knows one."""
        found: Deferred[str | None] = Deferred()
        if self._is_over:
            found.callback(self._leader)
        else:
            self._waiting.append(found)
        return found

    def _answered(self, answer: Command) -> None:
        said = decode_header(GetMetaDataResponseHeader, answer.ext_fields)
        is_said = answer.code == ResponseCode.SUCCESS
        self._count(said.controller_leader_address if is_said else None)

    def _failed(self, address: str, failure: Failure) -> None:
        failure.trap(CallError)  # type: ignore[no-untyped-call]  # Twisted left it so
        logger.debug("event=controller_silent address=%s cause=%s", address, failure.value)
        self._count(None)

    def _count(self, leader: str | None) -> None:
        self._left -= 1
        if self._is_over:
            return
        if leader:
            self._named[leader] += 1
        most = self._named.most_common(1)
        if self._left and (not most or most[0][1] < self._majority):
            return
        self._is_over = True
        self.is_agreed = bool(most) and most[0][1] >= self._majority
        self._leader = most[0][0] if most else None
        waiting, self._waiting = self._waiting, []
        for found in waiting:
            found.callback(self._leader)
