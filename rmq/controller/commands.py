"""What a leading Controller decides when it is asked: pure rules over the applied tables.

A command looks at the tables and at who lives, and gives an ``Outcome``: the events that shall
happen, and the answer that is true once they have happened. It changes nothing itself. Whoever runs
it sees to it that nothing is pending, and gives the answer only when the events are applied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codec.bodies.body import encode_body
from codec.bodies.controller import (
    BrokerReplicasInfo,
    ElectMasterResponseBody,
    ReplicaIdentity,
    ReplicasInfo,
    SyncStateSet,
)
from codec.bodies.route import BrokerMemberGroup
from codec.codes import ResponseCode
from codec.headers.controller import (
    AlterSyncStateSetRequestHeader,
    AlterSyncStateSetResponseHeader,
    ApplyBrokerIdRequestHeader,
    ApplyBrokerIdResponseHeader,
    CleanControllerBrokerDataRequestHeader,
    ElectMasterRequestHeader,
    ElectMasterResponseHeader,
    GetNextBrokerIdRequestHeader,
    GetNextBrokerIdResponseHeader,
    GetReplicaInfoRequestHeader,
    GetReplicaInfoResponseHeader,
    RegisterBrokerToControllerRequestHeader,
    RegisterBrokerToControllerResponseHeader,
)
from codec.headers.fields import ResponseHeader
from rmq.controller.elect import elect
from rmq.controller.events import (
    AlterSyncStateSetEvent,
    ApplyBrokerIdEvent,
    CleanBrokerDataEvent,
    ElectMasterEvent,
    Event,
    UpdateBrokerAddressEvent,
)
from rmq.controller.heartbeats import Liveness
from rmq.controller.state import FIRST_BROKER_ID, BrokerSet, Known, State, SyncState

BY_CONTROLLER = -1
"""The ``brokerId`` of an election that no broker asked for."""

LONG_DIGITS = 19
"""A text of fewer digits is surely in the range of Java's long."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command comes to."""

    header: ResponseHeader | None = None
    code: ResponseCode = ResponseCode.SUCCESS
    remark: str | None = None
    body: bytes = b""
    events: tuple[Event, ...] = ()


