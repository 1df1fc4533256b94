"""A process of a simulated cluster that asks: it speaks through production's own client."""

from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

from codec.bodies import decode_body
from codec.bodies.route import MASTER_ID, TopicRouteData
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import RequestHeader, ext_fields_of
from codec.headers.namesrv import GetRouteInfoRequestHeader
from rmq.base.errors import CallError
from rmq.net.client import RemotingClient
from rmq.remoting.handling import handler_table
from rmq.sim.network import Network
from rmq.sim.process import Process, ProcessClock
from rmq.sim.reactor import SimReactor
from rmq.sim.world import SimulationError

DEFAULT_TOPIC = "TBW102"
TIMEOUT_MS = 3_000
ROUTE_PERIOD_MS = 700
"""How often, at most, a client asks for a route."""


class Client:
    """A process that asks name servers and brokers."""

    def __init__(self, network: Network, process: Process, name_servers: Sequence[str]) -> None:
        self.process = process
        self.name = process.machine.name
        self.dice = process.dice
        self.clock = ProcessClock(process)
        self._caller = RemotingClient(SimReactor(network, process), self.clock)
        self._name_servers = name_servers

    def ask(
        self, address: str, code: int, header: RequestHeader, body: bytes = b"", more_ms: int = 0
    ) -> Deferred[Command]:
        """Send a request; fails with ``CallError``."""
        command = Command(code=code, ext_fields=ext_fields_of(header), body=body)
        return self._caller.call(address, command, TIMEOUT_MS + more_ms)

    def tell(self, address: str, code: int, header: RequestHeader) -> None:
        """Send a request one way."""
        self._caller.send(address, Command(code=code, ext_fields=ext_fields_of(header)))

    def serve(self, processor: object) -> None:
        """Have brokers answered over connections that are made from now on."""
        self._caller.serve(handler_table([processor]))

    def work(self, done: Deferred[None]) -> None:
        """Have the run end with what this work raises."""
        done.addErrback(self._broke)

    def _broke(self, failure: Failure) -> None:
        found = failure.value
        text = str(found) if isinstance(found, SimulationError) else failure.getTraceback()
        self.process.world.find(text)

    def pause(self, milliseconds: int) -> Deferred[None]:
        """Fires after a while."""
        done: Deferred[None] = Deferred()
        self.clock.call_later(milliseconds, partial(done.callback, None))
        return done

    @inlineCallbacks
    def master(self, broker: str) -> Generator[Deferred[Any], Any, str]:
        """The address of a broker's master, as one name server knows it; empty: it knows none."""
        known: dict[int, str] = yield self.addresses(broker)
        return known.get(MASTER_ID, "")

    @inlineCallbacks
    def addresses(self, broker: str) -> Generator[Deferred[Any], Any, dict[int, str]]:
        """The addresses of a broker's processes by id, as one name server knows them."""
        header = GetRouteInfoRequestHeader(topic=DEFAULT_TOPIC, accept_standard_json_only=True)
        address = self.dice.pick(self._name_servers)
        try:
            answer: Command = yield self.ask(address, RequestCode.GET_ROUTEINFO_BY_TOPIC, header)
        except CallError:
            return {}
        if answer.code != ResponseCode.SUCCESS:
            return {}
        route = decode_body(TopicRouteData, answer.body)
        for known in route.broker_datas:
            if known.broker_name == broker:
                return known.broker_addrs
        return {}
