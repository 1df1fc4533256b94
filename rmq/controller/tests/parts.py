"""Stand-ins for a Controller's group and brokers."""

from dataclasses import dataclass

from twisted.internet.defer import Deferred, fail

from codec.command import Command
from codec.headers.namesrv import BrokerHeartbeatRequestHeader
from rmq.controller.events import ApplyBrokerIdEvent, ElectMasterEvent
from rmq.controller.heartbeats import LiveBroker
from rmq.controller.state import State
from rmq.remoting.handling import Request
from rmq.remoting.testing import FakeChannel


@dataclass(frozen=True)
class Entry:
    index: int
    body: bytes


class Group:
    """A group of Controllers: this one leads when told so, and the others agree when told so."""

    def __init__(self):
        self.self_id = "n0"
        self.peers = {"n0": "10.0.0.1:9878", "n1": "10.0.0.2:9878"}
        self.is_leader = False
        self.leader_id = None
        self.term = 0
        self.log = []
        self.proposed = []
        self.agrees = True
        self._apply = []
        self._role = []

    def on_apply(self, apply):
        self._apply.append(apply)

    def on_role(self, listener):
        self._role.append(listener)

    def propose(self, bodies):
        if not self.is_leader:
            return fail(RuntimeError("NOT_LEADER"))
        agreed = Deferred()
        self.proposed.append((list(bodies), agreed))
        if self.agrees:
            self.agree()
        return agreed

    def agree(self):
        """Commit and apply the oldest proposal."""
        bodies, agreed = self.proposed.pop(0)
        self.commit(*bodies)
        agreed.callback(None)

    def disagree(self, cause="WAIT_QUORUM_ACK_TIMEOUT"):
        """Let the oldest proposal fail."""
        self.proposed.pop(0)[1].errback(RuntimeError(cause))

    def commit(self, *bodies):
        for body in bodies:
            entry = Entry(len(self.log), body)
            self.log.append(entry)
            for apply in self._apply:
                apply(entry)

    def elect(self, leader_id="n0"):
        """Have another leader, None for nobody."""
        self.leader_id, self.is_leader = leader_id, leader_id == "n0"
        self.term += 1
        for listener in self._role:
            listener("LEADER" if self.is_leader else "FOLLOWER", self.term)


class Lives:
    """Who is alive, as told: ``lives[2] = (epoch, max_offset, priority)``."""

    def __init__(self, *broker_ids):
        self.lives = dict.fromkeys(broker_ids, (1, 100, 2**31 - 1))

    def alive(self, cluster, name, broker_id):
        return cluster == "C" and broker_id in self.lives

    def get(self, cluster, name, broker_id):
        epoch, max_offset, priority = self.lives[broker_id]
        return LiveBroker(
            heard_ms=0,
            lease_ms=1,
            channel=FakeChannel(),
            epoch=epoch,
            max_offset=max_offset,
            priority=priority,
        )


def joined(broker_id, name="a", cluster="C"):
    """A broker has its id."""
    address = f"10.0.1.{broker_id}:10911"
    return ApplyBrokerIdEvent(
        broker_name=name,
        cluster_name=cluster,
        broker_address=address,
        new_broker_id=broker_id,
        register_check_code=f"{address};17",
    )


def elected(broker_id, name="a"):
    """A set has a new master, or none."""
    return ElectMasterEvent(
        broker_name=name,
        new_master_broker_id=broker_id,
        new_master_elected=broker_id is not None,
    )


def state_of(*events):
    """The tables after ``events``."""
    state = State()
    for event in events:
        state.apply(event)
    return state


def heartbeat(broker_id=1, name="a", cluster="C", **more):
    """What a broker says of itself."""
    return BrokerHeartbeatRequestHeader(
        cluster_name=cluster,
        broker_addr=f"10.0.1.{broker_id}:10911",
        broker_name=name,
        broker_id=broker_id,
        **more,
    )


def request(code, header, body=b"", channel=None):
    """A request as the dispatcher gives it."""
    return Request(header, body, channel or FakeChannel(), code, 1, 479, "JAVA", 0, b"")


def result(deferred):
    """What a Deferred that has fired came to; the exception if it failed."""
    results = []
    deferred.addBoth(results.append)
    assert results, "not fired yet"
    return getattr(results[0], "value", results[0])


def sent_to(sent: list[tuple[str, Command]]):
    """The addresses of one-way requests."""
    return [address for address, _ in sent]
