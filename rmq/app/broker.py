"""A broker, put together: tables, store, services, processors, and the ports it listens on.

What it is made of stands in ``broker_tables``, ``broker_services`` and ``broker_processors``; here
is the order in which they start and stop.
"""

import logging
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError

from rmq.app.broker_dledger import Grouped, refuse_old_log
from rmq.app.broker_ports import BrokerPorts
from rmq.app.broker_processors import processors
from rmq.app.broker_services import Services
from rmq.app.broker_tables import build_tables
from rmq.app.outside import Outside, true_outside
from rmq.app.store import store_settings
from rmq.base.ports import Disk
from rmq.broker.live_config import Follower
from rmq.conf.startup import BrokerSettings
from rmq.net.client import RemotingClient
from rmq.net.ha import HaClient, HaServer
from rmq.net.server import RemotingServer
from rmq.net.twisted_ports import Reactor
from rmq.remoting.channel import Channel
from rmq.remoting.handling import HandlerTable, handler_table, without
from rmq.store.store import MessageStore

log = logging.getLogger(__name__)

FAST_PORT_DISTANCE = 2
"""The fast port is this much below the main one."""

NOT_ON_FAST_PORT = (11, 361, 200050, 200052, 200054, 200055)
"""What the fast port does not answer: whatever can wait for messages.

Source: BrokerController.java, registerProcessor(), 5.3.3."""


class Broker:
    """A broker in whatever role."""

    def __init__(
        self,
        reactor: Reactor,
        settings: BrokerSettings,
        disk: Disk,
        outside: Outside | None = None,
    ) -> None:
        """Builds everything; opens nothing. ``disk`` keeps the store and the tables.

        :raises rmq.base.errors.ConfigError: a setting cannot be used.
        :raises ValueError: two processors answer one request code.
        """
        self._reactor = reactor
        self._settings = settings
        outside = outside or true_outside(reactor)
        self._ports = ports = BrokerPorts(
            settings, disk, outside.clock, outside.chance, outside.process_id
        )
        self.address = ports.address
        self._worker = outside.worker
        self.client = RemotingClient(reactor, ports.clock)
        self.grouped: Grouped | None = None
        if settings.store.enableDLegerCommitLog:
            self.grouped = Grouped(ports, self._worker, self.client)
        self.store = MessageStore(
            disk,
            ports.clock,
            replace(
                store_settings(settings.store, ports.store_host),
                process_id=outside.process_id,
                memory_size=outside.memory_size,
            ),
            None if self.grouped is None else self.grouped.log,
        )
        self.tables = build_tables(ports, self.store.min_offset)
        self.services = Services(
            ports,
            self.tables,
            self.store,
            self._worker,
            self.client,
            HaClient(reactor).dial,
            self.grouped,
        )
        answering = processors(ports, self.tables, self.store, self.services, self.client)
        following = [one for one in answering if hasattr(one, "config")]
        self.services.live.follow(*cast("list[Follower]", following))
        table = handler_table(answering)
        self.client.serve(table)
        port = settings.server.listenPort
        self._servers = (
            self._server(table, port),
            self._server(without(table, NOT_ON_FAST_PORT), port - FAST_PORT_DISTANCE),
            self._peers_server(),
        )

    def _server(
        self, table: HandlerTable, port: int, closed: Callable[[Channel], None] | None = None
    ) -> RemotingServer:
        server = self._settings.server
        return RemotingServer(
            self._reactor,
            self._ports.clock,
            table,
            interface=server.bindAddress,
            port=port,
            idle_ms=server.serverChannelMaxIdleTimeSeconds * 1000,
            unfinished_ms=self._settings.rmq.unfinishedFrameTimeoutMs,
            closed=closed or self.services.housekeeping.channel_closed,
        )

    def _peers_server(self) -> RemotingServer | HaServer:
        """Where the other brokers of the set come to."""
        if self.grouped is not None:
            member = self.grouped.member
            table = handler_table(member.processors)
            return self._server(table, self.grouped.port, member.channel_closed)
        return HaServer(
            self._reactor,
            self.services.replication,
            interface=self._settings.server.bindAddress,
            port=self._settings.store.haListenPort,
        )

    @property
    def settings(self) -> BrokerSettings:
        """The settings of now: commands may change the broker's."""
        return replace(self._settings, broker=self.services.live.broker)

    @property
    def boot_line(self) -> str:
        """What is printed when the broker serves; wait strategies match it."""
        config = self.settings.broker
        line = f"The broker[{config.brokerName}, {self.address}] boot success. serializeType=JSON"
        return f"{line} and name server is {config.namesrvAddr}" if config.namesrvAddr else line

    def start(self) -> None:
        """Load everything, listen, register; the broker serves when this returns.

        :raises rmq.base.errors.StoreError: the store or a table cannot be read, or is in use.
        :raises twisted.internet.error.CannotListenError: a port is taken.
        """
        refuse_old_log(self._settings.store, self._ports.disk)
        self.tables.load()
        self.services.load()
        self._load_store()
        try:
            for server in self._servers:
                server.start()
        except CannotListenError:
            self.store.close()  # else the next start would take it for a crash
            raise
        self._worker.start()
        self.services.start()

    def _load_store(self) -> None:
        """Under Controllers nobody reads what was not confirmed: it may yet be cut away."""
        store, has_controllers = self.store, self.services.controlled is not None
        if has_controllers:
            store.limit_dispatch(0)
        report = store.load()
        log.info("store loaded report=%s", report)
        if has_controllers:
            store.limit_dispatch(store.confirmed_position)
            store.dispatch()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Say goodbye to the NameServers, close the ports, save, flush; fires when all is done."""
        if self.grouped is not None:
            yield self.grouped.leave()
        yield self.services.unregister()
        for server in self._servers:
            yield server.stop()
        self.client.stop()
        yield self.services.stop()
        self._worker.stop()
        self.tables.persist()
        self.store.close()
