from codec.codes import RequestCode
from rmq.app.broker_processors import processors
from rmq.app.tests.parts import Parts
from rmq.remoting.handling import handler_table


def test_every_request_has_one_processor():
    parts = Parts()

    answering = processors(parts.ports, parts.tables, parts.store, parts.services, parts.caller)
    table = handler_table(answering)

    assert {
        RequestCode.SEND_MESSAGE,
        RequestCode.CONSUMER_SEND_MSG_BACK,
        RequestCode.END_TRANSACTION,
        RequestCode.PULL_MESSAGE,
        RequestCode.QUERY_MESSAGE,
        RequestCode.HEART_BEAT,
        RequestCode.QUERY_CONSUMER_OFFSET,
        RequestCode.GET_MAX_OFFSET,
        RequestCode.UPDATE_AND_CREATE_TOPIC,
        RequestCode.QUERY_ASSIGNMENT,
        RequestCode.GET_BROKER_RUNTIME_INFO,
    } <= set(table)
