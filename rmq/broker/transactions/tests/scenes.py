"""A broker that serves transactions, in memory, asked by frames; it can crash and start again."""

from twisted.internet.defer import succeed

from codec.bodies.topics import TopicConfig
from codec.codes import RequestCode
from codec.headers.send import SendMessageRequestHeaderV2
from codec.headers.transactions import EndTransactionRequestHeader
from codec.message import properties as props
from codec.message.record import parse_record
from rmq.broker.clients import Client
from rmq.broker.offsets import ConsumerOffsets
from rmq.broker.processors.send import SendProcessor
from rmq.broker.processors.tests.scene import Peer, Scene
from rmq.broker.processors.transactions import TransactionProcessor
from rmq.broker.tests.tables import table_file
from rmq.broker.transactions.checks import HOUR_MS, Checks, CheckTools
from rmq.broker.transactions.endings import Endings
from rmq.broker.transactions.op_log import OpLog
from rmq.remoting.dispatch import Dispatcher
from rmq.remoting.handling import handler_table
from rmq.store.tests.stores import opened

HALF = "RMQ_SYS_TRANS_HALF_TOPIC"
OPS = "RMQ_SYS_TRANS_OP_HALF_TOPIC"
GIVEN_UP = "TRANS_CHECK_MAX_TIME_TOPIC"
GROUP = "CID_RMQ_SYS_TRANS"
COMMIT, ROLLBACK, UNKNOWN = 8, 12, 0
INTERVAL_MS, TIMEOUT_MS, BATCH_MS = 30_000, 6_000, 3_000
BIG = {"commit_log_file_size": 1 << 20}


class TransactionScene(Scene):
    """The scene with transactions: producers of group ``p`` begin and end them."""

    def __init__(self, **changed):
        super().__init__(store=BIG, **changed)
        self.topics.update(TopicConfig(topic_name="T", read_queue_nums=4, write_queue_nums=4))
        self._number = 0
        self.settling = succeed(None)
        """Fires when the group has agreed on what is written."""
        self.open_up()

    def open_up(self):
        """Make what serves transactions, on the store as it is now."""
        self.op_log = OpLog(self.config, self.clock, self.store, self.send_settings.store_host)
        self.endings = Endings()
        self.tools = CheckTools(
            self.clock,
            self.store,
            self.topics,
            self.offsets,
            self.producers,
            self.op_log,
            self.endings,
            72 * HOUR_MS,
        )
        self.checks = Checks(self.config, self.tools)
        self.ending = TransactionProcessor(
            self.config,
            self.clock,
            self.store,
            self.offsets,
            self.op_log,
            self.endings,
            self.role,
            lambda: self.settling,
        )
        self.sending = SendProcessor(
            self.send_settings,
            self.topics,
            self.groups,
            self.locks,
            self.store,
            None,
            self.clock,
            None,
            lambda: "NEW",
        )
        self._dispatcher = Dispatcher(handler_table([self.sending, self.ending]))
        self.checks.start()

    def lead_again(self):
        """Be master anew: another was meanwhile, and has added nothing."""
        self.checks.stop()
        self.op_log.stop()
        self.endings.clear()
        self.op_log.clear()
        self.checks.start()

    def agree(self):
        """Let all be read that is written."""
        self.store.limit_dispatch(None)

    def sync(self):
        """Put on disk all that is written."""
        for make_work in (self.store.flush_work, self.store.queue_flush_work):
            work = make_work(at_once=True)
            if work is not None:
                work.sync()
                self.store.flushed(work)
        self.offsets.persist()

    def crash(self):
        """Lose the power, start again on what was on disk."""
        self.checks.stop()
        self.op_log._waiting.clear()  # what waits dies with the process
        self.op_log.stop()
        self.restart_on(self.disk.crash())

    def restart(self):
        """End cleanly and start again."""
        self.checks.stop()
        self.op_log.stop()
        self.offsets.persist()
        self.store.close()
        self.restart_on(self.disk)

    def restart_on(self, disk):
        self.disk = disk
        self.store = opened(disk, **BIG)
        self.offsets = ConsumerOffsets(
            self.config, self.clock, table_file(disk, "offsets.json"), self.store.min_offset
        )
        self.offsets.load()
        self.open_up()

    def connected(self, group="p", address="10.0.0.7:1000"):
        """A producer of a group, as of now."""
        peer = Peer(address)
        client = Client(peer, f"{group}@{address}", "JAVA", 479)
        self.producers.register(group, client)
        return peer

    def begin(self, body=b"x", group="p", *, queue_id=1, key=None, born_ms=None, **properties):
        """Send a half message; what its producer must say to end it."""
        self._number += 1
        key = key or f"K{self._number}"
        text = {"UNIQ_KEY": key, "TRAN_MSG": "true", "PGROUP": group, "TAGS": "a"} | properties
        header = SendMessageRequestHeaderV2(
            producer_group=group,
            topic="T",
            default_topic="TBW102",
            default_topic_queue_nums=4,
            queue_id=queue_id,
            sys_flag=4,
            born_timestamp=self.clock.wall_ms() if born_ms is None else born_ms,
            flag=7,
            properties=props.build(text).decode(),
        )
        answer = self.ask(RequestCode.SEND_MESSAGE_V2, header, body)
        assert answer.code == 0, answer
        fields = answer.ext_fields
        return {
            "producer_group": group,
            "tran_state_table_offset": int(fields["queueOffset"]),
            "commit_log_offset": int(fields["msgId"][16:], 16),
            "msg_id": key,
        }

    def end(self, half, outcome, **changed):
        """Say how a transaction ended; the answer."""
        header = EndTransactionRequestHeader(**(half | {"commit_or_rollback": outcome} | changed))
        return self.ask(RequestCode.END_TRANSACTION, header)

    def end_run(self, *ends):
        """Say in one piece how transactions ended; the answers, unanswered ones left out."""
        return self.ask_together(
            RequestCode.END_TRANSACTION,
            [
                (EndTransactionRequestHeader(**(half | {"commit_or_rollback": outcome})), b"")
                for half, outcome in ends
            ],
        )

    def asked(self, peer):
        """The questions that a producer got since the last look, as it would answer them."""
        commands, peer.sent = peer.sent, []
        return [
            {
                "producer_group": "p",
                "tran_state_table_offset": int(one.ext_fields["tranStateTableOffset"]),
                "commit_log_offset": int(one.ext_fields["commitLogOffset"]),
                "msg_id": one.ext_fields["msgId"],
                "from_transaction_check": True,
            }
            for one in commands
        ]

    def records(self, topic, queue_id=0):
        """All messages of a queue."""
        return [
            self.stored(topic, queue_id, offset)
            for offset in range(
                self.store.min_offset(topic, queue_id), self.store.max_offset(topic, queue_id)
            )
        ]

    def visible(self):
        """The bodies that consumers of T see."""
        return [one.body for queue_id in range(4) for one in self.records("T", queue_id)]

    def ops(self):
        """The bodies of the op messages."""
        return [one.body for one in self.records(OPS)]

    def consumed(self, topic):
        """How far the checks have come."""
        return self.offsets.query(GROUP, topic, 0)


def parsed(command):
    """The message in a question."""
    return parse_record(command.body, 0, len(command.body))
