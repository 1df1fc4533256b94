"""A Controller put together: tables, heartbeats, elections, and the processors that answer."""

from collections.abc import Sequence

from rmq.base.ports import Clock
from rmq.controller.commands import Commands
from rmq.controller.configuration import Configuration
from rmq.controller.consensus import Consensus
from rmq.controller.elections import Elections
from rmq.controller.heartbeats import Heartbeats
from rmq.controller.notices import Notices
from rmq.controller.processors.admin import AdminProcessor
from rmq.controller.processors.broker_sets import BrokerSetProcessor
from rmq.controller.processors.heartbeats import HeartbeatProcessor
from rmq.controller.serving import Serving
from rmq.controller.state import State
from rmq.remoting.calls import Caller
from rmq.remoting.channel import Channel


class Controller:
    """The role. Its owner listens, builds the table of ``processors``, tells of closing, and
    starts the consensus after this.

    Source: ControllerManager.java, 5.3.3.
    """

    def __init__(
        self, configuration: Configuration, clock: Clock, consensus: Consensus, caller: Caller
    ) -> None:
        settings = configuration.settings
        state = State()
        self.heartbeats = Heartbeats(clock, settings().scanNotActiveBrokerInterval)
        commands = Commands(state, self.heartbeats, lambda: settings().enableElectUncleanMaster)
        self.serving = Serving(consensus, clock, state, lambda: settings().processReadEvent)
        self.elections = Elections(
            clock, self.serving, commands, Notices(caller, self.heartbeats), settings
        )
        self.serving.on_serving(self.elections.leads)
        self.heartbeats.on_lost(self.elections.lost)
        self.state = state
        self.processors: Sequence[object] = (
            BrokerSetProcessor(self.serving, commands, self.elections),
            HeartbeatProcessor(self.heartbeats),
            AdminProcessor(consensus, settings().controllerDLegerGroup, configuration),
        )

    def start(self) -> None:
        """Begin to hear heartbeats and to look for silent brokers."""
        self.elections.start()
        self.heartbeats.start()

    def stop(self) -> None:
        """Answer and elect nobody any more."""
        self.serving.stop()
        self.heartbeats.stop()

    def channel_closed(self, channel: Channel) -> None:
        """Replace the masters whose connection closed; nothing for others'."""
        self.heartbeats.channel_closed(channel)