class Commands:
    """The rules. Source: ReplicasInfoManager.java, 5.3.3.

    On purpose different: an id that is not of the set is never made master, a set that has no
    master is not deprived of it again and again, and two clusters cannot share a set.
    """

    def __init__(
        self, state: State, liveness: Liveness, unclean_master: Callable[[], bool]
    ) -> None:
        """``unclean_master``: whether enableElectUncleanMaster is set now."""
        self._state = state
        self._liveness = liveness
        self._unclean_master = unclean_master

    def alter_sync_state_set(
        self, header: AlterSyncStateSetRequestHeader, body: SyncStateSet
    ) -> Outcome:
        """Let a master say who is in sync with it.

        Source: ReplicasInfoManager.java, alterSyncStateSet(), 5.3.3.
        """
        known = self._state.known(header.broker_name)
        if known is None:
            return _alter_refused(
                ResponseCode.CONTROLLER_ALTER_SYNC_STATE_SET_FAILED,
                f"Broker metadata is not existed: broker-set {header.broker_name!r} "
                "has never registered here",
            )
        members = frozenset(body.sync_state_set)
        refusal = self._why_not_alter(known, header, members, body.sync_state_set_epoch)
        if refusal is not None:
            return _alter_refused(*refusal)
        epoch = known.sync.epoch + 1
        answer = SyncStateSet(sync_state_set=set(members), sync_state_set_epoch=epoch)
        return Outcome(
            AlterSyncStateSetResponseHeader(new_sync_state_set_epoch=epoch),
            body=encode_body(answer),
            events=(
                AlterSyncStateSetEvent(
                    broker_name=known.sync.broker_name, new_sync_state_set=sorted(members)
                ),
            ),
        )

    def _why_not_alter(
        self,
        known: Known,
        header: AlterSyncStateSetRequestHeader,
        members: frozenset[int],
        epoch: int,
    ) -> tuple[ResponseCode, str] | None:
        """Java's checks, in Java's order."""
        sync = known.sync
        rejecting = "Rejecting alter syncStateSet request because the"
        ask = "ask for the replica info"
        code, remark = ResponseCode.CONTROLLER_ALTER_SYNC_STATE_SET_FAILED, ""
        if members == sync.members:
            remark = "The newSyncStateSet is equal with oldSyncStateSet, no needed to update it"
        elif sync.master_id is None or sync.master_id != header.master_broker_id:
            code = ResponseCode.CONTROLLER_INVALID_MASTER
            asking = header.master_broker_id
            remark = f"{rejecting} current leader is:{{{sync.master_id}}}, not {{{asking}}}; {ask}"
        elif header.master_epoch != sync.master_epoch:
            code = ResponseCode.CONTROLLER_FENCED_MASTER_EPOCH
            fenced = f"is:{{{sync.master_epoch}}}, not {{{header.master_epoch}}}"
            remark = f"{rejecting} current master epoch {fenced}; {ask}"
        elif epoch != sync.epoch:
            code = ResponseCode.CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH
            fenced = f"is:{{{sync.epoch}}}, not {{{epoch}}}"
            remark = f"{rejecting} current syncStateSet epoch {fenced}; {ask}"
        elif (bad := self._first_bad(known.brokers, members)) is not None:
            if bad in known.brokers.replicas:
                code = ResponseCode.CONTROLLER_BROKER_NOT_ALIVE
                remark = f"{rejecting} replicas {{{bad}}} don't alive; it must send heartbeats here"
            else:
                code = ResponseCode.CONTROLLER_INVALID_REPLICAS
                remark = f"{rejecting} replicas {{{bad}}} don't exist; register it first"
        elif sync.master_id not in members:
            remark = f"{rejecting} newSyncStateSet lacks the origin leader {{{sync.master_id}}}"
        return (code, remark) if remark else None

    def _first_bad(self, brokers: BrokerSet, members: frozenset[int]) -> int | None:
        """The first of ``members`` that is not of the set, or dead."""
        for broker_id in sorted(members):
            if broker_id not in brokers.replicas or not self._alive(brokers, broker_id):
                return broker_id
        return None

    def elect_master(self, header: ElectMasterRequestHeader) -> Outcome:
        """Choose a master: for the first time whoever asks, then by the policy.

        Source: ReplicasInfoManager.java, electMaster(), 5.3.3.
        """
        known = self._state.known(header.broker_name)
        if known is None:
            return Outcome(
                ElectMasterResponseHeader(),
                ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED,
                f"Broker hasn't been registered: broker-set {header.broker_name!r} is unknown here",
            )
        asking = None if header.broker_id == BY_CONTROLLER else header.broker_id
        if asking is not None and asking not in known.brokers.replicas:
            return Outcome(
                ElectMasterResponseHeader(),
                ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED,
                f"Broker hasn't been registered: brokerId {asking} is not of broker-set "
                f"{header.broker_name!r}, which has {sorted(known.brokers.replicas)}",
            )
        master_id = asking if known.sync.master_epoch == 0 else None
        if master_id is None:
            master_id = elect(
                self._liveness,
                known,
                preferred=asking if header.designate_elect else None,
                unclean_too=self._unclean_master(),
            )
        if master_id is None:
            return _nobody_elected(known.sync, asking)
        if master_id == known.sync.master_id:
            return _master_stays(known)
        return _elected(known, master_id)

    def elect_after_loss(self, broker_name: str, lost_id: int | None) -> Outcome:
        """Replace a master that is dead; a SUCCESS without events if there is nothing to do.

        ``lost_id`` is the broker that was just lost, and nothing is to do if another leads; None,
        any dead master of a set that has somebody alive.
        Source: ControllerManager.java, onBrokerInactive(), and ReplicasInfoManager.java,
        scanNeedReelectBrokerSets(), 5.3.3.
        """
        known = self._state.known(broker_name)
        master_id = None if known is None else known.sync.master_id
        if known is None or master_id is None or self._alive(known.brokers, master_id):
            return Outcome()
        if lost_id is None:
            replicas = known.brokers.replicas
            if not any(self._alive(known.brokers, broker_id) for broker_id in replicas):
                return Outcome()
        elif lost_id != master_id:
            return Outcome()
        return self.elect_master(ElectMasterRequestHeader(broker_name=broker_name))

    def sets_with_dead_master(self) -> list[str]:
        """The names for which ``elect_after_loss`` may have something to do."""
        return [
            name
            for name, sync in self._state.sync_states.items()
            if sync.master_id is not None
            and not self._liveness.alive(sync.cluster_name, name, sync.master_id)
        ]

    def next_broker_id(self, header: GetNextBrokerIdRequestHeader) -> Outcome:
        """Say which id a new broker may ask for; nobody has it reserved thereby.

        Source: ReplicasInfoManager.java, getNextBrokerId(), 5.3.3.
        """
        brokers = self._state.broker_sets.get(header.broker_name or "")
        return Outcome(
            GetNextBrokerIdResponseHeader(
                cluster_name=header.cluster_name,
                broker_name=header.broker_name,
                next_broker_id=FIRST_BROKER_ID if brokers is None else brokers.next_broker_id,
            )
        )

    def apply_broker_id(self, header: ApplyBrokerIdRequestHeader) -> Outcome:
        """Give a broker its id, if it is free or was its own already.

        Source: ReplicasInfoManager.java, applyBrokerId(), 5.3.3.
        """
        answer = ApplyBrokerIdResponseHeader(
            cluster_name=header.cluster_name, broker_name=header.broker_name
        )
        name, broker_id = header.broker_name, header.applied_broker_id
        check_code = header.register_check_code or ""
        address = check_code.split(";")[0]
        if not name or broker_id is None or not address:
            return Outcome(
                answer,
                ResponseCode.CONTROLLER_INVALID_REQUEST,
                f"{name=}, appliedBrokerId={broker_id}, registerCheckCode={check_code!r}: "
                "expected a name, an id, and a check code that begins with the broker's address",
            )
        brokers = self._state.broker_sets.get(name)
        if brokers is None:
            refusal = (
                None
                if broker_id == FIRST_BROKER_ID
                else f"Broker-set: {name} hasn't been registered in controller, but broker try to "
                f"apply brokerId: {broker_id}; apply {FIRST_BROKER_ID}"
            )
        else:
            refusal = _why_not_id(brokers, header.cluster_name, broker_id, check_code)
        if refusal is not None:
            return Outcome(answer, ResponseCode.CONTROLLER_BROKER_ID_INVALID, refusal)
        event = ApplyBrokerIdEvent(
            cluster_name=header.cluster_name,
            broker_name=name,
            broker_address=address,
            new_broker_id=broker_id,
            register_check_code=check_code,
        )
        return Outcome(answer, events=(event,))

    def register_broker(self, header: RegisterBrokerToControllerRequestHeader) -> Outcome:
        """Tell a broker whom to follow, if somebody leads; note its address.

        Source: ReplicasInfoManager.java, registerBroker(), 5.3.3.
        """
        name, broker_id = header.broker_name, header.broker_id
        known = self._state.known(name)
        blank = RegisterBrokerToControllerResponseHeader(
            cluster_name=header.cluster_name, broker_name=name
        )
        need = ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED
        if known is None:
            remark = f"Broker-set: {name} hasn't been registered in controller; apply a brokerId"
            return Outcome(blank, need, remark)
        if broker_id is None or broker_id not in known.brokers.replicas:
            remark = (
                f"BrokerId: {broker_id} hasn't been registered in broker-set: {name}; "
                "apply a brokerId"
            )
            return Outcome(blank, need, remark)
        if not header.broker_address:
            return Outcome(
                blank,
                ResponseCode.CONTROLLER_INVALID_REQUEST,
                "brokerAddress is empty: expected host:port, where clients reach the broker",
            )
        sync, answer = known.sync, blank
        master_id = sync.master_id
        if master_id is not None and self._alive(known.brokers, master_id):
            answer = RegisterBrokerToControllerResponseHeader(
                cluster_name=header.cluster_name,
                broker_name=name,
                master_broker_id=master_id,
                master_address=known.brokers.address(master_id),
                master_epoch=sync.master_epoch,
                sync_state_set_epoch=sync.epoch,
            )
        moved = header.broker_address != known.brokers.address(broker_id)
        event = UpdateBrokerAddressEvent(
            cluster_name=header.cluster_name,
            broker_name=sync.broker_name,
            broker_address=header.broker_address,
            broker_id=broker_id,
        )
        return Outcome(answer, body=_sync_state_set(sync), events=(event,) if moved else ())

    def replica_info(self, header: GetReplicaInfoRequestHeader) -> Outcome:
        """Tell who leads a set, dead or alive, and who is in sync.

        Source: ReplicasInfoManager.java, getReplicaInfo(), 5.3.3.
        """
        known = self._state.known(header.broker_name)
        if known is None:
            return Outcome(
                GetReplicaInfoResponseHeader(),
                ResponseCode.CONTROLLER_BROKER_METADATA_NOT_EXIST,
                f"Broker metadata is not existed: broker-set {header.broker_name!r} "
                "has never registered here",
            )
        return Outcome(
            GetReplicaInfoResponseHeader(
                master_broker_id=known.sync.master_id,
                master_address=known.brokers.address(known.sync.master_id),
                master_epoch=known.sync.master_epoch,
            ),
            body=_sync_state_set(known.sync),
        )

    def sync_state_data(self, broker_names: Sequence[str]) -> Outcome:
        """Tell all about some sets; those that are not known are left out.

        Source: ReplicasInfoManager.java, getSyncStateData(), 5.3.3.
        """
        table: dict[str, ReplicasInfo] = {}
        for name in broker_names:
            known = self._state.known(name)
            if known is not None:
                table[name] = self._replicas_info(known)
        return Outcome(body=encode_body(BrokerReplicasInfo(replicas_info_table=table)))

    def clean_broker_data(self, header: CleanControllerBrokerDataRequestHeader) -> Outcome:
        """Forget a set, or some of its brokers; dead ones only, unless told otherwise.

        Source: ReplicasInfoManager.java, cleanBrokerData(), 5.3.3. On purpose different: Java
        forgets the whole set, whichever ids are given, when told to clean the living too.
        """
        name, given = header.broker_name, (header.broker_controller_ids_to_clean or "").strip()
        parts = given.rstrip(";").split(";") if given else []
        if not all(part.isascii() and part.isdigit() and len(part) < LONG_DIGITS for part in parts):
            return _clean_refused(
                "Please set the option <brokerControllerIdsToClean> according to the format, "
                f"{given!r} is none; write it like 1;2"
            )
        broker_ids = sorted({int(part) for part in parts})
        if not header.is_clean_living_broker:
            sync = self._state.sync_states.get(name)
            if not broker_ids and sync is not None and sync.master_id is not None:
                return _clean_refused(
                    f"Broker {name} is still alive, clean up failure; stop it, or name ids"
                )
            for broker_id in broker_ids:
                if self._liveness.alive(header.cluster_name, name, broker_id):
                    return _clean_refused(
                        f"Broker [{name},  {broker_id}] is still alive, clean up failure; stop it"
                    )
        if self._state.known(name) is None:
            return _clean_refused(f"Broker {name} is not existed,clean broker data failure.")
        event = CleanBrokerDataEvent(broker_name=name, broker_id_set_to_clean=broker_ids or None)
        return Outcome(events=(event,))

    def _alive(self, brokers: BrokerSet, broker_id: int) -> bool:
        return self._liveness.alive(brokers.cluster_name, brokers.broker_name, broker_id)

    def _replicas_info(self, known: Known) -> ReplicasInfo:
        brokers, sync = known
        info = ReplicasInfo(
            master_broker_id=sync.master_id,
            master_address=brokers.address(sync.master_id),
            master_epoch=sync.master_epoch,
            sync_state_set_epoch=sync.epoch,
        )
        for broker_id, replica in sorted(brokers.replicas.items()):
            identity = ReplicaIdentity(
                broker_name=brokers.broker_name,
                broker_id=broker_id,
                broker_address=replica.address,
                alive=self._alive(brokers, broker_id),
            )
            in_sync = broker_id in sync.members
            (info.in_sync_replicas if in_sync else info.not_in_sync_replicas).append(identity)
        return info


