"""Stand-ins for connections and peers: for tests here and in the roles, without sockets."""

from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

from codec.codes import RESPONSE_FLAG, ResponseCode
from codec.command import Command
from rmq.base.errors import CallError, CallTimeoutError


@dataclass(eq=False)
class FakeCall:
    """A request that waits for its answer; the test gives it."""

    address: str
    command: Command
    timeout_ms: int
    answer: Deferred[Command] = field(default_factory=Deferred)

    def succeed(self, ext_fields: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer with SUCCESS."""
        self.respond(ResponseCode.SUCCESS, ext_fields=ext_fields, body=body)

    def respond(
        self,
        code: int,
        remark: str | None = None,
        *,
        ext_fields: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        """Answer with any code."""
        self.answer.callback(
            Command(
                code=code,
                opaque=self.command.opaque,
                flag=RESPONSE_FLAG,
                remark=remark,
                ext_fields=ext_fields or {},
                body=body,
            )
        )

    def fail(self, cause: str = "no answer") -> None:
        """Let it fail as a peer that is gone would."""
        self.answer.errback(CallError(f"{self.address}: {cause}"))

    def expire(self) -> None:
        """Let it fail as a peer that is silent would."""
        cause = f"{self.address} did not answer within {self.timeout_ms} ms"
        self.answer.errback(CallTimeoutError(cause))


class FakeChannel:
    """A ``Channel`` that keeps what is sent."""

    def __init__(
        self, remote_address: str = "10.0.0.1:40000", local_address: str = "10.0.0.9:10911"
    ) -> None:
        self.remote_address = remote_address
        self.local_address = local_address
        self.sent: list[Command] = []
        self.calls: list[FakeCall] = []
        self.closed_because: str | None = None

    @property
    def host_bytes(self) -> bytes:
        """The peer as records keep it; IPv4 only."""
        ip, _, port = self.remote_address.rpartition(":")
        return bytes(int(part) for part in ip.split(".")) + int(port).to_bytes(4, "big")

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.closed_because is None

    def send(self, command: Command) -> None:
        """Keep it in ``sent``; nothing if closed."""
        if self.is_open:
            self.sent.append(command)

    def call(self, command: Command, timeout_ms: int) -> Deferred[Command]:
        """Keep it in ``calls``, where the test answers."""
        call = FakeCall(self.remote_address, command, timeout_ms)
        self.calls.append(call)
        return call.answer

    def close(self, reason: str) -> None:
        """Remember the first reason."""
        if self.closed_because is None:
            self.closed_because = reason


class FakeCaller:
    """A ``Caller`` that keeps what is sent, in order."""

    def __init__(self) -> None:
        self.calls: list[FakeCall] = []
        self.sent: list[tuple[str, Command]] = []

    def call(self, address: str, command: Command, timeout_ms: int) -> Deferred[Command]:
        """Keep it in ``calls``, where the test answers."""
        call = FakeCall(address, command, timeout_ms)
        self.calls.append(call)
        return call.answer

    def send(self, address: str, command: Command) -> None:
        """Keep it in ``sent``."""
        self.sent.append((address, command))

    def take(self) -> list[FakeCall]:
        """The calls since the last taking."""
        calls, self.calls = self.calls, []
        return calls
