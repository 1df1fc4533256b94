"""Who is connected, for operators."""

from codec.bodies import encode_body
from codec.codes import RequestCode, ResponseCode
from codec.headers.clients import (
    GetAllProducerInfoRequestHeader,
    GetConsumerConnectionListRequestHeader,
    GetProducerConnectionListRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.broker.consumers import Consumers
from rmq.broker.producers import Producers
from rmq.remoting.handling import Request, Response, handles


class ConnectionAdminProcessor:
    """Shows the tables of clients. Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(self, producers: Producers, consumers: Consumers) -> None:
        self._producers = producers
        self._consumers = consumers

    @handles(RequestCode.GET_CONSUMER_CONNECTION_LIST, GetConsumerConnectionListRequestHeader)
    def consumers(self, request: Request[GetConsumerConnectionListRequestHeader]) -> Response:
        """Show the members of a consumer group and its subscriptions.

        :raises CommandError: CONSUMER_NOT_ONLINE.
        """
        name = request.header.consumer_group
        group = self._consumers.get(name)
        if group is None:
            raise CommandError(
                ResponseCode.CONSUMER_NOT_ONLINE, f"the consumer group[{name}] not online"
            )
        return Response(body=encode_body(group.connection_list()))

    @handles(RequestCode.GET_PRODUCER_CONNECTION_LIST, GetProducerConnectionListRequestHeader)
    def producers(self, request: Request[GetProducerConnectionListRequestHeader]) -> Response:
        """Show the members of a producer group.

        :raises CommandError: SYSTEM_ERROR, it has none.
        """
        name = request.header.producer_group
        if not self._producers.is_online(name):
            raise CommandError(ResponseCode.SYSTEM_ERROR, f"the producer group[{name}] not exist")
        return Response(body=encode_body(self._producers.connection_list(name)))

    @handles(RequestCode.GET_ALL_PRODUCER_INFO, GetAllProducerInfoRequestHeader)
    def all_producers(self, _request: Request[GetAllProducerInfoRequestHeader]) -> Response:
        """Show all producers by group."""
        return Response(body=encode_body(self._producers.table_info()))
