"""What a broker asks the Controllers' leader, each question with its answer's meaning."""

from collections.abc import Iterable
from dataclasses import dataclass

from codec.bodies import decode_body, encode_body
from codec.bodies.controller import ElectMasterResponseBody, SyncStateSet
from codec.codes import RequestCode, ResponseCode
from codec.errors import CodecError
from codec.headers.controller import (
    AlterSyncStateSetRequestHeader,
    ApplyBrokerIdRequestHeader,
    ElectMasterRequestHeader,
    ElectMasterResponseHeader,
    GetNextBrokerIdRequestHeader,
    GetNextBrokerIdResponseHeader,
    GetReplicaInfoRequestHeader,
    GetReplicaInfoResponseHeader,
    RegisterBrokerToControllerRequestHeader,
    RegisterBrokerToControllerResponseHeader,
)
from codec.headers.fields import decode_header
from rmq.base.ports import Clock
from rmq.broker.controlled.controllers import Controllers
from rmq.broker.controlled.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the Controllers have decided about our group.

    ``master_id`` and ``master_address`` are None while there is no master. ``epoch`` counts the
    decisions on masters, ``in_sync_epoch`` those on who is in sync; both from 0, none yet.
    """

    master_id: int | None = None
    master_address: str | None = None
    epoch: int = 0
    in_sync: frozenset[int] = frozenset()
    in_sync_epoch: int = 0

    @property
    def has_master(self) -> bool:
        """Whether there is a master, and its address is known."""
        return self.master_id is not None and bool(self.master_address)


@dataclass(frozen=True, slots=True)
class Names:
    """By what a Controller knows us, besides our id: ``address`` is host:port for clients."""

    cluster_name: str
    broker_name: str
    address: str


class Requests:
    """Asks for one broker. Every question may fail with ``CallError`` or ``CodecError``."""

    def __init__(self, controllers: Controllers, clock: Clock, names: Names) -> None:
        self._controllers = controllers
        self._clock = clock
        self._names = names

    async def next_id(self) -> int:
        """The id that the next new broker of the group may apply for."""
        header = GetNextBrokerIdRequestHeader(
            cluster_name=self._names.cluster_name, broker_name=self._names.broker_name
        )
        answer = await self._controllers.ask(RequestCode.CONTROLLER_GET_NEXT_BROKER_ID, header)
        said = decode_header(GetNextBrokerIdResponseHeader, answer.ext_fields)
        if said.next_broker_id is None:
            raise CodecError("nextBrokerId is missing")
        return said.next_broker_id

    async def apply_id(self, identity: Identity) -> None:
        """Have the wanted id given to us.

        :raises ControllerRefusedError: CONTROLLER_BROKER_ID_INVALID, another has it.
        """
        header = ApplyBrokerIdRequestHeader(
            cluster_name=self._names.cluster_name,
            broker_name=self._names.broker_name,
            applied_broker_id=identity.broker_id,
            register_check_code=identity.check_code,
        )
        await self._controllers.ask(RequestCode.CONTROLLER_APPLY_BROKER_ID, header)

    async def register(self, broker_id: int) -> Verdict:
        """Tell our address; who is master, if one lives.

        :raises ControllerRefusedError: CONTROLLER_BROKER_NEED_TO_BE_REGISTERED, the id is unknown.
        """
        header = RegisterBrokerToControllerRequestHeader(
            cluster_name=self._names.cluster_name,
            broker_name=self._names.broker_name,
            broker_id=broker_id,
            broker_address=self._names.address,
            invoke_time=self._clock.wall_ms(),
        )
        answer = await self._controllers.ask(RequestCode.CONTROLLER_REGISTER_BROKER, header)
        said = decode_header(RegisterBrokerToControllerResponseHeader, answer.ext_fields)
        return _verdict(said, _in_sync(answer.body).sync_state_set or ())

    async def elect(self, broker_id: int) -> Verdict:
        """Have a master elected, ourselves if nobody ever was; also if there is one already."""
        header = ElectMasterRequestHeader(
            cluster_name=self._names.cluster_name,
            broker_name=self._names.broker_name,
            broker_id=broker_id,
            designate_elect=False,
            invoke_time=self._clock.wall_ms(),
        )
        answer = await self._controllers.ask(
            RequestCode.CONTROLLER_ELECT_MASTER,
            header,
            accepted=(ResponseCode.CONTROLLER_MASTER_STILL_EXIST,),
        )
        said = decode_header(ElectMasterResponseHeader, answer.ext_fields)
        body = decode_body(ElectMasterResponseBody, answer.body) if answer.body else None
        return _verdict(said, body.sync_state_set if body is not None else [])

    async def replica_info(self) -> Verdict:
        """What is decided now.

        :raises ControllerRefusedError: CONTROLLER_BROKER_METADATA_NOT_EXIST, the group is unknown.
        """
        header = GetReplicaInfoRequestHeader(broker_name=self._names.broker_name)
        answer = await self._controllers.ask(RequestCode.CONTROLLER_GET_REPLICA_INFO, header)
        said = decode_header(GetReplicaInfoResponseHeader, answer.ext_fields)
        in_sync = _in_sync(answer.body)
        return Verdict(
            master_id=said.master_broker_id,
            master_address=said.master_address,
            epoch=said.master_epoch or 0,
            in_sync=frozenset(in_sync.sync_state_set or ()),
            in_sync_epoch=in_sync.sync_state_set_epoch,
        )

    async def agreed_info(self) -> Verdict:
        """What is decided now, told by a leader that a majority takes for it.

        A leader that was cut off and does not know of the next one is not asked.
        """
        await self._controllers.look(agreed=True)
        return await self.replica_info()

    async def alter(self, broker_id: int, epoch: int, body: SyncStateSet) -> SyncStateSet:
        """Propose, as master of ``epoch``, the members of ``body``; its epoch is the present one.

        :raises ControllerRefusedError: not to be, or not any more, or not yet.
        """
        header = AlterSyncStateSetRequestHeader(
            broker_name=self._names.broker_name,
            master_broker_id=broker_id,
            master_epoch=epoch,
            invoke_time=self._clock.wall_ms(),
        )
        answer = await self._controllers.ask(
            RequestCode.CONTROLLER_ALTER_SYNC_STATE_SET, header, encode_body(body)
        )
        return decode_body(SyncStateSet, answer.body)


def _in_sync(body: bytes) -> SyncStateSet:
    return decode_body(SyncStateSet, body) if body else SyncStateSet()


def _verdict(
    said: ElectMasterResponseHeader | RegisterBrokerToControllerResponseHeader,
    in_sync: Iterable[int],
) -> Verdict:
    return Verdict(
        master_id=said.master_broker_id,
        master_address=said.master_address,
        epoch=said.master_epoch or 0,
        in_sync=frozenset(in_sync),
        in_sync_epoch=said.sync_state_set_epoch or 0,
    )
