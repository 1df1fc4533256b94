"""A DLedger group of brokers, ours (``o``) and Apache's (``j``), as processes."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import clusters
import servers
import wire
from clusters import wait_for

RUNTIME_INFO, TRANSFER = 28, 51005
LEADS_MAX_S = 60
READY_MAX_S = 150


class DLedgerGroup(clusters.Group):
    """A NameServer and the brokers n0, n1, ... of one name."""

    def __init__(
        self,
        folder: Path,
        kinds: str = "ooo",
        *,
        jars: Path | None = None,
        java_namesrv: bool = False,
        profile: str = "default",
        hub: str = "127.0.0.1",
        hosts: Sequence[str] = (),
        **settings: object,
    ) -> None:
        """``jars``: Apache's servers, if there are any; ``hosts``: of each broker, if not ``hub``."""
        self.controllers = []
        self._jars = jars
        home = folder / "namesrv"
        config = servers.namesrv_settings(home, bindAddress=hub)
        self.namesrv = (
            clusters.JavaNamesrv(home, config, jars)
            if jars is not None and java_namesrv
            else servers.Server("namesrv", home, config)
        )
        self.namesrv.host = hub
        places = list(hosts) or [hub] * len(kinds)
        self._ports = ports = [servers.free_port() for _ in kinds]
        peers = ";".join(
            f"n{number}-{host}:{port}"
            for number, (host, port) in enumerate(zip(places, ports, strict=True))
        )
        self._configs: list[dict[str, object]] = []
        self.brokers = []
        for number, kind in enumerate(kinds):
            home, host = folder / f"broker{number}", places[number]
            self._configs.append(
                servers.broker_settings(
                    home,
                    brokerIP1=host,
                    brokerIP2=host,
                    bindAddress=host,
                    brokerClusterName=clusters.CLUSTER_NAME,
                    brokerName=clusters.GROUP,
                    namesrvAddr=self.namesrv.address,
                    enableDLegerCommitLog="true",
                    dLegerGroup=clusters.GROUP,
                    dLegerPeers=peers,
                    dLegerSelfId=f"n{number}",
                    mappedFileSizeCommitLog=clusters.LOG_FILE_SIZE,
                    storePathCommitLog=home / "store/commitlog",
                    failoverProfile=profile,
                    **settings,
                )
            )
            self.brokers.append(self._made(number, kind))

    def _made(self, number: int, kind: str) -> servers.Server:
        config = dict(self._configs[number])
        home = Path(str(config["storePathRootDir"])).parent
        if kind == "j":
            assert self._jars is not None
            return clusters.JavaBroker(home, config, self._jars)
        return servers.Server("broker", home, config)

    def roll(self, number: int, kind: str) -> servers.Server:
        """Stop a broker in good order and start one of another kind over its store."""
        old = self.brokers[number]
        old.terminate()
        new = self.brokers[number] = self._made(number, kind)
        new.prefix = old.prefix
        return new.launch()

    def start(self) -> "DLedgerGroup":
        """Start all, wait until there is a master and all brokers have all it has."""
        self.namesrv.start()
        for server in self.brokers:
            server.launch()
        wait_for("a group", self.is_whole, READY_MAX_S)
        return self

    def transfer(self, number: int) -> None:
        """Have a broker lead; a transfer may fail, then it is asked for again."""
        wanted = self.brokers[number]

        def leads() -> bool:
            if self.master() is wanted:
                return True
            for one, port in enumerate(self._ports):
                text = next((self.brokers[one].folder / "store").glob("dledger-*/currterm"))
                body = {
                    "group": clusters.GROUP,
                    "localId": f"n{one}",
                    "remoteId": f"n{one}",
                    "term": int(re.search(r"currTerm=(\d+)", text.read_text()).group(1)),
                    "transferId": f"n{one}",
                    "transfereeId": f"n{number}",
                }
                if self.brokers[one] is self.master():
                    with wire.Peer(port, 10, host=self.brokers[one].host) as peer:
                        peer.call(TRANSFER, {}, json.dumps(body).encode())
            return False

        wait_for(f"n{number} to lead", leads, LEADS_MAX_S, 0.5)

    def in_sync(self) -> int:
        """How many slaves have, a little later, all the master has now; 0 without one."""
        master = self.master()
        if master is None:
            return 0
        end = log_end(master)
        running = [one for one in self.brokers if one.process is not None and one is not master]
        return sum(log_end(one) >= end >= 0 for one in running)

    def members(self) -> int:
        """How many brokers have all the master has, itself included."""
        return self.in_sync() + 1

    def log_end(self) -> int:
        """Where the committed log ends."""
        master = self.master()
        return -1 if master is None else log_end(master)

    def is_whole(self) -> bool:
        """Whether there is a master, and all brokers that run are registered and have its log."""
        running = [one for one in self.brokers if one.process is not None]
        return len(self.addresses()) == len(running) and self.in_sync() == len(running) - 1


def log_end(broker: servers.Server) -> int:
    """Where a broker's committed log ends; -1 if it does not answer."""
    try:
        with broker.peer(1) as peer:
            answer = peer.call(RUNTIME_INFO)
    except (OSError, ConnectionError):
        return -1
    if answer.code != wire.SUCCESS:
        return -1
    return int(json.loads(answer.body)["table"]["commitLogMaxOffset"])


def log_folder(broker: servers.Server) -> Path:
    """Where a broker's entries lie."""
    return next((broker.folder / "store").glob("dledger-*")) / "data"


def log_digest(broker: servers.Server, end: int) -> str:
    """The sum (SHA-256) of a broker's entries up to ``end``, and where they begin."""
    return clusters.files_digest(log_folder(broker), end)


def queue_units(broker: servers.Server, queue_id: int, count: int) -> bytes:
    """The first units of one of the topic's consume queues, as they are on disk."""
    folder = broker.folder / f"store/consumequeue/{clusters.TOPIC}/{queue_id}"
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))[: 20 * count]
