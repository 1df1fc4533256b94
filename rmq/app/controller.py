"""A Controller, put together: its member of the group, its tables, and the port of both.

Brokers and the other Controllers come to one port, the one that ``controllerDLegerPeers`` names.
"""

import logging
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError

from rmq.app.outside import Outside, true_outside
from rmq.base.errors import ConfigError, StoreError
from rmq.base.ports import Disk
from rmq.conf.controller import ControllerConfig
from rmq.conf.controller_startup import ControllerSettings
from rmq.controller.configuration import Configuration
from rmq.controller.role import Controller
from rmq.dledger.member import Member, MemberPorts
from rmq.dledger.settings import LedgerSettings, MemberSettings, parse_peers
from rmq.net.client import RemotingClient
from rmq.net.server import RemotingServer
from rmq.net.twisted_ports import Reactor
from rmq.raft.config import RaftConfig
from rmq.remoting.channel import Channel
from rmq.remoting.handling import handler_table

log = logging.getLogger(__name__)

ALONE = "Controller Server"
EMBEDDED = "ControllerManager"
"""What boot lines call a Controller with a process of its own, and one in a NameServer.

Source: ControllerStartup.java and NamesrvStartup.java, 5.3.3.
"""


class ControllerServer:
    """A Controller with its port."""

    def __init__(
        self,
        reactor: Reactor,
        settings: ControllerSettings,
        disk: Disk,
        outside: Outside | None = None,
        *,
        title: str = ALONE,
    ) -> None:
        """Builds everything; opens nothing. ``disk`` keeps the log and changed settings.

        :raises ConfigError: the group cannot be used.
        :raises ValueError: two processors answer one request code.
        """
        self.settings = settings
        outside = outside or true_outside(reactor)
        self._disk = disk
        self._worker = outside.worker
        self._title = title
        self._unlock: Callable[[], None] = lambda: None
        self.client = RemotingClient(reactor, outside.clock)
        member_settings = member_of(settings)
        self._folder = member_settings.ledger.folder
        self.member = Member(
            member_settings,
            MemberPorts(
                disk=disk,
                clock=outside.clock,
                chance=outside.chance,
                caller=self.client,
                worker=outside.worker,
            ),
        )
        server = settings.server
        configuration = Configuration(disk, settings.controller, (server,), settings.values)
        self.role = Controller(configuration, outside.clock, self.member, self.client)
        own_address = member_settings.addresses[self.member.self_id]
        self.server = RemotingServer(
            reactor,
            outside.clock,
            handler_table([*self.member.processors, *self.role.processors]),
            interface=server.bindAddress,
            port=int(own_address.rpartition(":")[2]),
            idle_ms=server.serverChannelMaxIdleTimeSeconds * 1000,
            unfinished_ms=settings.rmq.unfinishedFrameTimeoutMs,
            closed=self._channel_closed,
        )

    def _channel_closed(self, channel: Channel) -> None:
        self.role.channel_closed(channel)
        self.member.channel_closed(channel)

    @property
    def boot_line(self) -> str:
        """What is printed when the Controller takes part; wait strategies match it."""
        return f"The {self._title} boot success. serializeType=JSON"

    def start(self) -> None:
        """Listen, read the log, take part; the Controller leads or follows soon after this.

        :raises rmq.base.errors.StoreError: the log cannot be read, or is in use.
        :raises twisted.internet.error.CannotListenError: the port is taken.
        """
        try:
            self._unlock = self._disk.lock(f"{self._folder}/lock")
        except BlockingIOError as error:
            raise StoreError(
                f"{self._folder} is in use by another process; stop that one, or give this one "
                "another controllerStorePath"
            ) from error
        try:
            self.server.start()
        except CannotListenError:
            self._unlock()
            raise
        self._worker.start()
        self.role.start()
        self.member.start()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Take part no more, close the port, sync the log; fires when all is done."""
        self.role.stop()
        yield self.server.stop()
        yield self.member.stop()
        self.client.stop()
        self._worker.stop()
        self._unlock()


def member_of(settings: ControllerSettings) -> MemberSettings:
    """How this Controller takes part in its group.

    Its entries are synced before it acknowledges them, which Java leaves to the system: an id or an
    epoch that brokers rely on must not be given twice because of a power cut. It pushes entries in
    batches, which Java's members take as well, whatever their own isEnableBatchPush.

    :raises ConfigError: the group cannot be used.
    """
    config = settings.controller
    addresses = _addresses(config)
    is_fast = settings.rmq.failoverProfile == "fast"
    raft = RaftConfig.fast if is_fast else RaftConfig.dledger
    self_id = config.controllerDLegerSelfId
    return MemberSettings(
        raft=replace(
            raft(config.controllerDLegerGroup, self_id, frozenset(addresses)),
            is_enable_batch_push=True,
        ),
        addresses=addresses,
        ledger=LedgerSettings(
            folder=f"{config.controllerStorePath}/dledger-{self_id}",
            data_file_size=config.mappedFileSize,
            checked=True,
        ),
        durable=True,
    )


def _addresses(config: ControllerConfig) -> dict[str, str]:
    """The group's addresses by id; this Controller is among them."""
    cure = (
        "write it like controllerDLegerGroup=group1, "
        "controllerDLegerPeers=n0-127.0.0.1:9878;n1-127.0.0.1:9868;n2-127.0.0.1:9858, "
        "controllerDLegerSelfId=n0"
    )
    for key in ("controllerDLegerGroup", "controllerDLegerPeers", "controllerDLegerSelfId"):
        if not getattr(config, key):
            raise ConfigError(f"{key} is empty: expected which group this is; {cure}")
    peers = config.controllerDLegerPeers
    try:
        addresses = parse_peers(peers)
    except ConfigError as error:
        raise ConfigError(f"controllerDLegerPeers: {error}; {cure}") from error
    if config.controllerDLegerSelfId not in addresses:
        raise ConfigError(
            f"controllerDLegerSelfId={config.controllerDLegerSelfId!r} is none of "
            f"{', '.join(addresses)}, which are in controllerDLegerPeers; {cure}"
        )
    if len(set(addresses.values())) < len(addresses):
        raise ConfigError(f"controllerDLegerPeers={peers!r} has one address twice; {cure}")
    return addresses