def _clean_refused(remark: str) -> Outcome:
    return Outcome(code=ResponseCode.CONTROLLER_INVALID_CLEAN_BROKER_METADATA, remark=remark)


def _alter_refused(code: ResponseCode, remark: str) -> Outcome:
    return Outcome(AlterSyncStateSetResponseHeader(), code, remark)


def _why_not_id(
    brokers: BrokerSet, cluster: str | None, broker_id: int, check_code: str
) -> str | None:
    name = brokers.broker_name
    if cluster != brokers.cluster_name:
        return (
            f"Fail to apply brokerId: {broker_id} in broker-set: {name}, which belongs to cluster "
            f"{brokers.cluster_name!r}, not {cluster!r}; choose another brokerName"
        )
    if broker_id < FIRST_BROKER_ID:
        return (
            f"Fail to apply brokerId: {broker_id} in broker-set: {name}; "
            f"ids begin with {FIRST_BROKER_ID}"
        )
    owner = brokers.replicas.get(broker_id)
    if owner is None or owner.check_code == check_code:
        return None
    return (
        f"Fail to apply brokerId: {broker_id} in broker-set: {name}; it is {owner.address}'s, "
        "ask for the next id"
    )


def _nobody_elected(sync: SyncState, asking: int | None) -> Outcome:
    if asking is not None:
        return Outcome(
            ElectMasterResponseHeader(),
            ResponseCode.CONTROLLER_ELECT_MASTER_FAILED,
            f"Failed to elect a new master: of those in sync, {sorted(sync.members)}, nobody who "
            "may lead is alive here; start one of them, or set enableElectUncleanMaster",
        )
    lost = ElectMasterEvent(broker_name=sync.broker_name, new_master_elected=False)
    return Outcome(
        ElectMasterResponseHeader(),
        ResponseCode.CONTROLLER_MASTER_NOT_AVAILABLE,
        "Old master has down and failed to elect a new broker master",
        events=(lost,) if sync.master_id is not None else (),
    )


