"""Requests about broker sets, which only the leading Controller answers."""

from twisted.internet.defer import Deferred

from codec.bodies.body import decode_body
from codec.bodies.controller import SyncStateSet
from codec.codes import RequestCode, ResponseCode
from codec.headers.controller import (
    AlterSyncStateSetRequestHeader,
    ApplyBrokerIdRequestHeader,
    CleanControllerBrokerDataRequestHeader,
    ElectMasterRequestHeader,
    GetNextBrokerIdRequestHeader,
    GetReplicaInfoRequestHeader,
    RegisterBrokerToControllerRequestHeader,
)
from codec.headers.fields import RequestHeader
from rmq.base.errors import CommandError
from rmq.controller.commands import Commands, Outcome
from rmq.controller.elections import Elections
from rmq.controller.serving import Command, Serving
from rmq.remoting.handling import Request, Response, handles


class BrokerSetProcessor:
    """Source: ControllerRequestProcessor.java, 5.3.3.

    Each answer fails with CommandError as ``Serving.ask`` does.
    """

    def __init__(self, serving: Serving, commands: Commands, elections: Elections) -> None:
        self._serving = serving
        self._commands = commands
        self._elections = elections

    @handles(RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET, AlterSyncStateSetRequestHeader)
    def alter_sync_state_set(
        self, request: Request[AlterSyncStateSetRequestHeader]
    ) -> Deferred[Response]:
        """Take a master's word for who is in sync with it.

        :raises CommandError: CONTROLLER_INVALID_REQUEST, there is no body.
        """
        if not request.body:
            raise _invalid("no body, expected the new syncStateSet with its present epoch")
        header, body = request.header, decode_body(SyncStateSet, request.body)
        return self._ask(lambda: self._commands.alter_sync_state_set(header, body))

    @handles(RequestCode.CONTROLLER_ELECT_MASTER, ElectMasterRequestHeader)
    def elect_master(self, request: Request[ElectMasterRequestHeader]) -> Deferred[Response]:
        """Elect, and tell the group when that brought a new master."""

        def elected(outcome: Outcome) -> Outcome:
            self._elections.asked(outcome)
            return outcome

        header = request.header
        asked = self._serving.ask(lambda: self._commands.elect_master(header))
        return asked.addCallback(elected).addCallback(_response)

    @handles(RequestCode.CONTROLLER_REGISTER_BROKER, RegisterBrokerToControllerRequestHeader)
    def register_broker(
        self, request: Request[RegisterBrokerToControllerRequestHeader]
    ) -> Deferred[Response]:
        """Tell a broker that has an id whom to follow."""
        header = request.header
        return self._ask(lambda: self._commands.register_broker(header))

    @handles(RequestCode.CONTROLLER_GET_REPLICA_INFO, GetReplicaInfoRequestHeader)
    def replica_info(self, request: Request[GetReplicaInfoRequestHeader]) -> Deferred[Response]:
        """Tell who leads a set, and who is in sync."""
        header = request.header
        return self._ask(lambda: self._commands.replica_info(header))

    @handles(RequestCode.CONTROLLER_GET_SYNC_STATE_DATA)
    def sync_state_data(self, request: Request[RequestHeader]) -> Deferred[Response]:
        """Tell all about the sets that the body names.

        :raises CommandError: CONTROLLER_INVALID_REQUEST, it names none.
        """
        names = decode_body(list[str], request.body) if request.body else []
        if not names:
            raise _invalid('no broker names, expected a list as body, like ["broker-a"]')
        return self._ask(lambda: self._commands.sync_state_data(names))

    @handles(RequestCode.CLEAN_BROKER_DATA, CleanControllerBrokerDataRequestHeader)
    def clean_broker_data(
        self, request: Request[CleanControllerBrokerDataRequestHeader]
    ) -> Deferred[Response]:
        """Forget brokers."""
        header = request.header
        return self._ask(lambda: self._commands.clean_broker_data(header))

    @handles(RequestCode.CONTROLLER_GET_NEXT_BROKER_ID, GetNextBrokerIdRequestHeader)
    def next_broker_id(self, request: Request[GetNextBrokerIdRequestHeader]) -> Deferred[Response]:
        """Say which id a new broker may apply for."""
        header = request.header
        return self._ask(lambda: self._commands.next_broker_id(header))

    @handles(RequestCode.CONTROLLER_APPLY_BROKER_ID, ApplyBrokerIdRequestHeader)
    def apply_broker_id(self, request: Request[ApplyBrokerIdRequestHeader]) -> Deferred[Response]:
        """Give a broker its id."""
        header = request.header
        return self._ask(lambda: self._commands.apply_broker_id(header))

    def _ask(self, command: Command) -> Deferred[Response]:
        return self._serving.ask(command).addCallback(_response)


def _response(outcome: Outcome) -> Response:
    return Response(outcome.header, outcome.code, outcome.remark, outcome.body)


def _invalid(remark: str) -> CommandError:
    return CommandError(ResponseCode.CONTROLLER_INVALID_REQUEST, remark)
