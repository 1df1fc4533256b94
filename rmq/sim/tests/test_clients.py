import pytest
from twisted.internet.defer import fail, succeed

from codec.codes import ResponseCode
from codec.command import Command
from codec.headers.fields import ext_fields_of
from codec.headers.pull import PullMessageResponseHeader
from codec.headers.send import SendMessageResponseHeader
from codec.message.record import pack_blank, pack_record
from rmq.base.errors import CallError
from rmq.sim.clients import Consumer, Load, Producer
from rmq.sim.cluster import Cluster
from rmq.sim.history import Attempt, Outcome, Queue
from rmq.sim.world import SimulationError, World

Q = Queue("a", "T", 0)


@pytest.fixture
def cluster():
    cluster = Cluster(World(1))
    cluster.name_server("n1")
    return cluster


def served(cluster):
    cluster.broker("b1", {"brokerName": "a"})
    cluster.start()


def producer_of(cluster, load=None):
    history, load = cluster.history, load or Load("a", "T")
    cluster.client(
        "p", lambda process: Producer(cluster.network, process, cluster.name_servers, history, load)
    )
    return cluster.running["p"]


def consumer_of(cluster, queue=Q, **options):
    history = cluster.history
    cluster.client(
        "c",
        lambda process: Consumer(
            cluster.network, process, cluster.name_servers, history, queue, **options
        ),
    )
    return cluster.running["c"]


def outcomes(history):
    return {one.outcome for one in history.attempts.values()}


def test_what_a_producer_sends_a_consumer_reads(cluster):
    served(cluster)
    producer, consumer = producer_of(cluster), consumer_of(cluster, slaves_too=True)

    cluster.world.run_for(10_000)

    assert producer.acked == len(cluster.history.acked()) > 10
    assert len(consumer.bodies) > 5
    assert outcomes(cluster.history) <= {Outcome.ACKED, Outcome.PENDING}


def test_a_producer_stops_with_its_load(cluster):
    served(cluster)
    load = Load("a", "T")
    producer = producer_of(cluster, load)
    cluster.world.run_for(5_000)
    load.stopped = True
    cluster.world.run_for(5_000)
    tries = producer.tries

    cluster.world.run_for(5_000)

    assert producer.tries == tries


def test_a_client_that_knows_no_master_waits(cluster):
    producer = producer_of(cluster, Load("another", "T"))
    cluster.world.run_for(5_000)  # the name server does not run either
    served(cluster)
    cluster.world.run_for(5_000)

    assert producer.tries == 0


def test_a_broker_that_dies_leaves_the_outcome_unknown(cluster):
    served(cluster)
    producer_of(cluster, Load("a", "T", pause_ms=1))
    cluster.world.run_for(3_000)
    cluster.servers[1].kill()
    cluster.world.run_for(3_000)

    assert Outcome.UNKNOWN in outcomes(cluster.history)


class Answering:
    """A producer's caller that gives one answer."""

    def __init__(self, answer):
        self.answer = answer

    def call(self, address, command, timeout_ms):
        if isinstance(self.answer, Exception):
            return fail(self.answer)
        return succeed(self.answer)


def stored(queue_id, code=ResponseCode.SUCCESS):
    header = SendMessageResponseHeader(msg_id="1", queue_id=queue_id, queue_offset=3)
    return Command(code=code, ext_fields=ext_fields_of(header))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (stored(0), Outcome.ACKED),
        (stored(0, ResponseCode.FLUSH_SLAVE_TIMEOUT), Outcome.STORED),
        (Command(code=ResponseCode.SERVICE_NOT_AVAILABLE, remark="no"), Outcome.REFUSED),
        (CallError("gone"), Outcome.UNKNOWN),
    ],
)
def test_an_attempt_ends_as_it_was_answered(cluster, monkeypatch, answer, outcome):
    monkeypatch.setattr("rmq.sim.clients.QUEUES", 1)
    producer = producer_of(cluster)
    producer._caller, producer._master = Answering(answer), "10.0.0.9:1"

    cluster.world.run_for(100)

    assert outcome in outcomes(cluster.history)


def test_a_message_stored_in_another_queue_is_found(cluster):
    producer = producer_of(cluster)
    producer._caller, producer._master = Answering(stored(7)), "10.0.0.9:1"

    with pytest.raises(SimulationError, match="stored in queue 7"):
        cluster.world.run_for(1_000)


def test_a_fault_of_a_client_s_own_is_found(cluster):
    producer = producer_of(cluster)
    producer._caller, producer._master = Answering(ValueError("bug")), "10.0.0.9:1"

    with pytest.raises(SimulationError, match="ValueError: bug"):
        cluster.world.run_for(1_000)


def pulled(code, *, following=0, end=0, body=b""):
    header = PullMessageResponseHeader(
        suggest_which_broker_id=0, next_begin_offset=following, min_offset=0, max_offset=end
    )
    return Command(code=code, ext_fields=ext_fields_of(header), body=body)


def record(offset, body=b"1"):
    return bytes(
        pack_record(
            body=body,
            topic=b"T",
            properties=b"",
            queue_id=0,
            flag=0,
            queue_offset=offset,
            position=0,
            sys_flag=0,
            born_timestamp=0,
            born_host=bytes(8),
            store_timestamp=0,
            store_host=bytes(8),
            reconsume_times=0,
            prepared_transaction_offset=0,
        )
    )


@pytest.fixture
def consumer(cluster):
    cluster.history.begun(Attempt(b"1", "p", Q, 0))
    return consumer_of(cluster)


def test_records_are_kept_in_order(consumer):
    assert consumer._take(Command(code=ResponseCode.SUCCESS, body=record(0)))
    assert consumer.bodies == [b"1"]

    with pytest.raises(SimulationError, match="hole"):
        consumer._take(Command(code=ResponseCode.SUCCESS, body=record(5)))


def test_a_blank_is_no_message(consumer):
    with pytest.raises(SimulationError, match="blank"):
        consumer._take(Command(code=ResponseCode.SUCCESS, body=bytes(pack_blank(8))))


def test_the_end_of_a_queue_is_where_nothing_is_found(consumer):
    assert consumer._take(pulled(ResponseCode.PULL_NOT_FOUND))
    assert consumer.reached_end

    assert not consumer._take(pulled(ResponseCode.PULL_OFFSET_MOVED))
    assert not consumer._take(pulled(ResponseCode.PULL_RETRY_IMMEDIATELY))
    assert not consumer._take(Command(code=ResponseCode.TOPIC_NOT_EXIST))


def test_a_master_that_has_less_sends_back_but_a_slave_does_not(consumer):
    consumer.bodies = [b"1", b"2"]
    consumer._at_master = False
    assert not consumer._take(pulled(ResponseCode.PULL_OFFSET_MOVED, following=1, end=1))
    assert len(consumer.bodies) == 2

    consumer._at_master = True
    assert not consumer._take(pulled(ResponseCode.PULL_OFFSET_MOVED, following=1, end=1))

    assert consumer.bodies == [b"1"]


def test_being_sent_forward_is_a_hole(consumer):
    with pytest.raises(SimulationError, match="hole"):
        consumer._take(pulled(ResponseCode.PULL_OFFSET_MOVED, following=5, end=9))
