import logging

import pytest
from twisted.internet.defer import succeed

from codec.headers.ha import ExchangeHAInfoRequestHeader, NotifyMinBrokerIdChangeRequestHeader
from codec.headers.namesrv import RegisterBrokerResponseHeader
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.broker.acting.acting import FIRST_POLL_MS, Acting, ActingSettings
from rmq.broker.acting.exchange import Exchange
from rmq.broker.acting.group import Group
from rmq.broker.acting.tests.test_group import known
from rmq.broker.role import Role, RoleHolder
from rmq.remoting.testing import FakeCaller

PERIOD_MS = 1_000
MASTER, MASTER_HA, SLAVE, OTHER = "m:1", "m:2", "s:1", "o:1"


class Work:
    def __init__(self, name, events, refusal=None):
        self.name, self.events, self.refusal = name, events, refusal

    def begin(self):
        if self.refusal:
            raise StoreError(self.refusal)
        self.events.append(f"begin {self.name}")

    def stop(self):
        self.events.append(f"stop {self.name}")


class Log:
    master_flushed_position = 0
    written_position = 100
    refusal = None

    def truncate(self, position):
        if self.refusal:
            raise StoreError(self.refusal)
        self.written_position = position


class World:
    """Slave 1 of a master at m:1; the NameServer is asked by the caller."""

    def __init__(self, *, kind="SLAVE", broker_id=1, cuts=False, refusal=None, on_line=0):
        self.clock = ManualClock()
        self.caller = FakeCaller()
        self.role = RoleHolder(
            Role(kind=kind, broker_id=broker_id, master_address=MASTER, master_ha_address=MASTER_HA)
        )
        self.events = []
        self.log = Log()
        self.group = Group(self.caller, lambda: ["n:1"], ("C", "a"), self.role, 2)
        self.acting = Acting(
            self.clock,
            self.role,
            self.group,
            Exchange(self.caller),
            self,
            self.log,
            (Work("first", self.events, refusal), Work("second", self.events)),
            ActingSettings(period_ms=PERIOD_MS, cuts=cuts),
        )
        self.acting.start()
        if on_line is not None:
            self.acting.on_line(on_line, MASTER)

    def become_slave(self, *, master_address, ha_address, epoch, broker_id):
        role = Role(
            kind="SLAVE",
            broker_id=broker_id,
            epoch=epoch,
            master_address=master_address,
            master_ha_address=ha_address,
        )
        if role != self.role.now:
            self.events.append(f"follow {master_address} {ha_address}")
        self.role.set(role)
        return succeed(None)

    def learned(self, answer):
        self.events.append(f"learned {answer.master_addr}")

    def polled(self, addresses):
        """Let the next poll tell who lives."""
        self.clock.advance(PERIOD_MS)
        self.caller.take()[0].succeed(body=known(addresses))

    def notified(self, smallest, **fields):
        self.acting.notified(NotifyMinBrokerIdChangeRequestHeader(min_broker_id=smallest, **fields))

    def taken(self):
        events, self.events[:] = list(self.events), []
        return events


def test_the_smallest_slave_acts_when_its_master_is_gone():
    world = World()
    world.polled({0: MASTER, 1: SLAVE})
    assert world.taken() == []

    world.polled({1: SLAVE, 2: OTHER})

    assert world.acting.is_acting
    assert world.taken() == ["follow None None", "begin first", "begin second"]
    assert world.group.alive == 2


def test_another_slave_only_forgets_its_master():
    world = World(broker_id=2)

    world.polled({1: SLAVE, 2: OTHER})

    assert not world.acting.is_acting
    assert world.taken() == ["follow None None"]


def test_a_slave_whose_master_was_somebody_else_goes_on_following_it():
    world = World(broker_id=2)

    world.notified(1, min_broker_addr=SLAVE, offline_broker_addr="x:1")

    assert world.taken() == []


def test_notices_are_quicker_than_polls_and_say_more():
    world = World()
    world.notified(1, min_broker_addr=SLAVE, offline_broker_addr=MASTER)
    assert world.taken() == ["follow None None", "begin first", "begin second"]

    world.notified(0, min_broker_addr=MASTER, ha_broker_addr=MASTER_HA)

    assert world.taken() == ["stop second", "stop first", f"follow {MASTER} {MASTER_HA}"]
    assert world.caller.take() == []


def test_a_master_of_which_a_poll_tells_is_asked_where_its_log_comes_from():
    world = World(on_line=1)
    world.taken()

    world.polled({0: MASTER, 1: SLAVE})
    [call] = world.caller.take()
    assert world.taken() == ["stop second", "stop first"]
    call.succeed({"masterHaAddress": MASTER_HA})

    assert world.taken() == [f"follow {MASTER} {MASTER_HA}"]


def test_a_master_that_does_not_say_is_followed_where_it_was():
    world = World(on_line=1)
    world.acting.master_calls(ExchangeHAInfoRequestHeader(master_ha_address="m:9"))
    world.taken()

    world.polled({0: MASTER, 1: SLAVE})
    world.caller.take()[0].fail()

    assert world.taken() == ["stop second", "stop first", f"follow {MASTER} m:9"]


