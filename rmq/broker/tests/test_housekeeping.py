from rmq.base.manual import ManualClock
from rmq.broker.housekeeping import NOTICE_MS, SCAN_MS, Housekeeping
from rmq.remoting.testing import FakeChannel


class Table:
    def __init__(self, name, events):
        self.name = name
        self.events = events

    def channel_closed(self, channel):
        self.events.append((self.name, channel))
        return True

    def close_silent(self):
        self.events.append((self.name, "silent"))
        return 0

    def remove_expired(self):
        self.events.append((self.name, "expired"))

    def send_notices(self):
        self.events.append((self.name, "notices"))

    def drop(self, owner):
        self.events.append((self.name, owner))


def made():
    clock, events = ManualClock(), []
    tables = {name: Table(name, events) for name in ("producers", "consumers", "locks", "pulls")}
    keeping = Housekeeping(
        clock,
        [tables["producers"], tables["consumers"]],
        leases=[tables["locks"]],
        waiting=[tables["pulls"]],
        notices=[tables["consumers"]],
    )
    return clock, events, keeping


def test_closed_connection_is_forgotten_everywhere():
    _, events, keeping = made()
    channel = FakeChannel()

    keeping.channel_closed(channel)

    assert events == [("pulls", channel), ("producers", channel), ("consumers", channel)]


def test_silent_clients_are_looked_for_again_and_again():
    clock, events, keeping = made()
    keeping.start()

    clock.advance(2 * SCAN_MS)

    scanned = [event for event in events if event != ("consumers", "notices")]
    assert scanned == 2 * [("producers", "silent"), ("consumers", "silent"), ("locks", "expired")]


def test_members_hear_of_each_other_again_and_again():
    clock, events, keeping = made()
    keeping.start()

    clock.advance(2 * NOTICE_MS)

    assert events.count(("consumers", "notices")) == 2


def test_stopped_housekeeping_looks_no_more():
    clock, events, keeping = made()
    keeping.start()
    keeping.stop()

    clock.advance(NOTICE_MS)

    assert events == []
