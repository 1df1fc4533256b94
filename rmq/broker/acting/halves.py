"""Half messages of an acting master: each that nobody has ended goes to another broker.

A round passes over the half queue as a check does, and leaves out what op messages say is done; the
others escape, one after the other, without a check: the broker that gets them will ask. The first
that cannot go ends the round, and the next one tries it again.

On purpose different: Java gives up a half message that could not go ten times.
Source: TransactionalMessageServiceImpl.java, check(), 5.3.3.
"""

import logging
from collections.abc import Awaitable, Callable

from codec.message import properties as props
from codec.message.record import Record
from rmq.broker import names
from rmq.broker.rounds import Rounds
from rmq.broker.transactions.checks import CheckTools, QueueRound
from rmq.broker.transactions.half import again
from rmq.conf.broker import BrokerConfig
from rmq.store.messages import PutMessage

logger = logging.getLogger(__name__)


class EscapingRound(QueueRound):
    """A round that stops at each half message that is not done."""

    half: Record | None = None

    def passed(self) -> None:
        """The half message at which it stopped is elsewhere: go on behind it."""
        self.half = None
        self._offset += 1
        self._commit()

    def _decide(self, half: Record) -> int:
        self.half = half
        return 0


class HalfEscape:
    """Begins a round again and again, every ``transactionCheckInterval``."""

    def __init__(
        self,
        config: BrokerConfig,
        tools: CheckTools,
        away: Callable[[PutMessage], Awaitable[bool]],
    ) -> None:
        self._config = config
        self._tools = tools
        self._away = away
        self._rounds = Rounds(tools.clock, config.transactionCheckInterval, self._round)

    def begin(self) -> None:
        """Begin the first round one interval from now; what was remembered as master is not."""
        self._tools.endings.clear()
        self._tools.op_log.clear()
        self._rounds.start(self._config.transactionCheckInterval)

    def stop(self) -> None:
        """Begin no more; the half message under way is the last one."""
        self._rounds.stop()

    async def _round(self) -> None:
        topic = self._tools.topics.get(names.HALF_TOPIC)
        for queue_id in range(1 if topic is None else max(topic.read_queue_nums, 1)):
            moved = await self._escape(EscapingRound(self._config, self._tools, queue_id))
            if moved:
                logger.info("event=halves_escaped queue_id=%d count=%d", queue_id, moved)

    async def _escape(self, one: EscapingRound) -> int:
        """How many went."""
        count = 0
        while self._rounds.running:
            is_over = one.turn()
            half = one.half
            if half is None:
                if is_over:
                    break
                continue
            renewed = again(half, names.HALF_TOPIC, half.queue_id, props.parse(half.properties))
            if not await self._away(renewed):
                break
            one.passed()
            count += 1
        return count
