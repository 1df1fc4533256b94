from twisted.internet.task import Clock

from rmq.net.clock import ReactorClock, SystemChance


def test_call_is_made_by_the_reactor_in_its_time():
    reactor = Clock()
    calls = []

    ReactorClock(reactor).call_later(1500, lambda: calls.append(1))
    reactor.advance(1.499)
    assert calls == []
    reactor.advance(0.001)

    assert calls == [1]


def test_cancelled_call_is_not_made_and_may_be_cancelled_again():
    reactor = Clock()
    calls = []
    timer = ReactorClock(reactor).call_later(1500, lambda: calls.append(1))

    timer.cancel()
    timer.cancel()
    reactor.advance(2)

    assert calls == []


def test_call_that_was_made_can_be_cancelled_in_vain():
    reactor = Clock()
    calls = []
    timer = ReactorClock(reactor).call_later(0, lambda: calls.append(1))

    reactor.advance(0)
    timer.cancel()

    assert calls == [1]


def test_system_clocks_count_milliseconds():
    clock = ReactorClock(Clock())

    assert clock.wall_ms() > 1_700_000_000_000
    assert clock.monotonic_ms() <= clock.monotonic_ms()


def test_chance_stays_below_its_limit():
    chance = SystemChance()

    assert {chance.below(3) for _ in range(200)} == {0, 1, 2}
