import pytest
from twisted.internet.error import ConnectionLost

from rmq.sim.network import WINDOW
from rmq.sim.tests.talk import Pair


@pytest.fixture
def pair():
    return Pair()


@pytest.mark.parametrize("seed", range(1, 9))
def test_bytes_arrive_whole_and_in_order_whatever_the_weather(seed):
    pair = Pair(seed)
    server, client = pair.talking()
    weather = pair.network.weather
    weather.lost_one_in, weather.slow_one_in, weather.split_one_in = 4, 3, 1
    for number in range(50):
        client.transport.write(b"%d," % number)
        pair.run(1)

    pair.run(30_000)

    assert server.seen == b"".join(b"%d," % number for number in range(50))


def test_what_is_blocked_arrives_after_the_block_ends(pair):
    server, client = pair.talking()
    pair.cut()
    client.transport.write(b"1")
    client.transport.write(b"2")
    pair.run()
    client.transport.write(b"3")
    pair.run()
    assert server.seen == b""

    pair.network.heal()
    pair.run()

    assert server.seen == b"123"


def test_a_one_way_block_lets_the_other_way_through(pair):
    server, client = pair.talking()
    pair.cut(one_way=True)
    client.transport.write(b"up")
    server.transport.write(b"down")

    pair.run()

    assert (server.seen, client.seen) == (b"", b"down")


def test_a_killed_process_resets_its_connections(pair):
    server, client = pair.talking()

    pair.a.kill()
    pair.run()

    assert isinstance(client.lost, ConnectionLost)
    assert server.lost is None


def test_news_of_a_death_travel_behind_a_block(pair):
    _, client = pair.talking()
    pair.cut()
    pair.a.kill()
    pair.run()
    assert client.lost is None

    pair.network.heal()
    pair.run()

    assert isinstance(client.lost, ConnectionLost)


def test_a_machine_without_power_says_nothing_until_it_has_it_again(pair):
    _, client = pair.talking()
    pair.a.lose_power()
    client.transport.write(b"?")
    pair.run(60_000)
    assert client.lost is None

    pair.a.start()
    pair.network.retry()
    pair.run()

    assert isinstance(client.lost, ConnectionLost)


def test_a_connection_may_break_in_the_middle(pair):
    pair.network.break_one()
    server, client = pair.talking()

    pair.network.break_one()
    pair.run()

    assert isinstance(server.lost, ConnectionLost)
    assert isinstance(client.lost, ConnectionLost)
    pair.network.retry()
    pair.network.break_one()


def test_more_than_a_window_waits_for_the_reader(pair):
    server, client = pair.talking()
    server.transport.pauseProducing()
    client.transport.write(b"x" * (2 * WINDOW + 1))
    client.transport.loseConnection()
    pair.run()
    assert (server.seen, client.lost) == (b"", None)

    server.transport.resumeProducing()
    server.transport.resumeProducing()
    pair.run()

    assert len(server.seen) == 2 * WINDOW + 1
    assert server.lost is not None


def test_what_comes_while_kept_bytes_are_given_waits_its_turn(pair):
    server, client = pair.talking()
    server.transport.pauseProducing()
    client.transport.write(b"1")
    pair.run(50)
    client.transport.write(b"2")
    pair.run(50)
    taken = server.dataReceived

    def once(data):
        taken(data)
        server.transport.pauseProducing()

    server.dataReceived = once
    server.transport.resumeProducing()
    pair.run(50)

    assert server.seen == b"1"


def test_a_machine_that_is_not_reached_is_asked_again_for_a_while(pair):
    pair.cut()
    pair.connect()
    pair.run(500)
    pair.network.heal()

    pair.run()

    assert pair.opened.made[0].made


def test_an_answer_that_is_blocked_is_asked_for_again(pair):
    pair.network.block("10.0.0.1", "10.0.0.2")
    pair.connect(timeout=9)
    pair.run(500)
    assert pair.opened.made == []
    pair.network.heal()

    pair.run()

    assert pair.opened.made[0].made


def test_who_is_never_reached_is_given_up(pair):
    pair.cut()
    pair.connect(timeout=9)

    pair.run(20_000)

    assert (pair.opened.made, str(pair.opened.failed)) == (
        [],
        "User timeout caused connection failure.",
    )


def test_a_connection_to_a_process_that_died_meanwhile_is_unknown(pair):
    pair.connect()
    pair.world.run(1_000_000, done=lambda: bool(pair.opened.made))
    pair.a.kill()

    pair.run()

    assert isinstance(pair.opened.made[0].lost, ConnectionLost)


def test_a_port_is_free_when_its_process_is_dead_or_has_ended_it(pair):
    listen = pair.network.listen
    assert listen(pair.a.process, 1, lambda *_: None) is None

    pair.a.kill()
    pair.a.start()
    end = listen(pair.a.process, 1, lambda *_: None)
    end()
    pair.port.stopListening()

    assert listen(pair.a.process, 1, lambda *_: None) is not None


def test_a_client_that_dies_while_it_connects_is_forgotten(pair):
    pair.cut()
    pair.connect()
    pair.b.kill()

    pair.run(10_000)

    assert pair.opened.made == []
