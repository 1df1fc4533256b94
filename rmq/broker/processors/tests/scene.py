"""A broker's tables, store and processors in memory, asked by frames as a client asks.

What a processor gives to the dispatcher may change its shape for speed; frames do not.
"""

from collections import deque

from twisted.internet.defer import Deferred

from codec.codes import ONEWAY_FLAG
from codec.command import Command, decode_command, encode_command
from codec.frame import JSON, FrameBuffer, parse_frame
from codec.headers.fields import ext_fields_of
from codec.message import properties as props
from codec.message.record import parse_record
from rmq.base.manual import FixedChance, ManualClock
from rmq.broker.arrivals import Arrivals
from rmq.broker.consumer_filters import ConsumerFilters
from rmq.broker.consumers import Consumers
from rmq.broker.durability import Durability
from rmq.broker.groups import Groups
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.clients import ClientProcessor
from rmq.broker.processors.consumer_offsets import ConsumerOffsetProcessor
from rmq.broker.processors.pull import PullProcessor
from rmq.broker.processors.query import QueryProcessor
from rmq.broker.processors.queues import QueueProcessor
from rmq.broker.processors.send import SendProcessor, SendSettings
from rmq.broker.processors.slave_pulls import SlavePulls
from rmq.broker.producers import Producers
from rmq.broker.queue_locks import QueueLocks
from rmq.broker.tests.roles import master
from rmq.broker.tests.tables import config as broker_config
from rmq.broker.tests.tables import table_file
from rmq.broker.topics import Topics
from rmq.broker.waiting import WaitingPulls
from rmq.net.memory_disk import MemoryDisk
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.remoting.testing import FakeChannel
from rmq.store.tests.stores import SMALL, opened

HOST = SMALL.store_host
NEW_KEY = "A-NEW-KEY"


def commands(encoded):
    """The frames of some bytes, decoded."""
    return [decode_command(frame) for frame in FrameBuffer().feed(encoded)]


class Peer(FakeChannel):
    """A client's connection: keeps what the dispatcher answers."""

    def __init__(self, remote_address="10.0.0.1:40000"):
        super().__init__(remote_address)
        self.replies = []

    def reply(self, encoded):
        self.replies += commands(encoded)

    def answered(self, command):
        raise AssertionError(f"no call is out, but {command} came")


class ManualWorker:
    """Runs what it is given when the test says so."""

    def __init__(self):
        self.calls = deque()

    def run(self, call):
        done = Deferred()
        self.calls.append((call, done))
        return done

    def finish(self):
        """Run the oldest call to its end."""
        call, done = self.calls.popleft()
        call()
        done.callback(None)

    def fail(self, error):
        """Let the oldest call fail."""
        _, done = self.calls.popleft()
        done.errback(error)


