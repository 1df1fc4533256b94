"""A broker in memory with everything that operators ask."""

from types import SimpleNamespace

from twisted.internet.defer import succeed

from codec.bodies.offsets import DelayOffsetSerializeWrapper
from rmq.broker.live_config import LiveConfig
from rmq.broker.processors.admin.config import ConfigAdminProcessor
from rmq.broker.processors.admin.connections import ConnectionAdminProcessor
from rmq.broker.processors.admin.files import FileAdminProcessor
from rmq.broker.processors.admin.groups import GroupAdminProcessor
from rmq.broker.processors.admin.inspection import InspectionProcessor
from rmq.broker.processors.admin.offsets import OffsetAdminProcessor
from rmq.broker.processors.admin.runtime import RuntimeProcessor, StorePlaces
from rmq.broker.processors.admin.topics import TopicAdminProcessor
from rmq.broker.processors.tests.scene import Scene
from rmq.broker.rates import StoreRates
from rmq.broker.stats import BrokerStats
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.store.tests.stores import message

IDENTITY = ("broker-a", "10.0.0.2:10911")
SETTINGS = "/store/config/broker.properties"


def local_offset_ms(_wall_ms):
    return 3_600_000


class AdminScene(Scene):
    """The processors of a plain broker answer nothing here; its tables and store are at work."""

    capacity = (300 << 30, 75 << 30)

    def __init__(self, **changed):
        super().__init__(**changed)
        self.stats = BrokerStats(
            self.clock,
            "C",
            self.store.consume_queues,
            self.topics.is_system,
            local_offset_ms,
        )
        self.stats.begin()
        self.rates = StoreRates(self.clock, self.store.stats)
        self.sides = SimpleNamespace(slaves=[], master=None)
        self.delay_offsets = DelayOffsetSerializeWrapper()
        self.live = LiveConfig(self.disk, self.clock, self.config, (), SETTINGS)
        self.name_servers_know = succeed(None)
        self.topic_admin = TopicAdminProcessor(
            self.config,
            self.topics,
            self.offsets,
            self.store,
            self.stats,
            lambda: self.name_servers_know,
        )
        self._dispatcher = Dispatcher(handler_table(self._admin_processors()))

    def _admin_processors(self):
        """Everything that operators ask; each has a test of its own."""
        return [
            self.topic_admin,
            GroupAdminProcessor(self.groups, self.offsets, self.stats),
            OffsetAdminProcessor(
                IDENTITY,
                self.topics,
                self.groups,
                self.consumers,
                self.offsets,
                self.store,
                self.stats,
            ),
            InspectionProcessor(
                IDENTITY,
                self.clock,
                local_offset_ms,
                self.topics,
                self.consumers,
                self.offsets,
                self.store,
                self.stats,
            ),
            ConnectionAdminProcessor(self.producers, self.consumers),
            ConfigAdminProcessor(self.live),
            RuntimeProcessor(
                self.config,
                self.clock,
                self.store,
                StorePlaces(
                    "/store", "/store/commitlog", lambda _path: 0.25, lambda _path: self.capacity
                ),
                self.stats,
                self.rates,
                self.sides,
                (lambda: {"scheduleMessageOffset_1": "0,0"},),
            ),
            FileAdminProcessor(self.clock, self.store, lambda: succeed(self.delay_offsets)),
        ]

    def put(self, topic="T", queue_id=0, count=1):
        """Store messages, a second apart."""
        for number in range(count):
            assert self.store.put(message(number, topic, queue_id)).status == 0
            self.clock.advance(1000)
