"""A NameServer, put together: configuration, tables, port; with a Controller beside it if asked."""

import logging
from collections.abc import Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from rmq.app.controller import EMBEDDED, ControllerServer
from rmq.app.outside import Outside, true_outside
from rmq.base.ports import Disk
from rmq.conf.startup import NamesrvSettings
from rmq.namesrv.addresses import AddressView
from rmq.namesrv.configuration import Configuration
from rmq.namesrv.role import Namesrv
from rmq.net.client import RemotingClient
from rmq.net.server import RemotingServer
from rmq.net.twisted_ports import Reactor
from rmq.remoting.handling import handler_table

log = logging.getLogger(__name__)


class NameServer:
    """A NameServer with its port."""

    def __init__(
        self,
        reactor: Reactor,
        settings: NamesrvSettings,
        disk: Disk,
        view: AddressView | None = None,
        outside: Outside | None = None,
    ) -> None:
        """Builds everything; opens nothing. ``view`` see :class:`rmq.namesrv.role.Namesrv`.

        :raises rmq.base.errors.ConfigError: the Controller's group cannot be used.
        :raises ValueError: two processors answer one request code.
        """
        self.settings = settings
        outside = outside or true_outside(reactor)
        clock = outside.clock
        self.controller = (
            None
            if settings.controller is None
            else ControllerServer(reactor, settings.controller, disk, outside, title=EMBEDDED)
        )
        self.client = RemotingClient(reactor, clock)
        self.role = Namesrv(
            Configuration(disk, settings.namesrv, (settings.server,), settings.values),
            clock,
            disk,
            self.client,
            view,
        )
        server = settings.server
        self.server = RemotingServer(
            reactor,
            clock,
            handler_table(self.role.processors),
            interface=server.bindAddress,
            port=server.listenPort,
            idle_ms=server.serverChannelMaxIdleTimeSeconds * 1000,
            unfinished_ms=settings.rmq.unfinishedFrameTimeoutMs,
            closed=self.role.channel_closed,
        )

    def start(self) -> None:
        """Load the values and listen; the NameServer serves when this returns.

        :raises rmq.base.errors.ConfigError: the file of values cannot be used.
        :raises rmq.base.errors.StoreError: the Controller's log cannot be used.
        :raises twisted.internet.error.CannotListenError: a port is taken.
        """
        self.role.start()
        self.server.start()
        if self.controller is not None:
            self.controller.start()

    @property
    def boot_line(self) -> str:
        """What is printed when the NameServer serves; wait strategies match it."""
        return (
            "The Name Server boot success. serializeType=JSON, "
            f"address {self.settings.server.bindAddress}:{self.server.port}"
        )

    @property
    def boot_lines(self) -> list[str]:
        """That, and the Controller's if there is one."""
        if self.controller is None:
            return [self.boot_line]
        return [self.boot_line, self.controller.boot_line]

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Close the port and everything; fires when all is done."""
        self.role.stop()
        yield self.server.stop()
        if self.controller is not None:
            yield self.controller.stop()
        self.client.stop()
