"""Elections that no broker asks for: because a master was lost, or is found dead.

A Controller that does not lead only watches. When it begins to lead it looks at all sets, because
masters may have died while nobody led: at once, if it listens long enough to have heard of everyone
who lives, else when it has.
"""

import logging
from collections.abc import Callable

from twisted.python.failure import Failure

from codec.codes import ResponseCode
from rmq.base.periodic import Periodic
from rmq.base.ports import Clock
from rmq.conf.controller import ControllerConfig
from rmq.controller.commands import Commands, Outcome
from rmq.controller.heartbeats import BrokerKey
from rmq.controller.notices import Notices
from rmq.controller.serving import Serving

logger = logging.getLogger(__name__)


class Elections:
    """Source: ControllerManager.java, onBrokerInactive(), and DLedgerController.java,
    scanInactiveMasterAndTriggerReelect(), 5.3.3.

    On purpose different: Java's new leader looks for the first time after a whole interval.
    """

    def __init__(
        self,
        clock: Clock,
        serving: Serving,
        commands: Commands,
        notices: Notices,
        settings: Callable[[], ControllerConfig],
    ) -> None:
        self._clock = clock
        self._serving = serving
        self._commands = commands
        self._notices = notices
        self._settings = settings
        self._heard_from_ms = 0
        self._scans: Periodic | None = None

    def start(self) -> None:
        """Note that heartbeats are heard from now on."""
        self._heard_from_ms = self._clock.monotonic_ms()

    def leads(self, leads: bool) -> None:
        """Scan while this Controller serves; it began to, or leads no longer."""
        if self._scans is not None:
            self._scans.stop()
            self._scans = None
        if leads:
            interval_ms = self._settings().scanInactiveMasterInterval
            heard_ms = self._clock.monotonic_ms() - self._heard_from_ms
            self._scans = Periodic(
                self._clock, interval_ms, self.scan, first_ms=max(0, interval_ms - heard_ms)
            )
            self._scans.start()

    def scan(self) -> None:
        """Replace the masters that are dead where somebody lives."""
        for broker_name in self._commands.sets_with_dead_master():
            self._elect(broker_name, None, self._settings().electMasterMaxRetryCount)

    def lost(self, broker: BrokerKey) -> None:
        """Replace a broker that is dead, if it was a master."""
        self._elect(broker.broker_name, broker.broker_id, self._settings().electMasterMaxRetryCount)

    def asked(self, outcome: Outcome) -> None:
        """Tell the group what an election came to, whoever asked for it."""
        is_new = outcome.events and outcome.code == ResponseCode.SUCCESS
        if is_new and self._settings().notifyBrokerRoleChanged:
            self._notices.elected(outcome)

    def _elect(self, broker_name: str, lost_id: int | None, tries: int) -> None:
        if not tries:
            return

        def failed(failure: Failure) -> None:
            if self._serving.leads:
                logger.warning(
                    "event=election_failed broker=%s cause=%s", broker_name, failure.value
                )
                self._elect(broker_name, lost_id, tries - 1)

        if self._serving.leads:
            asked = self._serving.ask(lambda: self._commands.elect_after_loss(broker_name, lost_id))
            asked.addCallbacks(self.asked, failed)
