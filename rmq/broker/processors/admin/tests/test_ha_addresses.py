import pytest

from codec.headers.ha import (
    ExchangeHAInfoRequestHeader,
    ExchangeHAInfoResponseHeader,
    NotifyMinBrokerIdChangeRequestHeader,
    ResetMasterFlushOffsetHeader,
)
from rmq.broker.processors.admin.ha_addresses import HaAddressProcessor
from rmq.broker.role import Role, RoleHolder
from rmq.remoting.handling import Request, Response
from rmq.remoting.testing import FakeChannel

MASTER, SLAVE = Role(kind="SYNC_MASTER", broker_id=0), Role(kind="SLAVE", broker_id=1)
CALL = ExchangeHAInfoRequestHeader(master_ha_address="m:2", master_address="m:1")


class Log:
    master_flushed_position = 3


class Group:
    def __init__(self):
        self.told = []
        self.notified = self.master_calls = self.told.append


def request(header, code=906):
    return Request(header, b"", FakeChannel(), code, 0, 479, "JAVA", 0, b"")


def processor(role, group=None, log=None):
    return HaAddressProcessor(
        RoleHolder(role), "h:10911", "h:10912", lambda: 900, log or Log(), group
    )


@pytest.mark.parametrize(
    ("role", "told"),
    [
        (
            MASTER,
            ExchangeHAInfoResponseHeader(
                master_ha_address="h:10912", master_flush_offset=900, master_address="h:10911"
            ),
        ),
        (SLAVE, ExchangeHAInfoResponseHeader()),
    ],
)
def test_only_a_master_tells_where_its_log_comes_from(role, told):
    asked = request(ExchangeHAInfoRequestHeader())

    assert processor(role).exchange(asked) == Response(told)
    assert processor(role, Group()).exchange(asked) == Response(told)


def test_a_slave_that_may_act_hears_of_a_master_that_comes():
    group = Group()

    answer = processor(SLAVE, group).exchange(request(CALL))

    assert answer == Response(ExchangeHAInfoResponseHeader())
    assert group.told == [CALL]
    assert processor(SLAVE).exchange(request(CALL)) == answer


def test_a_slave_that_may_act_hears_who_has_the_smallest_id():
    group = Group()
    notice = NotifyMinBrokerIdChangeRequestHeader(min_broker_id=1)

    assert processor(SLAVE, group).smallest_id(request(notice, 905)) == Response()
    assert processor(SLAVE).smallest_id(request(notice, 905)) == Response()
    assert group.told == [notice]


@pytest.mark.parametrize(("role", "known"), [(SLAVE, 5), (MASTER, 3)])
def test_what_a_slave_knows_of_its_masters_log_can_be_changed(role, known):
    log = Log()

    answer = processor(role, log=log).reset(
        request(ResetMasterFlushOffsetHeader(master_flush_offset=5), 908)
    )

    assert answer == Response()
    assert log.master_flushed_position == known
