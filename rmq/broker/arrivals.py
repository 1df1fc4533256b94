"""From the store to those who wait: held pulls are resumed after the put that they waited for.

The store tells of each message while it is being put, when nothing may be read from it. So
arrivals in queues where somebody waits are noted, and told at the end of the reactor's turn.
"""

from rmq.base.ports import Clock
from rmq.broker.waiting import WaitingPulls


class Arrivals:
    """Wakes held pulls once a turn."""

    def __init__(self, clock: Clock, waiting: WaitingPulls) -> None:
        self._clock = clock
        self._waiting = waiting
        self._noted: list[tuple[str, int, int, int, bytes]] = []
        self._is_waited_for = waiting.is_waited_for

    def arrived(
        self,
        topic: str,
        queue_id: int,
        max_offset: int,
        tags_code: int,
        store_timestamp: int,  # noqa: ARG002 - the store tells it to all listeners
        properties: bytes,
    ) -> None:
        """Note a message; the store's listener. Costs one look-up when nobody waits."""
        if self._is_waited_for(topic, queue_id):
            if not self._noted:
                self._clock.call_later(0, self._tell)
            self._noted.append((topic, queue_id, max_offset, tags_code, properties))

    def _tell(self) -> None:
        noted, self._noted = self._noted, []
        for arrival in noted:
            self._waiting.arrived(*arrival)