def test_who_says_it_too_late_is_not_followed():
    world = World(on_line=1)
    world.polled({0: MASTER, 1: SLAVE})
    [call] = world.caller.take()
    world.notified(1, min_broker_addr=SLAVE, offline_broker_addr=MASTER)
    world.taken()

    call.succeed({"masterHaAddress": MASTER_HA})

    assert world.taken() == []
    assert world.acting.is_acting


def test_a_broken_answer_is_none():
    world = World(on_line=1)
    world.taken()
    world.polled({0: MASTER, 1: SLAVE})

    world.caller.take()[0].succeed({"masterFlushOffset": "x"})

    assert world.taken() == ["stop second", "stop first", f"follow {MASTER} None"]


def test_a_slave_with_a_smaller_id_relieves():
    world = World(broker_id=2, on_line=2)
    assert world.acting.is_acting
    world.taken()

    world.polled({1: SLAVE, 2: OTHER})

    assert world.taken() == ["stop second", "stop first"]
    assert world.caller.take() == []


def test_the_address_of_a_master_is_kept_up_to_date():
    world = World()
    world.polled({0: "m:5", 1: SLAVE})
    world.become_slave(master_address="m:5", ha_address=None, epoch=0, broker_id=1)
    world.notified(0)
    world.taken()

    world.polled({2: OTHER})

    assert world.taken() == ["follow None None"]


def test_nothing_is_decided_before_the_broker_is_on_line():
    world = World(on_line=None)

    world.polled({1: SLAVE})
    world.notified(1)

    assert world.taken() == []
    assert world.group.alive == 1, "but counted"


def test_masters_never_act():
    world = World(kind="ASYNC_MASTER", broker_id=0)

    world.polled({1: SLAVE})
    world.acting.master_calls(ExchangeHAInfoRequestHeader(master_ha_address="m:9"))

    assert world.taken() == []


def test_an_answer_that_knows_nobody_says_nothing(caplog):
    world = World()

    world.polled({})

    assert "event=no_broker_known" in caplog.text
    assert world.taken() == []


def test_a_notice_without_an_id_says_nothing():
    world = World()

    world.acting.notified(NotifyMinBrokerIdChangeRequestHeader())

    assert world.taken() == []


def test_a_smallest_id_without_an_address_is_not_followed():
    world = World(on_line=1)
    world.taken()

    world.notified(0)

    assert world.taken() == ["stop second", "stop first"]


def test_answers_to_a_registration_go_to_whoever_learns_masters():
    world = World()

    world.acting.registered(RegisterBrokerResponseHeader(master_addr=MASTER))

    assert world.taken() == [f"learned {MASTER}"]


def test_an_acting_one_that_is_told_of_a_master_acts_no_more():
    world = World(on_line=1)
    world.taken()
    world.acting.registered(RegisterBrokerResponseHeader())
    assert world.taken() == ["learned None"]

    world.acting.registered(
        RegisterBrokerResponseHeader(master_addr=MASTER, ha_server_addr=MASTER_HA)
    )

    assert world.taken() == ["stop second", "stop first", f"follow {MASTER} {MASTER_HA}"]


def test_a_master_that_is_not_yet_on_line_is_followed_but_not_copied():
    world = World(on_line=1)
    world.taken()

    world.acting.master_calls(
        ExchangeHAInfoRequestHeader(master_ha_address=MASTER_HA, master_address=MASTER)
    )
    world.acting.master_calls(ExchangeHAInfoRequestHeader())

    assert world.taken() == [f"follow None {MASTER_HA}"]
    assert world.acting.is_acting


@pytest.mark.parametrize(
    ("cuts", "before", "told", "after", "noted"),
    [
        (True, 0, 60, 60, 60),
        (True, 0, 100, 100, 100),
        (True, 0, None, 100, 0),
        (True, 40, 60, 100, 40),
        (False, 0, 60, 100, 0),
    ],
)
def test_what_the_master_lost_is_cut_once_if_that_is_wished(cuts, before, told, after, noted):
    world = World(cuts=cuts)
    world.log.master_flushed_position = before

    world.acting.master_calls(
        ExchangeHAInfoRequestHeader(master_ha_address=MASTER_HA, master_flush_offset=told)
    )

    assert world.log.written_position == after
    assert world.log.master_flushed_position == noted


def test_a_log_that_cannot_be_cut_is_left(caplog):
    world = World(cuts=True)
    world.log.refusal = "no record begins there"

    world.acting.cut_at(50)

    assert world.log.written_position == 100
    assert "event=log_not_cut end=100 master=50" in caplog.text


def test_work_that_cannot_begin_does_not_keep_other_work_from_it(caplog):
    with caplog.at_level(logging.ERROR):
        world = World(refusal="broken file", on_line=1)

    assert world.taken() == ["follow None None", "begin second"]
    assert "broken file" in caplog.text


def test_who_stops_acts_no_more_and_asks_nobody():
    world = World(on_line=1)
    world.taken()
    world.acting.stop()

    assert world.taken() == ["stop second", "stop first"]
    world.clock.advance(FIRST_POLL_MS + PERIOD_MS)
    assert world.caller.take() == []


def test_an_answer_after_the_end_changes_nothing():
    world = World(on_line=1)
    world.polled({0: MASTER, 1: SLAVE})
    world.acting.stop()
    world.taken()

    world.caller.take()[0].succeed({"masterHaAddress": MASTER_HA})

    assert world.taken() == []
