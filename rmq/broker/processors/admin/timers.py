"""What slaves ask of the timer of messages with any delay."""

from codec.bodies import encode_body
from codec.codes import RequestCode
from codec.disk.timer_checkpoint import pack_timer_checkpoint
from codec.headers.fields import RequestHeader
from rmq.broker.timer_state import TimerState
from rmq.remoting.handling import Request, Response, handles


class TimerAdminProcessor:
    """Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(self, state: TimerState) -> None:
        self._state = state

    @handles(RequestCode.GET_TIMER_CHECK_POINT)
    def checkpoint(self, _request: Request[RequestHeader]) -> Response:
        """Give how far the timer is, in the form of its file.

        Source: AdminBrokerProcessor.java, getTimerCheckPoint(), 5.3.3.
        """
        return Response(body=pack_timer_checkpoint(self._state.checkpoint))

    @handles(RequestCode.GET_TIMER_METRICS)
    def metrics(self, _request: Request[RequestHeader]) -> Response:
        """Give how many messages of each topic wait for their time.

        Source: AdminBrokerProcessor.java, getTimerMetrics(), 5.3.3.
        """
        return Response(body=encode_body(self._state.metrics))
