from hypothesis import given
from hypothesis import strategies as st

from codec.ha.default import pack_chunk_header
from rmq.replication.tests.slaves import World


def test_the_first_word_says_where_the_log_ends():
    assert World().wire.reports == [0]
    assert World(300).wire.reports == [300]


def test_chunks_that_come_together_are_reported_together():
    world = World(300)

    world.slave.receive(pack_chunk_header(300, 2) + b"ab" + pack_chunk_header(302, 1) + b"c")

    assert world.log.appended == [(300, b"ab"), (302, b"c")]
    assert world.wire.reports == [300, 303]
    assert world.log.said == ["reported", "dispatched"]


def test_a_heartbeat_is_not_answered():
    world = World(300)

    world.chunk(300, b"")

    assert world.wire.reports == [300]
    assert world.log.said == []
    assert not world.wire.closed


@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 30), min_size=1))
def test_it_does_not_matter_how_the_bytes_are_cut(chunks, cuts):
    world = World(100)
    told, position = b"", 100
    for chunk in chunks:
        told += pack_chunk_header(position, len(chunk)) + chunk
        position += len(chunk)

    at = 0
    while at < len(told):
        size = cuts[at % len(cuts)]
        world.slave.receive(told[at : at + size])
        at += size

    assert not world.wire.closed
    assert world.log.written_position == position
    assert b"".join(data for _, data in world.log.appended) == b"".join(chunks)
    assert world.wire.reports[-1] == position
