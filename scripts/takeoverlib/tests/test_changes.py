"""What stops a change: logs that differ, a server that is gone, a tool that says something else."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.takeoverlib import changes


@dataclass
class Ended:
    """A process with an exit code, or None while it runs."""

    code: int | None

    def poll(self):
        return self.code


@dataclass
class Broker:
    """What of a broker is looked at."""

    folder: Path
    process: Ended | None = None
    address: str = "127.0.0.1:1"

    def log(self):
        return "its last words"


@dataclass
class Group:
    """Brokers whose master says where the log ends, when it says so at last."""

    brokers: list[Broker]
    namesrv: Broker
    controllers: list[Broker] = field(default_factory=list)
    answers: list[object] = field(default_factory=list)

    def log_end(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def group(tmp_path):
    brokers = [Broker(tmp_path / name, address=name) for name in ("ours", "apache")]
    for one in brokers:
        log = one.folder / "store/commitlog"
        log.mkdir(parents=True)
        (log / "00000000000000000000").write_bytes(b"the same" + one.address.encode())
    return Group(brokers, Broker(tmp_path))


def test_logs_are_the_same_up_to_an_end(group):
    digest = changes.equal_logs(group, len(b"the same"))

    assert digest == hashlib.sha256(b"the same").hexdigest()


def test_logs_that_differ_stop_a_change(group):
    with pytest.raises(changes.BrokenError, match="commit logs differ up to 9"):
        changes.equal_logs(group, len(b"the same") + 1)


def test_a_server_that_is_gone_stops_a_wait(group):
    group.brokers[1].process = Ended(1)

    with pytest.raises(changes.BrokenError, match="apache ended with 1: its last words"):
        changes.living(group, "a master", lambda: True, 1)


def test_who_lives_is_waited_for(group):
    group.brokers[0].process = Ended(None)

    changes.living(group, "a master", lambda: True, 1)


def test_a_busy_master_is_asked_again_where_its_log_ends(group):
    group.answers = [KeyError("masterCommitLogMaxOffset"), 17]

    assert changes.log_end(group) == 17


def test_a_role_in_a_file_is_replaced(group):
    said = []
    pair = changes.Restarts(group, SimpleNamespace(), said.append)
    config = group.brokers[0].folder / "broker.conf"
    config.write_text("brokerName=a\nbrokerRole=SLAVE\nbrokerId=1\nlistenPort=1\n")

    pair._give_role(group.brokers[0], "ASYNC_MASTER", 0)

    assert config.read_text() == "brokerName=a\nlistenPort=1\nbrokerRole=ASYNC_MASTER\nbrokerId=0\n"
    assert said == ["ours/broker.conf: brokerRole=ASYNC_MASTER brokerId=0"]
