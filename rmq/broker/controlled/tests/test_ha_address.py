from codec.codes import RequestCode, ResponseCode
from rmq.broker.controlled.ha_address import asks_ha_address
from rmq.broker.controlled.tests.outcomes import outcome_of
from rmq.remoting.testing import FakeCaller


def test_a_master_tells_where_its_log_comes_from():
    caller = FakeCaller()
    answer = outcome_of(asks_ha_address(caller)("h:10911"))
    (call,) = caller.take()

    call.succeed({"masterHaAddress": "h:10912", "masterAddress": "h:10911"})

    assert (call.address, call.command.code) == ("h:10911", RequestCode.EXCHANGE_BROKER_HA_INFO)
    assert answer == ["h:10912"]


def test_who_is_no_master_tells_nothing():
    caller = FakeCaller()
    asks = asks_ha_address(caller)
    answers = outcome_of(asks("h:1")), outcome_of(asks("h:1"))
    slave, other = caller.take()

    slave.succeed({})
    other.respond(ResponseCode.REQUEST_CODE_NOT_SUPPORTED)

    assert answers == ([None], [None])