class Scene:
    """A broker without ports and timers of its own."""

    def __init__(
        self,
        *,
        sync_flush=False,
        accept_from_ms=0,
        store=None,
        chance=(),
        counted=True,
        **changed,
    ):
        self.clock = ManualClock()
        self.disk = MemoryDisk(self.clock)
        self.config = config = broker_config(**changed)
        self.store = opened(self.disk, **(store or {}))
        self.topics = Topics(config, self.clock, table_file(self.disk, "topics.json"))
        self.groups = Groups(config, self.clock, table_file(self.disk, "groups.json"))
        self.offsets = ConsumerOffsets(
            config, self.clock, table_file(self.disk, "offsets.json"), self.store.min_offset
        )
        self.producers = Producers(self.clock)
        self.consumers = Consumers(config, self.clock)
        self.filters = ConsumerFilters(
            config, self.clock, table_file(self.disk, "consumerFilter.json")
        )
        self.consumers.on_change(self.filters.group_changed)
        self.locks = QueueLocks(self.clock)
        self.waiting = WaitingPulls(self.clock)
        self.store.on_arrival(Arrivals(self.clock, self.waiting).arrived)
        self.worker = ManualWorker()
        self.durability = Durability(
            self.store,
            self.worker,
            self.clock,
            flush_interval_ms=500,
            queue_interval_ms=1000,
            timeout_ms=5000,
        )
        self.permission = config.brokerPermission
        self.given = []
        self.role = master()
        self.is_master_near = True
        self.send_settings = self._send_settings(accept_from_ms)
        safe = self.durability.flushed if sync_flush else None
        processors = self._processors(safe, FixedChance(chance), counted=counted)
        self._dispatcher = Dispatcher(handler_table(processors))
        self.peer = Peer()
        self._opaque = 100

    def _send_settings(self, accept_from_ms):
        return SendSettings(
            cluster_name=self.config.brokerClusterName,
            broker_ip="10.0.0.2",
            store_host=HOST,
            region_id="Region7",
            trace_on=True,
            permission=lambda: self.permission,
            accept_from_ms=accept_from_ms,
            delay_level_max=len(SMALL.delay_levels_ms),
            reject_transactions=lambda: self.config.rejectTransactionMessage,
            role=self.role,
            slave_may_act=self.config.enableSlaveActingMaster,
        )

    def _processors(self, safe, chance, *, counted):
        config, topics, groups, store = self.config, self.topics, self.groups, self.store
        self.sending = SendProcessor(
            self.send_settings,
            topics,
            groups,
            self.locks,
            store,
            safe,
            self.clock,
            chance,
            lambda: NEW_KEY,
        )
        self.pulling = PullProcessor(
            config,
            topics,
            groups,
            self.consumers,
            self.offsets,
            store,
            self.waiting,
            self.filters,
            SlavePulls(self.role, lambda: self.is_master_near, corrects_offsets=False),
            (lambda *batch: self.given.append(batch)) if counted else None,
        )
        self.clients = ClientProcessor(
            config, topics, groups, self.producers, self.consumers, self.locks
        )
        self.keeping = ConsumerOffsetProcessor(config, topics, groups, self.offsets, store)
        return [
            self.sending,
            self.pulling,
            self.clients,
            self.keeping,
            QueueProcessor(store),
            QueryProcessor(store, 8),
        ]

    def ask(
        self,
        code,
        header=None,
        body=b"",
        *,
        peer=None,
        version=479,
        encoding=JSON,
        oneway=False,
        **extra,
    ):
        """Send a request; its answer, None if there is none yet (see ``peer.replies``)."""
        peer = peer or self.peer
        self._opaque += 1
        fields = ext_fields_of(header) if header is not None else {}
        command = Command(
            code=code,
            opaque=self._opaque,
            flag=ONEWAY_FLAG if oneway else 0,
            version=version,
            ext_fields=fields | extra,
            body=body,
            encoding=encoding,
        )
        before = len(peer.replies)
        encoded = self._dispatcher.answer(parse_frame(encode_command(command)), peer)
        if encoded is None:
            if len(peer.replies) == before:
                return None
            answer = peer.replies.pop()
        else:
            answer = decode_command(parse_frame(encoded))
        assert answer.opaque == self._opaque
        assert answer.encoding == encoding
        return answer

    def ask_together(self, code, asked, *, oneway=()):
        """Send requests in one piece, headers with bodies; the answers that came at once.

        Those whose numbers are in ``oneway`` want none.
        """
        frames = []
        for number, (header, body) in enumerate(asked):
            self._opaque += 1
            command = Command(
                code=code,
                opaque=self._opaque,
                flag=ONEWAY_FLAG if number in oneway else 0,
                ext_fields=ext_fields_of(header),
                body=body,
            )
            frames.append(parse_frame(encode_command(command)))
        ready = []
        done = self._dispatcher.answer_round(frames, self.peer, ready, 1 << 20)
        assert done == len(frames)
        return commands(b"".join(ready))

    def stored(self, topic, queue_id=0, offset=0):
        """The record of a queue's message."""
        found = self.store.get(topic, queue_id, offset, 1)
        assert found.count == 1, found
        return parse_record(found.slices[0], 0, len(found.slices[0]))

    def stored_properties(self, topic, queue_id=0, offset=0):
        """The properties of a queue's message."""
        return props.parse(self.stored(topic, queue_id, offset).properties)
