"""Tests of the register's clients, against brokers that are none."""

import random
import threading

import pytest

from scripts.faultlib import register
from scripts.faultlib.linearizability import NEVER, READ, WRITE, check
from scripts.faultlib.register import Board, Client, Found, Placed
from scripts.faultlib.tests.stand_ins import Broker


class Draws(random.Random):
    """Writes and reads as told."""

    def __init__(self, *kinds):
        super().__init__(1)
        self.kinds = list(kinds)

    def random(self):
        return 0.0 if self.kinds.pop(0) == WRITE else 0.9

    def choice(self, several):
        return several[0]


def client(board, broker, *kinds, brokers=None):
    return Client("c", "R", board, lambda: broker, brokers or [broker], Draws(*kinds))


def kinds_and_values(board):
    return [(one.kind, one.value) for one in board.operations[board.number]]


def test_a_read_gives_what_was_written_last():
    board, broker = Board(), Broker()
    one = client(board, broker, READ, WRITE, WRITE, READ)

    for _ in range(4):
        one.once()

    assert kinds_and_values(board) == [
        (READ, None),
        (WRITE, "c.2"),
        (WRITE, "c.3"),
        (READ, "c.3"),
    ]
    assert all(done.begin <= done.end < NEVER for done in board.operations[0])
    assert check(board.operations[0]).is_linearizable
    assert broker.queues["R", 0] == [b"0 read c.1", b"0 write c.2", b"0 write c.3", b"0 read c.4"]
    assert board.placed[1] == Placed(0, 1, b"0 write c.2")


def test_a_broker_that_shows_another_history_is_found():
    board, broker = Board(), Broker()
    liar = Broker({("R", 0): [b"0 write x.1", b"0 write x.2", b"0 read c.3"]})
    one = client(board, broker, WRITE, WRITE, READ, brokers=[liar])

    for _ in range(3):
        one.once()

    found = check(board.operations[0])
    assert not found.is_linearizable
    assert found.stuck.value == "x.2"


def test_only_what_stands_before_the_read_counts():
    board = Board()
    bodies = [b"0 write a.1", b"0 read c.1", b"0 write a.2"]
    broker = Broker({("R", 0): bodies})

    assert client(board, broker).look(broker, 0, 1) == Found("a.1")


def test_far_back_is_looked_for_what_was_written():
    board, reads = Board(), [b"0 read b.1"] * 3 * register.COUNT
    broker = Broker({("R", 0): [b"0 write a.1", *reads]})
    broker.most = 20

    assert client(board, broker).look(broker, 0, len(reads)) == Found("a.1")


def test_a_broker_that_lacks_the_offset_says_nothing():
    broker = Broker({("R", 0): [b"0 write a.1"]})

    assert client(Board(), broker).look(broker, 0, 3) is None


def test_another_register_begins_with_nothing():
    board, broker = Board(), Broker()
    one = client(board, broker, WRITE, WRITE, READ, WRITE, READ)
    one.once()

    for _ in range(register.QUEUES):
        board.turn()
    assert board.begin_of(board.number) == 1
    broker.queues["R", 0].append(b"0 write late.1")
    for _ in range(4):
        one.once()

    assert [value for _, value in kinds_and_values(board)] == ["c.2", "c.2", "c.4", "c.4"]
    board.turn()
    assert board.begin_of(board.number) == 0


def test_a_write_without_an_answer_ends_never():
    board, broker = Board(), Broker()
    one = client(board, broker, WRITE, WRITE, READ)
    broker.refusal = 1
    one.once()
    broker.refusal = None
    one.once()
    broker.is_away = True
    one.once()

    assert [done.end == NEVER for done in board.operations[0]] == [True, False]
    assert broker.closed == 2
    assert len(board.placed) == 1


def test_who_is_not_connected_does_nothing(monkeypatch):
    monkeypatch.setattr(register, "IDLE_S", 0)
    board, broker = Board(), Broker()
    broker.is_away = True

    client(board, None).once()
    client(board, broker).once()

    assert board.operations == {0: []}


def test_a_read_that_nobody_tells_says_nothing(monkeypatch):
    monkeypatch.setattr(register, "READ_MAX_S", 0.02)
    monkeypatch.setattr(register, "IDLE_S", 0.001)
    board, broker, away = Board(), Broker(), Broker()
    away.is_away = True

    client(board, broker, READ, brokers=[away]).once()
    client(board, broker, READ, brokers=[Broker()]).once()

    assert board.operations == {0: []}
    assert len(board.placed) == 2


def test_it_works_until_it_is_stopped(monkeypatch):
    monkeypatch.setattr(register, "PAUSE_S", 0)
    board, broker, done = Board(), Broker(), threading.Event()
    one = Client("c", "R", board, lambda: broker, [broker], random.Random(2))
    note = board.done

    def noting(number, operation):
        note(number, operation)
        if len(board.operations[0]) == 5:
            done.set()

    board.done = noting
    one.start()
    assert done.wait(10)
    one.stop()

    assert check(board.operations[0]).is_linearizable


def test_a_thread_that_ended_by_itself_is_told():
    def fails():
        raise KeyError("leader")

    one = Client("c", "R", Board(), fails, [], random.Random(1))
    one.start()
    one._thread.join(10)

    with pytest.raises(RuntimeError, match="leader"):
        one.stop()
