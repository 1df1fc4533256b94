"""``rmq dev --dledger N``: a DLedger group for a first look, its brokers are there to be killed.

The NameServer runs in this process. A broker that ends is told of, and started again.
"""

import sys
from collections.abc import Generator, Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

from rmq.app.dev import AUTO, LOOPBACK, DevOptions
from rmq.app.first_message import FirstMessage, Seen, tell
from rmq.app.namesrv import NameServer
from rmq.base.periodic import Periodic
from rmq.base.ports import Disk
from rmq.conf.settings import Machine
from rmq.conf.startup import BrokerSettings, broker_settings, namesrv_settings
from rmq.net.children import Child, Spawn
from rmq.net.clock import ReactorClock
from rmq.net.twisted_ports import Reactor

BROKER_NAME = "rmq-dev"
PORT_DISTANCE = 10
"""From one broker's port to the next one's."""
PEER_PORT_DISTANCE = 3
"""From a broker's port to that of its member of the group."""
LOOK_MS = 200
"""How often it is looked who leads."""
RESTART_MS = 10_000
"""How long a broker that has ended stays so: longer than the others need to notice it."""


class Broker:
    """One of the group: its configuration, and the process that runs it."""

    def __init__(self, number: int, settings: BrokerSettings, folder: str) -> None:
        self.name = f"n{number}"
        self.settings = settings
        self.config_path = f"{folder}/broker.conf"
        self.log_path = f"{folder}/broker.log"
        self.address = f"{settings.broker.brokerIP1}:{settings.server.listenPort}"
        self.child: Child | None = None


class DevGroup:
    """A NameServer, and brokers of one name."""

    def __init__(
        self,
        reactor: Reactor,
        options: DevOptions,
        values: Mapping[str, str],
        machine: Machine,
        *,
        disk: Disk,
        spawn: Spawn,
    ) -> None:
        """``values`` are the brokers' settings from a file; the options win over them.

        ``disk`` keeps the brokers' configurations, ``spawn`` starts their processes.

        :raises rmq.base.errors.ConfigError: a setting cannot be used.
        """
        self._reactor = reactor
        self._clock = ReactorClock(reactor)
        self._options = options
        self._disk = disk
        self._spawn = spawn
        self._is_stopping = False
        self._leader: Broker | None = None
        self._stopped: Deferred[None] | None = None
        self._looks = Periodic(self._clock, LOOK_MS, self._look)
        self.exit_code = 0
        settings = namesrv_settings(
            {},
            machine,
            overrides={
                "listenPort": str(options.namesrv_port),
                "bindAddress": options.bind,
                "kvConfigPath": f"{options.store}/namesrv/kvConfig.json",
                "configStorePath": f"{options.store}/namesrv/namesrv.properties",
            },
        )
        self.namesrv = NameServer(reactor, settings, disk)
        self.brokers = [self._broker(number, values, machine) for number in range(options.dledger)]
        self.warnings = self.brokers[0].settings.warnings

    def _broker(self, number: int, values: Mapping[str, str], machine: Machine) -> Broker:
        options = self._options
        ports = [options.broker_port + PORT_DISTANCE * one for one in range(options.dledger)]
        folder = f"{options.store}/n{number}"
        advertise = options.advertise or (None if "brokerIP1" in values else AUTO)
        given = {
            "brokerName": BROKER_NAME,
            "enablePropertyFilter": "true",
            **values,
            **({} if advertise is None else {"brokerIP1": _advertised(advertise)}),
            **({"inMemory": "true"} if options.in_memory else {}),
            "listenPort": str(ports[number]),
            "bindAddress": options.bind,
            "namesrvAddr": f"{LOOPBACK}:{options.namesrv_port}",
            "storePathRootDir": folder,
            "enableDLegerCommitLog": "true",
            "dLegerGroup": BROKER_NAME,
            "dLegerPeers": ";".join(
                f"n{one}-{LOOPBACK}:{port + PEER_PORT_DISTANCE}" for one, port in enumerate(ports)
            ),
            "dLegerSelfId": f"n{number}",
        }
        broker = Broker(number, broker_settings(given, machine), folder)
        text = "".join(f"{key}={value}\n" for key, value in given.items())
        self._disk.replace(broker.config_path, text.encode())
        return broker

    def start(self) -> None:
        """Start the NameServer, then the brokers' processes.

        :raises OSError: a process cannot be started.
        :raises twisted.internet.error.CannotListenError: a port is taken.
        """
        self.namesrv.start()
        _say(self.namesrv.boot_line)
        for broker in self.brokers:
            self._launch(broker)
        self._looks.start()

    def _launch(self, broker: Broker) -> None:
        if self._is_stopping:
            return
        words = (sys.executable, "-P", "-m", "rmq", "broker", "-c", broker.config_path)
        broker.child = self._spawn(words, broker.log_path, partial(self._ended, broker))

    def _ended(self, broker: Broker, how: str) -> None:
        broker.child = None
        if self._is_stopping:
            self._look_for_end()
            return
        _say(f"{broker.name} has ended ({how}); it is started again in {RESTART_MS // 1000} s")
        self._clock.call_later(RESTART_MS, partial(self._launch, broker))

    def _look(self) -> None:
        """Tell who leads, if that has changed."""
        known = self.namesrv.role.tables.brokers.get(BROKER_NAME)
        address = None if known is None else known.broker_addrs.get(0)
        leader = next((one for one in self.brokers if one.address == address), None)
        if leader is None or leader is self._leader or leader.child is None:
            return
        is_first, self._leader = self._leader is None, leader
        _say(
            f"{leader.name} leads the group: {leader.address}, process {leader.child.pid}. "
            f"To see another take over: kill -9 {leader.child.pid}"
        )
        if is_first and self._options.first_message:
            self._send_first_message()

    def _send_first_message(self) -> None:
        first = FirstMessage(self._reactor, self._clock, f"{LOOPBACK}:{self._options.namesrv_port}")
        kept_in = "memory, until the end" if self._options.in_memory else self._options.store

        def done(_: object) -> None:
            if self._options.once:
                self._reactor.stop()

        def told(seen: Seen) -> None:
            tell(seen, kept_in=kept_in, stays=not self._options.once)

        def failed(failure: Failure) -> None:
            self.exit_code = 1
            sys.stderr.write(f"rmq: the first message failed: {failure.value}\n")

        first.send_and_receive().addCallback(told).addErrback(failed).addCallback(done)

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Stop the brokers, then the NameServer; fires when all is done."""
        self._looks.stop()
        self._is_stopping = True
        self._stopped = Deferred()
        for broker in self.brokers:
            if broker.child is not None:
                broker.child.stop()
        self._look_for_end()
        yield self._stopped
        yield self.namesrv.stop()

    def _look_for_end(self) -> None:
        stopped = self._stopped
        if stopped is not None and all(one.child is None for one in self.brokers):
            self._stopped = None
            stopped.callback(None)


def _advertised(advertise: str) -> str:
    return LOOPBACK if advertise == AUTO else advertise


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
