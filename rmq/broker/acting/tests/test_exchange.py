from codec.codes import RequestCode
from codec.headers.ha import ExchangeHAInfoResponseHeader
from rmq.broker.acting.exchange import Exchange, RefusedError
from rmq.broker.controlled.tests.outcomes import outcome_of
from rmq.remoting.testing import FakeCaller


def test_a_slave_is_told_where_to_go():
    caller = FakeCaller()
    told = Exchange(caller).tell_slave("s:1", address="m:1", ha_address="m:2", end_position=7)
    outcome = outcome_of(told)
    [call] = caller.take()
    call.succeed()

    assert (call.address, call.command.code) == ("s:1", RequestCode.EXCHANGE_BROKER_HA_INFO)
    assert call.command.ext_fields == {
        "masterAddress": "m:1",
        "masterHaAddress": "m:2",
        "masterFlushOffset": "7",
    }
    assert outcome == [None]


def test_a_master_is_asked_where_to_go():
    caller = FakeCaller()
    outcome = outcome_of(Exchange(caller).ask_master("m:1"))
    [call] = caller.take()
    call.succeed({"masterAddress": "m:1", "masterHaAddress": "m:2", "masterFlushOffset": "7"})

    assert call.command.ext_fields == {}
    assert outcome == [
        ExchangeHAInfoResponseHeader(
            master_address="m:1", master_ha_address="m:2", master_flush_offset=7
        )
    ]


def test_a_refusal_is_told_from_silence():
    caller = FakeCaller()
    outcome = outcome_of(Exchange(caller).ask_master("m:1"))
    caller.take()[0].respond(1, "not now")

    [error] = outcome
    assert isinstance(error, RefusedError)
    assert str(error) == "m:1 refused EXCHANGE_BROKER_HA_INFO with 1: not now"
