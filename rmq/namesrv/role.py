"""A NameServer put together: tables, expiry, values, and the processors that answer for them."""

from collections.abc import Sequence

from rmq.base.ports import Clock
from rmq.namesrv.addresses import AddressView
from rmq.namesrv.configuration import Configuration
from rmq.namesrv.expiry import Expiry
from rmq.namesrv.kv_config import Files, KvConfig
from rmq.namesrv.notices import Notices
from rmq.namesrv.processors.admin import AdminProcessor
from rmq.namesrv.processors.brokers import BrokerProcessor
from rmq.namesrv.processors.kv import KvProcessor
from rmq.namesrv.processors.routes import RouteProcessor
from rmq.namesrv.processors.topics import TopicProcessor
from rmq.namesrv.route_cache import RouteCache
from rmq.namesrv.routes import RouteTables
from rmq.remoting.calls import Caller
from rmq.remoting.channel import Channel


class Namesrv:
    """The role. Its owner listens, builds the table of ``processors``, and tells of closing.

    Source: NamesrvController.java, 5.3.3.
    """

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock,
        disk: Files,
        caller: Caller,
        view: AddressView | None = None,
    ) -> None:
        """``view``: which broker addresses clients see as they reached us; None, they see all as
        registered.
        """
        settings = configuration.settings
        cache = RouteCache()
        notices = Notices(caller)
        self.kv = KvConfig(disk, settings().kvConfigPath)
        self.tables = RouteTables(cache)
        self.expiry = Expiry(clock, self.tables, notices, settings)
        self.processors: Sequence[object] = (
            RouteProcessor(
                self.tables, cache=cache, kv=self.kv, settings=settings, clock=clock, view=view
            ),
            BrokerProcessor(
                self.tables,
                expiry=self.expiry,
                notices=notices,
                kv=self.kv,
                settings=settings,
                clock=clock,
                view=view,
            ),
            TopicProcessor(self.tables, settings),
            KvProcessor(self.kv, cache),
            AdminProcessor(configuration),
        )

    def start(self) -> None:
        """Load the values and begin to look for silent brokers.

        :raises ConfigError: the file of values cannot be used.
        """
        self.kv.load()
        self.expiry.start()

    def stop(self) -> None:
        """Look no more for silent brokers; what is in the tables stays until the process ends."""
        self.expiry.stop()

    def channel_closed(self, channel: Channel) -> None:
        """Unregister the brokers of a connection that closed; nothing for a client's."""
        self.expiry.channel_closed(channel)
