"""Answers about the NameServer's own settings."""

from codec.codes import RequestCode
from codec.headers.fields import RequestHeader
from rmq.namesrv.configuration import Configuration
from rmq.remoting.handling import Request, Response, handles, text_of


class AdminProcessor:
    """Source: DefaultRequestProcessor.java, updateConfig() and getConfig(), 5.3.3."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    @handles(RequestCode.GET_NAMESRV_CONFIG)
    def get_config(self, _request: Request[RequestHeader]) -> Response:
        """Give all settings as properties text."""
        return Response(body=self._configuration.text().encode())

    @handles(RequestCode.UPDATE_NAMESRV_CONFIG)
    def update_config(self, request: Request[RequestHeader]) -> Response:
        """Change settings; no body changes none.

        :raises CommandError: as ``Configuration.update``; SYSTEM_ERROR too if it is not UTF-8.
        """
        if text := text_of(request):
            self._configuration.update(text)
        return Response()
