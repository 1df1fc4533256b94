"""Faults of a group that works, how long each takes, and their repair."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import clusters
import servers

from scripts.commandlib.waiting import TooLateError, until
from scripts.failoverlib.clients import Producer
from scripts.failoverlib.figures import Round
from scripts.failoverlib.network import Network

FAULTS = ("kill", "hang", "cut", "controller", "both")
MEANINGS = {
    "kill": "the master is killed (SIGKILL)",
    "hang": "the master hangs (SIGSTOP), and goes on after another has taken over",
    "cut": "the master's network drops all packets, and no more after another has taken over",
    "controller": "the Controllers' leader is killed",
    "both": "the Controllers' leader and the master are killed at once",
}
OF_CONTROLLERS = ("controller", "both")
"""Those of groups that have any."""
PROBES = "Probes"
"""The topic of messages that are sent as soon as there is a new master; nobody reads them."""
TAKE_OVER_MAX_S = 60
REPAIR_MAX_S = 60
CALM_S = 1.0
"""Of load after the repair, before the next fault."""
LONG_CALM_S = 6.0
"""The same where a Controller was started: it elects nobody before it has listened for 5 s."""
CONTROLLER_WATCH_S = 4.0
"""How long acknowledgements are watched after a Controller was killed."""


@dataclass
class Rounds:
    """A group with its load."""

    group: clusters.Group
    network: Network
    producer: Producer

    def once(self, fault: str) -> Round:
        """Break it, measure, repair it. A round that takes too long is repaired, too.

        Where a set stays incomplete, all brokers but the master are killed and started, once.

        :raises TooLateError: nor does that help.
        """
        old = until("a master", self.group.master, TAKE_OVER_MAX_S)
        leader = self.group.leader() if fault in OF_CONTROLLERS else None
        begin = time.monotonic()
        self._break(fault, old, leader)
        times: dict[str, float | None] = {}
        failure = None
        try:
            self._watch(fault, begin, old, leader, times)
        except TooLateError as error:
            failure = str(error)
        repaired = time.monotonic()
        self._repair(fault, old)
        try:
            self._until_whole()
            times["whole_s"] = time.monotonic() - repaired
        except TooLateError as error:
            failure = failure or "; ".join([str(error), *self._ended()])
            master = until("a master", self.group.master, TAKE_OVER_MAX_S)
            for one in self.group.brokers:
                if one is not master:
                    one.end()
            self._launch_dead()
            self._until_whole()
        ended = time.monotonic()
        times["pause_s"] = self.producer.ledger.longest_pause_s(begin, ended)
        time.sleep(CALM_S if leader is None else LONG_CALM_S)
        return Round(fault, ended, failure=failure, **times)

    def _break(self, fault: str, old: servers.Server, leader: servers.Server | None) -> None:
        if leader is not None:
            leader.kill()
        if fault in {"kill", "both"}:
            old.kill()
        elif fault == "hang":
            _process(old).send_signal(signal.SIGSTOP)
        elif fault == "cut":
            self.network.cut(self.group.brokers.index(old))

    def _watch(
        self,
        fault: str,
        begin: float,
        old: servers.Server,
        leader: servers.Server | None,
        times: dict[str, float | None],
    ) -> None:
        if fault == "controller":
            until("a Controller that leads", self._led_by_another(leader), TAKE_OVER_MAX_S)
            times["led_s"] = time.monotonic() - begin
            time.sleep(max(0.0, begin + CONTROLLER_WATCH_S - time.monotonic()))
            return

        def registered() -> servers.Server | None:
            master = self.group.master()
            return None if master is old else master

        new = until("a new master", registered, TAKE_OVER_MAX_S)
        times["registered_s"] = time.monotonic() - begin
        until("a message to be taken", lambda: clusters.takes(new, PROBES), TAKE_OVER_MAX_S)
        times["served_s"] = time.monotonic() - begin
        acknowledged = until(
            "an acknowledgement by it",
            lambda: self.producer.ledger.first_by_another(old.address, begin),
            TAKE_OVER_MAX_S,
        )
        times["acknowledged_s"] = acknowledged - begin

    def _led_by_another(self, killed: servers.Server | None) -> Callable[[], bool]:
        others = [one for one in self.group.controllers if one is not killed]
        return lambda: any(clusters.leads(one) for one in others)

    def _repair(self, fault: str, old: servers.Server) -> None:
        if fault == "hang":
            _process(old).send_signal(signal.SIGCONT)
        elif fault == "cut":
            self.network.mend(self.group.brokers.index(old))
        self._launch_dead()

    def _ended(self) -> Iterator[str]:
        for one in (*self.group.controllers, *self.group.brokers):
            code = _process(one).poll()
            if code is not None:
                said = one.log().strip().rpartition("\n")[2]
                yield f"{one.folder.name} ended with {code}: {said}"
                one.end()

    def _launch_dead(self) -> None:
        for one in (*self.group.controllers, *self.group.brokers):
            if one.process is None:
                one.launch()

    def _until_whole(self) -> None:
        """Until every broker is in the master's set, and every Controller answers.

        :raises TooLateError: not in time.
        """
        brokers = len(self.group.brokers)

        def is_whole() -> bool:
            return self.group.members() == brokers == len(self.group.addresses())

        until("all to be in step", is_whole, REPAIR_MAX_S)
        for one in self.group.controllers:
            until("a Controller that was killed", lambda one=one: _serves(one), REPAIR_MAX_S)


def _serves(server: servers.Server) -> bool:
    try:
        server.peer(1).close()
    except OSError:
        return False
    return True


def _process(server: servers.Server) -> "servers.subprocess.Popen[bytes]":
    assert server.process is not None
    return server.process
