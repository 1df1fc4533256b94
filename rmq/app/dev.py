"""``rmq dev``: NameServer and broker in one process, for a developer's desk and for CI."""

import logging
import re
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

from rmq.app.broker import Broker
from rmq.app.disks import chosen_disk
from rmq.app.first_message import FirstMessage, Seen, tell
from rmq.app.namesrv import NameServer
from rmq.conf.settings import Machine
from rmq.conf.startup import broker_settings, namesrv_settings
from rmq.namesrv.addresses import AutomaticAddresses
from rmq.net.clock import ReactorClock
from rmq.net.twisted_ports import Reactor

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOptions:
    """What the command line of ``rmq dev`` says; ``advertise`` None: automatic, unless the file
    sets brokerIP1; ``dledger``: so many brokers of a group in place of one, if not 0.
    """

    namesrv_port: int
    broker_port: int
    store: str
    in_memory: bool
    bind: str
    advertise: str | None
    first_message: bool
    once: bool
    dledger: int = 0


class DevServer:
    """Both roles, composed; nothing shared but the process."""

    def __init__(
        self,
        reactor: Reactor,
        options: DevOptions,
        values: Mapping[str, str],
        machine: Machine,
    ) -> None:
        """``values`` are the broker's settings from a file; the options win over them.

        :raises rmq.base.errors.ConfigError: a setting cannot be used.
        """
        self._reactor = reactor
        self._options = options
        self._kept_in = (
            "memory, until the end"
            if options.in_memory
            else re.sub(f"^{re.escape(machine.home)}(?=/)", "~", options.store)
        )
        self.exit_code = 0
        namesrv_port = options.namesrv_port
        namesrv = namesrv_settings(
            {},
            machine,
            overrides={
                "listenPort": str(namesrv_port),
                "bindAddress": options.bind,
                "kvConfigPath": f"{options.store}/namesrv/kvConfig.json",
                "configStorePath": f"{options.store}/namesrv/namesrv.properties",
            },
        )
        overrides = {
            "listenPort": str(options.broker_port),
            "bindAddress": options.bind,
            "namesrvAddr": f"{LOOPBACK}:{namesrv_port}",
            "storePathRootDir": options.store,
        }
        advertise = options.advertise or (None if "brokerIP1" in values else AUTO)
        if advertise is not None:
            overrides["brokerIP1"] = LOOPBACK if advertise == AUTO else advertise
        if options.in_memory:
            overrides["inMemory"] = "true"
        defaults = {"brokerName": "rmq-dev", "enablePropertyFilter": "true"}
        settings = broker_settings({**defaults, **values}, machine, overrides=overrides)
        self.warnings = settings.warnings
        disk = chosen_disk(settings, ReactorClock(reactor))
        self.broker = Broker(reactor, settings, disk)
        shown = {self.broker.address} if advertise == AUTO else set[str]()
        self.namesrv = NameServer(reactor, namesrv, disk, AutomaticAddresses(shown))

    def start(self) -> None:
        """Start the NameServer, then the broker; both serve when this returns.

        :raises rmq.base.errors.RmqError: the store cannot be used.
        :raises twisted.internet.error.CannotListenError: a port is taken.
        """
        self.namesrv.start()
        self.broker.start()
        sys.stdout.write(f"{self.namesrv.boot_line}\n{self.broker.boot_line}\n")
        sys.stdout.flush()
        if self._options.first_message:
            self._send_first_message()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Stop the broker, then the NameServer; fires when all is done."""
        yield self.broker.stop()
        yield self.namesrv.stop()

    def _send_first_message(self) -> None:
        clock = ReactorClock(self._reactor)
        first = FirstMessage(self._reactor, clock, f"{LOOPBACK}:{self._options.namesrv_port}")

        def done(_: object) -> None:
            if self._options.once:
                self._reactor.stop()

        def told(seen: Seen) -> None:
            tell(seen, kept_in=self._kept_in, stays=not self._options.once)

        def failed(failure: Failure) -> None:
            self.exit_code = 1
            sys.stderr.write(f"rmq: the first message failed: {failure.value}\n")

        first.send_and_receive().addCallback(told).addErrback(failed).addCallback(done)
