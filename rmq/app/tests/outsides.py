"""A made-up machine for servers in tests."""

from twisted.internet.defer import Deferred

from rmq.app.outside import Outside
from rmq.base.manual import FixedChance


class OtherThread:
    """A worker that is done a turn later."""

    def __init__(self, clock):
        self._clock = clock

    def start(self):
        pass

    def stop(self):
        pass

    def run(self, call):
        done = Deferred()

        def do():
            call()
            done.callback(None)

        self._clock.call_later(0, do)
        return done


def outside_of(clock, seed=1):
    """A machine whose time is ``clock``'s."""
    return Outside(
        clock=clock,
        chance=FixedChance.seeded(seed),
        worker=OtherThread(clock),
        process_id=1,
        memory_size=1 << 30,
    )
