"""Tests of the options of the runs with faults, and of their ends."""

import io

import pytest
from rich.console import Console

from scripts import faults
from scripts.commandlib.waiting import TooLateError
from scripts.failoverlib.network import Loopback
from scripts.faultlib.clocks import WrongClock
from scripts.faultlib.menu import KINDS, MEANINGS, OF_NETWORK
from scripts.faultlib.tests.test_verdict import outcome


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200)


def options(*words):
    return faults.parser().parse_args(["--no-java", *words])


def test_a_short_run_of_all_kinds_is_usual():
    asked = faults.parser().parse_args([])

    assert (asked.count, asked.kinds, asked.brokers) == (faults.FAULTS, KINDS, 3)
    assert (asked.profile, asked.flush, asked.no_java) == ("fast", "SYNC_FLUSH", False)
    assert set(MEANINGS) == set(KINDS)


def test_kinds_are_chosen_by_name(capsys):
    assert options("--kinds", "ring,clock").kinds == ("ring", "clock")
    with pytest.raises(SystemExit):
        options("--kinds", "fire")
    with pytest.raises(SystemExit):
        options("--brokers", "4")

    assert "'fire', expected some of kill-leader" in capsys.readouterr().err


@pytest.fixture
def bare(monkeypatch):
    """A machine without what some kinds need."""
    monkeypatch.setattr(faults, "can_isolate", lambda: False)
    monkeypatch.setattr(faults, "is_isolated", lambda: False)
    monkeypatch.setattr(faults.slow_disk, "is_there", lambda: False)
    monkeypatch.setattr(faults.clocks, "library", lambda: None)


@pytest.mark.usefixtures("bare")
def test_what_is_not_possible_is_left_out_with_a_word(console):
    asked = options()

    faults.prepare(asked, [], console)

    assert asked.kinds == tuple(
        kind for kind in KINDS if kind not in {*OF_NETWORK, "slow-disk", "clock"}
    )
    assert asked.seed > 0
    said = console.file.getvalue()
    assert "slow-disk is left out: it needs strace" in said
    assert "clock is left out: it needs libfaketime" in said
    assert "ring is left out: it needs unshare" in said


@pytest.mark.usefixtures("bare")
def test_a_run_without_any_fault_is_none(console):
    with pytest.raises(ValueError, match="no fault is left"):
        faults.prepare(options("--kinds", "ring"), [], console)


@pytest.mark.usefixtures("bare")
def test_a_network_of_its_own_is_taken_with_the_same_seed(monkeypatch, console):
    class BegunAnewError(Exception):
        pass

    begun = []

    def isolate(module, arguments):
        begun.append((module, arguments))
        raise BegunAnewError

    monkeypatch.setattr(faults, "can_isolate", lambda: True)
    monkeypatch.setattr(faults, "isolate", isolate)

    with pytest.raises(BegunAnewError):
        faults.prepare(options("--kinds", "ring", "--seed", "7"), ["--no-java"], console)

    assert begun == [("scripts.faults", ["--no-java", "--seed=7"])]


def run(tmp_path, console, *words):
    return faults.Run(options("--seed", "7", *words), tmp_path, Loopback(3), console)


def test_clocks_are_made_if_they_shall_be_wrong(tmp_path, monkeypatch, console):
    monkeypatch.setattr(faults.clocks, "library", lambda: tmp_path / "lib.so")
    monkeypatch.setattr(WrongClock, "works", lambda _: True)

    assert len(run(tmp_path, console)._clocks()) == 3
    assert run(tmp_path, console, "--kinds", "ring")._clocks() == []

    monkeypatch.setattr(WrongClock, "works", lambda _: False)
    with pytest.raises(OSError, match="does not change"):
        run(tmp_path, console)._clocks()


def test_the_group_is_as_asked_for(tmp_path, console):
    group = run(tmp_path, console, "--flush", "ASYNC_FLUSH")._group()

    config = (group.brokers[2].folder / "broker.conf").read_text().splitlines()
    assert len(group.brokers) == 3
    assert "flushDiskType=ASYNC_FLUSH" in config
    assert "failoverProfile=fast" in config
    assert "slaveReadEnable=true" in config


def test_what_a_run_found_is_shown_and_written(tmp_path, monkeypatch, console):
    figures = tmp_path / "figures.json"

    def go(self):
        self.outcome = outcome()

    monkeypatch.setattr(faults, "is_isolated", lambda: False)
    monkeypatch.setattr(faults.Run, "go", go)
    asked = options("--seed", "7", "--json", str(figures))

    assert faults.judge(asked, tmp_path, console) == 0

    assert "seed 7" in console.file.getvalue()
    assert "kill-any          2 times, served again after 1.00 s" in console.file.getvalue()
    assert '"seed": 7' in figures.read_text()


def test_a_run_that_found_nothing_is_not_good(tmp_path, monkeypatch, console):
    monkeypatch.setattr(faults, "is_isolated", lambda: False)
    monkeypatch.setattr(faults.Run, "go", lambda _: None)

    assert faults.judge(options("--seed", "7"), tmp_path, console) == 1


def test_a_broker_that_died_ends_the_run_and_is_told(tmp_path, monkeypatch, console):
    class Group:
        brokers = ()
        ended = 0

        def start(self):
            raise faults.DiedError("n1 ended with 1")

        def end(self):
            self.ended += 1

    group, one = Group(), run(tmp_path, console, "--kinds", "ring")
    monkeypatch.setattr(one, "_group", lambda: group)

    one.go()

    assert one.outcome.died == "n1 ended with 1"
    assert group.ended == 1


def test_clients_are_stopped_whatever_happens():
    class Client:
        did = ()

        def start(self):
            self.did += ("start",)

        def stop(self):
            self.did += ("stop",)

    clients = [Client(), Client()]

    with pytest.raises(TooLateError), faults._running(clients):
        raise TooLateError

    assert [one.did for one in clients] == [("start", "stop")] * 2


@pytest.mark.parametrize(
    ("error", "status"),
    [(TooLateError("a group"), 2), (KeyboardInterrupt(), 130), (OSError("no"), 2)],
)
def test_a_run_that_breaks_off_leaves_nothing(monkeypatch, tmp_path, console, error, status):
    def judge(options, work, console):
        assert work.is_dir()
        raise error

    monkeypatch.setattr(faults, "prepare", lambda *_: None)
    monkeypatch.setattr(faults, "judge", judge)

    assert faults.main(["--work", str(tmp_path)], console) == status
    assert not list(tmp_path.iterdir())
    assert faults.main(["--work", str(tmp_path), "--keep"], console) == status
    assert len(list(tmp_path.iterdir())) == 1
