"""What people look at a cluster with: stock ``mqadmin``, and Apache's console in Chromium."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import artifacts
import servers

CONSOLE_VARIABLE = "RMQ_CONSOLE"
"""Names the folder of a console: ``rocketmq-dashboard.jar``, and what it needs in ``lib``."""
MQADMIN_MAX_S = 60
MQADMIN_TRIES = 3
START_MAX_S = 120
PAGE_MAX_S = 60
PAGE_TRIES = 3
DRAWN_MS = 10_000
"""How much of its own time a page may take; it is drawn as soon as it waits for nothing."""
SIZE = "1440,500"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_ROW = re.compile(r'<tr[^>]*class="ant-table-row.*?</tr>', re.DOTALL)
_CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_ID = re.compile(r"\d+")

Ids = dict[int, str]
"""Address of each broker by its id, of one name; 0 is the master."""


def mqadmin(home: Path, expected: str, *words: str) -> str:
    """What the stock tool prints when it says what is expected; it may give up too early once."""
    for _ in range(MQADMIN_TRIES):
        done = subprocess.run(
            [
                *("java", "-Xmx128m", f"-Duser.home={home}"),
                *("-cp", f"{artifacts.server_jars()}/*"),
                *("org.apache.rocketmq.tools.command.MQAdminStartup", *words),
            ],
            capture_output=True,
            text=True,
            timeout=MQADMIN_MAX_S,
            check=False,
        )
        lines = (done.stdout + done.stderr).splitlines()
        said = "\n".join(line for line in lines if "|-" not in line)
        if expected in said:
            return said
    raise AssertionError(f"{words} said {said}")


def listed(home: Path, namesrv: str, name: str) -> Ids:
    """The brokers of a name as ``mqadmin clusterList`` has them."""
    rows = map(str.split, mqadmin(home, name, "clusterList", "-n", namesrv).splitlines())
    return {int(row[2]): row[3] for row in rows if len(row) > 3 and row[1] == name}


class Console:
    """Apache's console, rocketmq-dashboard, as a process that a browser asks."""

    def __init__(self, jars: Path, home: Path, namesrv: str) -> None:
        """``jars``: its folder; ``home``: where it and the browser write."""
        home.mkdir()
        self._home = home
        self._url = f"http://127.0.0.1:{servers.free_port()}"
        self._said = home / "console.out"
        found = filter(None, map(shutil.which, _BROWSERS))
        self._browser = next(found, None)
        assert self._browser, f"none of {', '.join(_BROWSERS)} is there"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [
                    *("java", "-Xmx512m", f"-Duser.home={home}"),
                    *("-cp", f"{jars}/rocketmq-dashboard.jar:{jars}/lib/*"),
                    "org.apache.rocketmq.dashboard.App",
                    f"--server.port={self._url.rpartition(':')[2]}",
                    f"--rocketmq.config.namesrvAddrs={namesrv}",
                ],
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=home,
            )

    def started(self) -> "Console":
        """Wait until it answers."""
        end = time.monotonic() + START_MAX_S
        while True:
            code = self._process.poll()
            assert code is None, f"ended with {code}: {self._said.read_text()[-2000:]}"
            try:
                self._asked("/cluster/list.query")
            except (OSError, AssertionError):
                assert time.monotonic() < end, f"not up: {self._said.read_text()[-2000:]}"
                time.sleep(0.5)
            else:
                return self

    def end(self) -> None:
        """End its process."""
        self._process.kill()
        self._process.wait()

    def known(self, name: str) -> Ids:
        """The brokers of a name, in what its cluster page is made of."""
        table = self._asked("/cluster/list.query")["clusterInfo"]["brokerAddrTable"]
        return {int(key): at for key, at in table[name]["brokerAddrs"].items()}

    def shown(self, name: str, picture: Path) -> Ids:
        """The brokers of a name in its cluster page, of which ``picture`` gets a picture."""
        for _ in range(PAGE_TRIES):
            rows = [_cells(row) for row in _ROW.findall(self._drawn("/#/cluster", picture))]
            ids = {int(_ID.match(row[1])[0]): row[2] for row in rows if row[0] == name}
            if ids:
                break
        return ids

    def _asked(self, path: str) -> dict:
        with urllib.request.urlopen(self._url + path, timeout=PAGE_MAX_S) as answer:
            told = json.load(answer)
        assert told["status"] == 0, told
        return told["data"]

    def _drawn(self, page: str, picture: Path) -> str:
        """A page's elements after its scripts have run."""
        with (self._home / "browser.err").open("ab") as errors:
            done = subprocess.run(
                [
                    *(self._browser, "--headless=new", "--no-sandbox", "--disable-gpu"),
                    *("--hide-scrollbars", "--lang=en-US", f"--window-size={SIZE}"),
                    *(f"--user-data-dir={self._home}/browser", f"--screenshot={picture}"),
                    *("--dump-dom", f"--virtual-time-budget={DRAWN_MS}", self._url + page),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                timeout=PAGE_MAX_S,
                check=True,
            )
        return done.stdout


def console_folder() -> Path | None:
    """Where the console is that the tests shall use, if one is named."""
    named = os.environ.get(CONSOLE_VARIABLE)
    return Path(named).resolve() if named else None


def _cells(row: str) -> list[str]:
    return [_TAG.sub("", cell).strip() for cell in _CELL.findall(row)]
