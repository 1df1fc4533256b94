"""The settings of the running broker, by command."""

from codec.codes import RequestCode
from codec.headers.broker_admin import GetBrokerConfigResponseHeader
from codec.headers.fields import RequestHeader
from rmq.broker.live_config import LiveConfig
from rmq.remoting.handling import Request, Response, handles, text_of


class ConfigAdminProcessor:
    """Shows settings and changes them. Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(self, live: LiveConfig) -> None:
        self._live = live

    @handles(RequestCode.GET_BROKER_CONFIG)
    def get(self, _request: Request[RequestHeader]) -> Response:
        """Give all settings as properties text, and how often they were changed."""
        header = GetBrokerConfigResponseHeader(version=self._live.version_text)
        return Response(header, body=self._live.text().encode())

    @handles(RequestCode.UPDATE_BROKER_CONFIG)
    def update(self, request: Request[RequestHeader]) -> Response:
        """Change settings; no body changes none.

        :raises CommandError: as ``LiveConfig.update``; SYSTEM_ERROR too if it is not UTF-8.
        """
        if text := text_of(request):
            self._live.update(text)
        return Response()
