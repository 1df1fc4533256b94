"""What the containers run, made once and kept in `.build/`: jars, drivers, wheels.

Everything is keyed by what it is made of, so an unchanged thing is never made twice.
"""

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
BUILD = HERE / ".build"

APACHE = "5.3.3"
"""The version of Apache's servers and of mqadmin."""

SMOKE = ("3.6.2.Final", "4.0.0-incubating")
"""Clients too old for the whole suite; they have no batches."""

CLIENTS = ("4.3.2", "4.9.8", "5.1.4", "5.3.3", "5.4.0")
"""Java clients that the whole suite runs with."""

_WITHOUT_LITE = (*SMOKE, "4.3.2")
"""Clients from before the polling consumer of 4.6."""

GO = "go-2.1.2"
NODE = "ali-ons-3.12.0"
"""The client of Node.js, which has no batches, no one-way sends, no pulls and no unique keys."""

_PYTHON = "3.11"
"""The server image's Python, Debian 12's."""


def run(*command: str | Path, timeout_s: float, cwd: Path | None = None, **env: str) -> str:
    """Run a program and give its output; fail with all that it said."""
    import os

    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        words = " ".join(str(word) for word in command)
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{output[-4000:]}")
    return output


def digest(paths: Iterable[Path]) -> str:
    """Name the state of some files by 12 hexadecimal digits."""
    state = hashlib.sha256()
    for path in sorted(paths):
        state.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()[:12]


def _made(target: Path, key: str) -> bool:
    stamp = target / ".stamp"
    return stamp.exists() and stamp.read_text() == key


def _fresh(target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    return target


def _seal(target: Path, key: str) -> Path:
    (target / ".stamp").write_text(key)
    return target


def _maven(pom: Path, target: Path, *properties: str) -> Path:
    key = digest([pom]) + " " + " ".join(properties)
    if _made(target, key):
        return target
    _fresh(target)
    run(
        "mvn",
        "-q",
        "-B",
        "-f",
        pom,
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={target}",
        *properties,
        timeout_s=600,
    )
    return _seal(target, key)


def server_jars() -> Path:
    """Apache's NameServer, Broker and mqadmin with all that they need."""
    return _maven(
        HERE / "clients/server/pom.xml", BUILD / "jars/server", f"-Dserver.version={APACHE}"
    )


def client_jars(version: str) -> Path:
    """One generation of the Java client with all that it needs."""
    group = "com.alibaba.rocketmq" if version.startswith("3.") else "org.apache.rocketmq"
    return _maven(
        HERE / "clients/java/pom.xml",
        BUILD / f"jars/client-{version}",
        f"-Dclient.group={group}",
        f"-Dclient.version={version}",
    )


def java_driver(version: str) -> Path:
    """The Java driver compiled against one generation of the client."""
    jars = client_jars(version)
    names = ["Driver.java"] if version in _WITHOUT_LITE else ["Driver.java", "Lite.java"]
    sources = [HERE / "clients/java" / name for name in names]
    target = BUILD / f"drivers/{version}"
    key = digest(sources)
    if _made(target, key):
        return target
    _fresh(target)
    for source in sources:
        text = source.read_text()
        if version.startswith("3."):
            text = text.replace("org.apache.rocketmq", "com.alibaba.rocketmq")
        (target / source.name).write_text(text)
    run(
        *("javac", "-nowarn", "-encoding", "UTF-8", "--release", "8", "-Xlint:-options"),
        *("-cp", f"{jars}/*", "-d", target, *(target / name for name in names)),
        timeout_s=120,
    )
    return _seal(target, key)


def dledger_driver() -> Path:
    """A stock DLedger member and client, compiled against what Apache's servers bring along."""
    return _beside_servers(HERE / "clients/dledger/Member.java", "dledger")


def failover_driver() -> Path:
    """A stock producer that never gives up, compiled against what Apache's servers bring along."""
    return _beside_servers(HERE / "clients/failover/Steady.java", "failover")


def _beside_servers(source: Path, name: str) -> Path:
    jars = server_jars()
    target = BUILD / "drivers" / name
    key = digest([source])
    if _made(target, key):
        return target
    _fresh(target)
    run(
        *("javac", "-nowarn", "-encoding", "UTF-8", "-cp", f"{jars}/*", "-d", target, source),
        timeout_s=120,
    )
    return _seal(target, key)


def go_driver() -> Path:
    """The Go driver, linked statically."""
    source = HERE / "clients/go"
    target = BUILD / f"drivers/{GO}"
    key = digest([source / "main.go", source / "go.mod", source / "go.sum"])
    if _made(target, key):
        return target
    _fresh(target)
    run(
        *("go", "build", "-trimpath", "-o", target / "driver", "."),
        cwd=source,
        timeout_s=600,
        CGO_ENABLED="0",
        GOFLAGS="-mod=readonly",
    )
    return _seal(target, key)


def node_driver() -> Path:
    """The driver for Node.js with the client beside it; none of its packages' scripts has run."""
    source = HERE / "clients/nodejs"
    target = BUILD / f"drivers/{NODE}"
    key = digest([source / "driver.js", source / "package.json"])
    if _made(target, key):
        return target
    _fresh(target)
    for name in ("driver.js", "package.json"):
        shutil.copy(source / name, target)
    run(
        *("npm", "install", "--omit=dev", "--ignore-scripts", "--no-package-lock"),
        *("--no-audit", "--no-fund"),
        cwd=target,
        timeout_s=300,
    )
    return _seal(target, key)


def all_drivers() -> None:
    """Make every jar folder and every driver, one after the other: no cache here is shared."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server_jars()
        for version in (*SMOKE, *CLIENTS):
            java_driver(version)
        dledger_driver()
        failover_driver()
        go_driver()
        node_driver()


def dependency_wheels() -> Path:
    """The server's dependencies as wheels for the image's Python, as the constraints pin them."""
    constraints = PROJECT / "constraints.txt"
    pyproject = PROJECT / "pyproject.toml"
    pinned = constraints.exists()
    key = digest([pyproject, constraints] if pinned else [pyproject])
    target = BUILD / "wheels"
    if _made(target, key):
        return target
    _fresh(target)
    import tomllib

    wanted = tomllib.loads(pyproject.read_text())["project"]["dependencies"]
    machine = platform.machine()
    platforms = [
        f"manylinux_2_{minor}_{machine}" for minor in (36, 35, 34, 31, 28, 27, 24, 17, 12, 5)
    ]
    platforms += [f"manylinux2014_{machine}", f"linux_{machine}"]
    run(
        *(sys.executable, "-m", "pip", "download", "-q", "-d", target, "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", _PYTHON),
        *(word for tag in platforms for word in ("--platform", tag)),
        *(("-c", constraints) if pinned else ()),
        *wanted,
        timeout_s=600,
    )
    return _seal(target, key)


def project_files() -> list[Path]:
    """Every file that the project's own wheel is made of."""
    sources = [
        path
        for package in ("rmq", "codec")
        for path in (PROJECT / package).rglob("*")
        if path.is_file() and "tests" not in path.parts and "__pycache__" not in path.parts
    ]
    extra = [PROJECT / name for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE")]
    return sources + [path for path in extra if path.exists()]


def project_wheel() -> Path:
    """The folder with the checkout's own wheel, and nothing else."""
    key = digest(project_files())
    target = BUILD / "project"
    if _made(target, key):
        return target
    _fresh(target)
    with tempfile.TemporaryDirectory() as folder:
        for path in project_files():
            copy = Path(folder, path.relative_to(PROJECT))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        run(
            *(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", target, folder),
            timeout_s=300,
        )
    return _seal(target, key)
