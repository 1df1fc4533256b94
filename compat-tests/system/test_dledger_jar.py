"""Members of ours and of stock DLedger 0.3.1.2 in one group: they elect, replicate and store alike."""

import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import artifacts
import servers

DATA_SIZE = 65_536
INDEX_SIZE = 3_200
BEAT_MS = 150
ANSWER_MAX_S = 15
SETTLED_MAX_S = 25

pytestmark = pytest.mark.skipif(
    shutil.which("javac") is None or shutil.which("mvn") is None, reason="needs Java and Maven"
)


class Obeying:
    """A process that answers each line on its stdin with a line that begins with ``> ``."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        assert self.answer() == ["ready"]

    def _read(self) -> None:
        for line in self.process.stdout:
            if line.startswith(b"> "):
                self.lines.put(line[2:].decode().rstrip("\n"))
        self.lines.put("ended")

    def answer(self) -> list[str]:
        """The next line, as words."""
        try:
            return self.lines.get(timeout=ANSWER_MAX_S).split(" ")
        except queue.Empty:
            raise AssertionError(f"no answer: {self.log.read_text()[-2000:]}") from None

    def ask(self, *words: object) -> list[str]:
        """Give a command, await its answer."""
        self.process.stdin.write(" ".join(str(word) for word in words).encode() + b"\n")
        self.process.stdin.flush()
        return self.answer()

    def quit(self) -> None:
        """Have it stop in good order."""
        self.process.stdin.write(b"quit\n")
        self.process.stdin.flush()
        code = self.process.wait(15)
        self._close()
        assert code == 0, self.log.read_text()[-2000:]

    def kill(self) -> None:
        """End it without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self._close()

    def _close(self) -> None:
        self.reader.join(10)
        self.process.stdin.close()
        self.process.stdout.close()


class Group:
    """Three members, each ours (``o``) or Java's (``j``).

    ``batch`` tells who pushes entries in batches: ``all``, ``ours`` or ``nobody``.
    """

    def __init__(self, folder: Path, batch: str) -> None:
        self.folder = folder
        self.batch = batch
        self.ids = ["n0", "n1", "n2"]
        self.peers = ";".join(f"{one}-127.0.0.1:{servers.free_port()}" for one in self.ids)
        self.members: dict[str, Obeying] = {}
        self.end = -1
        self.led_by: str | None = None

    def start(self, one: str, kind: str) -> None:
        arguments = ["g", one, self.peers, str(self.folder), str(DATA_SIZE), str(INDEX_SIZE)]
        batch = str(self.batch == "all" or (self.batch == "ours" and kind == "o")).lower()
        arguments += [str(BEAT_MS), batch]
        if kind == "o":
            command = [sys.executable, str(HERE / "dledger_member.py"), *arguments]
        else:
            command = [*java(self.folder), "Member", *arguments]
        self.members[one] = Obeying(command, self.folder / f"{one}.log")

    def start_all(self, kinds: str) -> "Group":
        for one, kind in zip(self.ids, kinds, strict=True):
            self.start(one, kind)
        return self

    def states(self) -> dict[str, list[str]]:
        return {one: member.ask("state")[1:] for one, member in self.members.items()}

    def settled(self, leader: str | None = None) -> str:
        """Wait until all agree who leads (``leader`` if named); gives who."""

        def agreed() -> str | None:
            states = self.states()
            led = [one for one, state in states.items() if state[0] == "LEADER"]
            known = {(state[1], state[2]) for state in states.values()}
            if len(led) == 1 and len(known) == 1 and leader in (None, led[0]):
                return led[0]
            return None

        return until(agreed, lambda: f"leader: {self.states()}")

    def append(self, *texts: str) -> None:
        """Append at whoever leads, until it is taken."""

        def appended() -> bool:
            if self.led_by not in self.members:
                self.led_by = self.settled()
            said, code, index, _ = self.members[self.led_by].ask("append", *texts)
            assert said == "appended"
            if code == "200":
                self.end = int(index)
                return True
            self.led_by = None
            return False

        until(appended, lambda: f"append: {self.states()}")

    def caught_up(self) -> None:
        """Wait until all have, and know as committed, what was appended."""

        def equal() -> bool:
            ends = [(int(state[4]), int(state[5])) for state in self.states().values()]
            return len(set(ends)) == 1 and ends[0][0] == ends[0][1] >= self.end

        until(equal, lambda: f"replication: {self.states()}")

    def same_bytes(self) -> None:
        """All members' files are equal, begin to end."""
        for kind in ("data", "index"):
            found = [
                {
                    path.name: path.read_bytes()
                    for path in (self.folder / f"dledger-{one}" / kind).iterdir()
                }
                for one in self.ids
            ]
            assert found[0] == found[1] == found[2], kind

    def lead(self, one: str) -> None:
        """Have ``one`` lead."""

        def leads() -> bool:
            leader = self.settled()
            if leader != one:
                self.members[leader].ask("transfer", one)
            return leader == one

        until(leads, lambda: f"transfer to {one}: {self.states()}")
        self.led_by = one

    def quit(self) -> None:
        for member in self.members.values():
            member.quit()
        self.members.clear()