def _master_stays(known: Known) -> Outcome:
    sync = known.sync
    return Outcome(
        ElectMasterResponseHeader(
            master_broker_id=sync.master_id,
            master_address=known.brokers.address(sync.master_id),
            master_epoch=sync.master_epoch,
            sync_state_set_epoch=sync.epoch,
        ),
        ResponseCode.CONTROLLER_MASTER_STILL_EXIST,
        f"The old master {sync.master_id} is still alive, not need to elect new master for broker "
        f"{sync.broker_name}",
        encode_body(ElectMasterResponseBody(sync_state_set=set(sync.members))),
    )


def _elected(known: Known, master_id: int) -> Outcome:
    brokers, sync = known
    addresses = {
        broker_id: replica.address or "" for broker_id, replica in sorted(brokers.replicas.items())
    }
    group = BrokerMemberGroup(
        broker_addrs=addresses, broker_name=brokers.broker_name, cluster=brokers.cluster_name
    )
    answer = ElectMasterResponseBody(broker_member_group=group, sync_state_set={master_id})
    event = ElectMasterEvent(
        broker_name=brokers.broker_name, new_master_broker_id=master_id, new_master_elected=True
    )
    return Outcome(
        ElectMasterResponseHeader(
            master_broker_id=master_id,
            master_address=brokers.address(master_id),
            master_epoch=sync.master_epoch + 1,
            sync_state_set_epoch=sync.epoch + 1,
        ),
        body=encode_body(answer),
        events=(event,),
    )


def _sync_state_set(sync: SyncState) -> bytes:
    return encode_body(
        SyncStateSet(sync_state_set=set(sync.members), sync_state_set_epoch=sync.epoch)
    )
