"""Tests of a round, on a group that is none."""

import itertools
import signal
from pathlib import Path

import pytest

from scripts.commandlib import waiting
from scripts.commandlib.tests.clock import Clock
from scripts.commandlib.waiting import TooLateError
from scripts.failoverlib import rounds
from scripts.failoverlib.ledger import Ledger
from scripts.failoverlib.rounds import Rounds


class Process:
    def __init__(self):
        self.signals = []
        self.code = None

    def poll(self):
        return self.code

    def send_signal(self, number):
        self.signals.append(number)


class Server:
    def __init__(self, number):
        self.address = f"127.0.0.1:{number}"
        self.folder = Path(f"server{number}")
        self.process = Process()
        self.starts = 0

    def kill(self):
        self.process = None

    end = kill

    def log(self):
        return "Traceback\nImportError: half a file\n"

    def launch(self):
        self.process = Process()
        self.starts += 1

    def peer(self, timeout_s):
        assert self.process is not None
        return self

    def close(self):
        pass


class Group:
    """The next broker leads as soon as something happened to the first."""

    def __init__(self, net):
        self.net = net
        self.brokers = [Server(1), Server(2), Server(3)]
        self.controllers = [Server(11), Server(12), Server(13)]

    def master(self):
        first = self.brokers[0]
        is_broken = first.process is None or first.process.signals or self.net.cuts
        return self.brokers[1] if is_broken else first

    def leader(self):
        return self.controllers[0]

    def members(self):
        return sum(one.process is not None for one in self.brokers)

    def addresses(self):
        return {number: one.address for number, one in enumerate(self.brokers) if one.process}


class Net:
    hub = "127.0.0.1"

    def __init__(self):
        self.cuts, self.mends = [], []

    def cut(self, number):
        self.cuts.append(number)

    def mend(self, number):
        self.mends.append(number)


class Producer:
    def __init__(self):
        self.ledger = Ledger()


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(rounds, "time", made)
    monkeypatch.setattr(waiting, "time", made)
    monkeypatch.setattr(rounds.clusters, "leads", lambda one: one.process is not None)
    monkeypatch.setattr(rounds.clusters, "takes", lambda one, topic: one.process is not None)
    return made


@pytest.fixture
def load(clock):
    made = Producer()
    for number, tenth in enumerate(range(1000, 3000)):
        made.ledger.take(f"acked {tenth}00000000 0 {number} 127.0.0.1:2")
    net = Net()
    return Rounds(Group(net), net, made)


@pytest.mark.parametrize("fault", ["kill", "hang", "cut", "both"])
def test_a_round_measures_and_repairs(load, fault):
    one = load.once(fault)

    assert one.fault == fault
    assert one.failure is None
    assert 0 < one.registered_s < 2
    assert one.registered_s < one.served_s < 2
    assert 0 <= one.acknowledged_s < 2
    assert one.pause_s == pytest.approx(0.1, abs=0.11)
    assert one.led_s is None
    assert load.group.brokers[0].starts == (fault in {"kill", "both"})
    assert load.group.controllers[0].starts == (fault == "both")


def test_a_master_that_hung_goes_on(load):
    load.once("hang")

    assert load.group.brokers[0].process.signals == [signal.SIGSTOP, signal.SIGCONT]


def test_a_cable_is_taken_out_and_put_in(load):
    load.once("cut")

    assert (load.network.cuts, load.network.mends) == ([0], [0])


def test_another_controller_leads(load):
    one = load.once("controller")

    assert one.led_s > 0
    assert one.registered_s is None
    assert load.group.controllers[0].starts == 1


def test_a_round_in_which_nobody_takes_over_says_so_and_is_repaired(load):
    load.group.master = lambda: load.group.brokers[0]

    one = load.once("kill")

    assert one.failure == "a new master: not within 60 s"
    assert load.group.brokers[0].starts == 1


def test_brokers_that_stay_out_of_the_set_are_started_again(load):
    looks = itertools.chain(itertools.repeat(2, 560), itertools.repeat(3))
    load.group.members = lambda: next(looks)
    load.group.master = lambda: load.group.brokers[1 if load.network.cuts else 0]

    one = load.once("cut")

    assert one.failure == "all to be in step: not within 60 s"
    assert one.whole_s is None
    assert [broker.starts for broker in load.group.brokers] == [1, 0, 1]


def test_a_server_that_ended_by_itself_is_named_and_started(load):
    looks = itertools.chain(itertools.repeat(2, 560), itertools.repeat(3))
    load.group.members = lambda: next(looks)
    load.group.controllers[2].process.code = 7

    one = load.once("hang")

    assert (
        one.failure
        == "all to be in step: not within 60 s; server13 ended with 7: ImportError: half a file"
    )
    assert load.group.controllers[2].starts == 1


def test_a_group_that_cannot_be_repaired_ends_the_run(load):
    load.group.members = lambda: 2

    with pytest.raises(TooLateError, match="all to be in step"):
        load.once("kill")


def test_a_server_that_refuses_does_not_serve():
    def refuse(timeout_s):
        raise ConnectionRefusedError

    server = Server(1)
    assert rounds._serves(server)
    server.peer = refuse
    assert not rounds._serves(server)
