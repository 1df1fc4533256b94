"""Answers of any Controller, leading or not: who leads, and its own settings."""

from codec.codes import RequestCode
from codec.headers.controller import GetMetaDataResponseHeader
from codec.headers.fields import RequestHeader
from rmq.controller.configuration import Configuration
from rmq.controller.consensus import Consensus
from rmq.remoting.handling import Request, Response, handles, text_of


class AdminProcessor:
    """Source: DLedgerController.java, getControllerMetadata(), and
    ControllerRequestProcessor.java, 5.3.3.
    """

    def __init__(self, consensus: Consensus, group: str, configuration: Configuration) -> None:
        self._consensus = consensus
        self._group = group
        self._configuration = configuration

    @handles(RequestCode.CONTROLLER_GET_METADATA_INFO)
    def metadata(self, _request: Request[RequestHeader]) -> Response:
        """Tell who leads, as far as is known here, and who is of the group."""
        peers, leader_id = self._consensus.peers, self._consensus.leader_id
        return Response(
            GetMetaDataResponseHeader(
                group=self._group,
                controller_leader_id=leader_id,
                controller_leader_address=None if leader_id is None else peers.get(leader_id),
                is_leader=self._consensus.is_leader,
                peers="".join(f"{peer_id}:{address};" for peer_id, address in peers.items()),
            )
        )

    @handles(RequestCode.GET_CONTROLLER_CONFIG)
    def get_config(self, _request: Request[RequestHeader]) -> Response:
        """Give all settings as properties text."""
        return Response(body=self._configuration.text().encode())

    @handles(RequestCode.UPDATE_CONTROLLER_CONFIG)
    def update_config(self, request: Request[RequestHeader]) -> Response:
        """Change settings of this Controller; no body changes none.

        :raises CommandError: as ``Configuration.update``; SYSTEM_ERROR too if it is not UTF-8.
        """
        if text := text_of(request):
            self._configuration.update(text)
        return Response()