def java(folder: Path) -> list[str]:
    classes = f"{artifacts.dledger_driver()}:{artifacts.server_jars()}/*"
    return ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", f"-Duser.home={folder}", "-cp", classes]


def until(true: Callable[[], object], what: Callable[[], str]) -> object:
    """Ask again and again until the answer is true; gives it."""
    end = time.monotonic() + SETTLED_MAX_S
    while not (found := true()):
        assert time.monotonic() < end, f"not within {SETTLED_MAX_S} s: {what()}"
        time.sleep(0.05)
    return found


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Callable[[str], Group]]:
    groups: list[Group] = []

    def make(batch: str = "nobody") -> Group:
        groups.append(Group(tmp_path, batch))
        return groups[-1]

    yield make
    for one in groups:
        for member in one.members.values():
            member.kill()


@pytest.mark.parametrize(("kinds", "batch"), [("ooj", "nobody"), ("ojj", "all"), ("joj", "ours")])
def test_each_leads_in_turn_and_all_have_the_same_bytes(group, kinds, batch):
    members = group(batch).start_all(kinds)

    for round_, one in enumerate(members.ids):
        members.lead(one)
        for number in range(10):
            members.append(f"{one}-{round_}-{number}-" + "x" * (number * 37))
        members.append("several", "at", "once")
        members.caught_up()

    members.same_bytes()


@pytest.mark.parametrize("kinds", ["ooj", "ojj"])
def test_a_killed_leader_is_followed_by_another_and_catches_up(group, kinds):
    members = group().start_all(kinds)

    for one in members.ids:
        members.lead(one)
        members.append(f"led by {one}")
        members.members.pop(one).kill()
        members.append(f"without {one}", "and", "more")
        members.start(one, kinds[members.ids.index(one)])
        members.append(f"with {one}")
        members.caught_up()

    members.same_bytes()


def test_each_opens_what_the_other_wrote(group):
    members = group().start_all("ojo")
    for number in range(400):
        members.append(f"{number}-" + "y" * 400)
    members.caught_up()
    end = members.end
    members.quit()
    members.same_bytes()

    members.start_all("joj")
    members.append("goes on")
    members.caught_up()

    assert members.end > end
    members.quit()
    members.same_bytes()


def test_a_stock_client_appends_and_reads(group, tmp_path):
    members = group().start_all("ooo")
    leader = members.settled()
    client = Obeying(
        [*java(tmp_path), "Member", "client", "g", members.peers], tmp_path / "client.log"
    )

    try:
        said, code, index, _ = client.ask("append", "hello")
        assert (said, code) == ("appended", "200")
        assert client.ask("get", index) == ["got", "200", "hello"]
        assert client.ask("get", 1000)[:2] == ["got", "410"]
        other = next(one for one in members.ids if one != leader)
        give_leadership(client, members, other)
        members.settled(other)
        assert client.ask("append", "again")[1] == "200"
    finally:
        client.kill()


def give_leadership(client, members, other):
    """Have it transferred; on a busy machine that may take longer than a member waits (418)."""
    for _ in range(5):
        leader = members.settled()
        if leader == other:
            return
        answer = client.ask("transfer", leader, other, members.states()[leader][2])
        if answer == ["transferred", "200"]:
            return
        assert answer == ["transferred", "418"]
    raise AssertionError(f"leadership was not given to {other}")
