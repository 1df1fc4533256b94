"""Heartbeats of brokers, which every Controller hears."""

from codec.codes import RequestCode
from codec.headers.namesrv import BrokerHeartbeatRequestHeader
from rmq.controller.heartbeats import Heartbeats
from rmq.remoting.handling import Request, Response, handles


class HeartbeatProcessor:
    """Source: ControllerRequestProcessor.java, handleBrokerHeartbeat(), 5.3.3."""

    def __init__(self, heartbeats: Heartbeats) -> None:
        self._heartbeats = heartbeats

    @handles(RequestCode.BROKER_HEARTBEAT, BrokerHeartbeatRequestHeader)
    def heartbeat(self, request: Request[BrokerHeartbeatRequestHeader]) -> Response:
        """Note that a broker lives, and how far it is; brokers want no answer.

        :raises CommandError: as ``Heartbeats.heard``.
        """
        self._heartbeats.heard(request.header, request.channel)
        return Response(remark="Heart beat success")
