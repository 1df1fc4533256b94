import pytest
from twisted.internet.defer import fail, succeed

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.send import SendMessageResponseHeader
from codec.headers.transactions import CheckTransactionStateRequestHeader
from codec.message.record import pack_blank, pack_record
from rmq.base.errors import CallError
from rmq.remoting.handling import Request
from rmq.sim import transactions as module
from rmq.sim.clients import Consumer, Load, Producer
from rmq.sim.cluster import Cluster
from rmq.sim.history import Attempt, Fate, Outcome, Queue
from rmq.sim.transactions import Way
from rmq.sim.world import SimulationError, World

Q = Queue("a", "T", 0)


@pytest.fixture
def cluster():
    cluster = Cluster(World(1))
    cluster.name_server("n1")
    return cluster


def producer_of(cluster, name="p", pause_ms=200):
    load = Load("a", "T", pause_ms, transacted_of=1)
    cluster.client(
        name,
        lambda process: Producer(
            cluster.network, process, cluster.name_servers, cluster.history, load
        ),
    )
    return load


def served(cluster, monkeypatch, *ways, names="p"):
    """A broker, producers whose transactions go these ways for a while, and what is seen."""
    monkeypatch.setattr(module, "WAYS", ways)
    monkeypatch.setattr("rmq.sim.clients.QUEUES", 1)
    cluster.broker("b1", {"brokerName": "a"})
    cluster.start()
    loads = [producer_of(cluster, name) for name in names]
    cluster.client(
        "c",
        lambda process: Consumer(
            cluster.network, process, cluster.name_servers, cluster.history, Q
        ),
    )
    cluster.world.run_for(10_000)
    for load in loads:
        load.stopped = True
    cluster.world.run_for(15_000)
    return cluster.running["c"].bodies


def of(cluster, fate):
    return [one.body for one in cluster.history.transactions() if one.fate is fate]


@pytest.mark.parametrize("way", [Way.ENDED, Way.ENDED_TWICE, Way.UNKNOWN])
def test_what_is_committed_is_seen_once_and_nothing_else(cluster, monkeypatch, way):
    seen = served(cluster, monkeypatch, way)

    assert sorted(seen) == sorted(of(cluster, Fate.COMMITTED))
    assert len(seen) > 5
    assert len(of(cluster, Fate.ROLLED_BACK)) > 2
    assert of(cluster, Fate.OPEN) == []


def test_another_producer_answers_for_one_that_died(cluster, monkeypatch):
    seen = served(cluster, monkeypatch, Way.DEAD, names="pq")

    assert sorted(seen) == sorted(of(cluster, Fate.COMMITTED))
    assert cluster.machines["p"].runs > 2
    assert len(seen) > 2


def test_what_a_dead_producer_did_not_decide_is_rolled_back(cluster, monkeypatch):
    seen = served(cluster, monkeypatch, Way.DEAD_OPEN)

    assert (seen, of(cluster, Fate.COMMITTED), of(cluster, Fate.OPEN)) == ([], [], [])
    assert len(of(cluster, Fate.ROLLED_BACK)) > 2


def test_what_nobody_decides_is_never_seen(cluster, monkeypatch):
    seen = served(cluster, monkeypatch, Way.NEVER)

    assert seen == []
    assert len(of(cluster, Fate.OPEN)) > 5


class Answering:
    """A client's caller that answers as it is told, by code, and keeps what is sent one way."""

    def __init__(self, answers):
        self.answers = answers
        self.sent = []

    def call(self, address, command, timeout_ms):
        answer = self.answers.get(command.code, CallError("gone"))
        return fail(answer) if isinstance(answer, Exception) else succeed(answer)

    def send(self, address, command):
        self.sent.append((address, command))


def stored(code=ResponseCode.SUCCESS, transaction_id="p#1"):
    header = SendMessageResponseHeader(
        msg_id="0A000001" + "00002A9F" + "0000000000000064",
        queue_id=0,
        queue_offset=3,
        transaction_id=transaction_id,
    )
    return Command(code=code, ext_fields=ext_fields_of(header))


def begun(cluster, monkeypatch, answers, way=Way.ENDED):
    """A producer that is answered so, with its first transaction begun."""
    monkeypatch.setattr(module, "WAYS", (way,))
    monkeypatch.setattr("rmq.sim.clients.QUEUES", 1)
    load = producer_of(cluster, pause_ms=1)
    producer = cluster.running["p"]
    producer._caller, producer._master = Answering(answers), "10.0.0.9:1"
    assert cluster.world.run_for(10, done=lambda: bool(cluster.history.attempts))
    load.stopped = True
    return producer


@pytest.mark.parametrize(
    "answer", [CallError("gone"), Command(code=ResponseCode.SERVICE_NOT_AVAILABLE, remark="no")]
)
def test_half_message_of_which_nobody_knows_is_not_committed(cluster, monkeypatch, answer):
    begun(cluster, monkeypatch, {RequestCode.SEND_MESSAGE_V2: answer})

    [attempt] = cluster.history.transactions()

    assert attempt.fate is Fate.ROLLED_BACK


def test_half_message_that_may_be_lost_is_rolled_back(cluster, monkeypatch):
    monkeypatch.setattr(module.Transactions, "_chooses", lambda self, count: True)
    answer = stored(ResponseCode.FLUSH_SLAVE_TIMEOUT)
    producer = begun(cluster, monkeypatch, {RequestCode.SEND_MESSAGE_V2: answer})

    [attempt] = cluster.history.transactions()

    assert (attempt.fate, attempt.outcome) == (Fate.ROLLED_BACK, Outcome.STORED)
    assert producer._caller.sent == []  # no master is known to tell it


def test_half_message_by_another_name_is_found(cluster, monkeypatch):
    answers = {RequestCode.SEND_MESSAGE_V2: stored(transaction_id="q#7")}

    with pytest.raises(SimulationError, match="p#1 became transaction q#7"):
        begun(cluster, monkeypatch, answers)


@pytest.mark.parametrize(
    ("remark", "found"),
    [
        ("the transaction was rolled back before", "contradicted: p#1 "),
        ("no half message lies at 100", "nothing"),
        (None, "nothing"),
    ],
)
def test_an_answer_that_contradicts_is_found(cluster, monkeypatch, remark, found):
    answers = {
        RequestCode.SEND_MESSAGE_V2: stored(),
        RequestCode.END_TRANSACTION: Command(code=ResponseCode.SYSTEM_ERROR, remark=remark),
    }
    monkeypatch.setattr(module.Transactions, "_chooses", lambda self, count: False)
    begun(cluster, monkeypatch, answers)

    try:
        cluster.world.run_for(2_000)
        told = "nothing"
    except SimulationError as error:
        told = str(error)

    assert told.startswith(found)


def test_a_lost_answer_changes_nothing(cluster, monkeypatch):
    monkeypatch.setattr(module.Transactions, "_chooses", lambda self, count: False)
    begun(cluster, monkeypatch, {RequestCode.SEND_MESSAGE_V2: stored()})

    cluster.world.run_for(2_000)

    assert any("p#1" in line and "gone" in line for line in cluster.world.trace.tail(100))


class Asking:
    """A broker's connection."""

    remote_address = "10.0.0.9:1"


def asked(cluster, body, transaction_id="p#1"):
    """Have producer p asked about a half message."""
    header = CheckTransactionStateRequestHeader(
        tran_state_table_offset=3, commit_log_offset=100, transaction_id=transaction_id
    )
    request = Request(header, body, Asking(), 39, 1, 479, "JAVA", 0, b"")
    cluster.running["p"]._transactions.check(request)


def record(body):
    return bytes(
        pack_record(
            body=body,
            topic=b"T",
            properties=b"",
            queue_id=0,
            flag=0,
            queue_offset=3,
            position=100,
            sys_flag=0,
            born_timestamp=0,
            born_host=bytes(8),
            store_timestamp=0,
            store_host=bytes(8),
            reconsume_times=0,
            prepared_transaction_offset=0,
        )
    )


def test_a_question_is_answered_with_the_decision_or_not_at_all(cluster, monkeypatch):
    answers = {RequestCode.SEND_MESSAGE_V2: stored()}
    producer = begun(cluster, monkeypatch, answers, Way.NEVER)
    [attempt] = cluster.history.transactions()
    attempt.fate = Fate.COMMITTED

    for _ in range(50):
        asked(cluster, record(attempt.body))

    fields = [command.ext_fields for _, command in producer._caller.sent]
    assert 30 < len(fields) < 50
    assert {one["commitOrRollback"] for one in fields} == {"8"}
    assert {one["fromTransactionCheck"] for one in fields} == {"true"}


@pytest.mark.parametrize("body", [record(b"x"), bytes(pack_blank(8))])
def test_a_question_about_what_nobody_began_is_found(cluster, monkeypatch, body):
    begun(cluster, monkeypatch, {RequestCode.SEND_MESSAGE_V2: stored()}, Way.NEVER)
    cluster.history.begun(Attempt(b"x", "p", Q, 0))
    asked(cluster, body)

    with pytest.raises(SimulationError, match=r"invented: 10\.0\.0\.9:1 asks about p#1"):
        cluster.world.run_for(2_000)


def test_a_producer_dies_once(cluster, monkeypatch):
    begun(cluster, monkeypatch, {RequestCode.SEND_MESSAGE_V2: stored()}, Way.NEVER)
    transactions = cluster.running["p"]._transactions
    transactions._die()
    transactions._die()

    cluster.world.run_for(5_000)

    assert cluster.machines["p"].runs == 2
