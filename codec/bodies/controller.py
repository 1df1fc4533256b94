"""What brokers, administrators and Controllers say about who leads and who is in sync."""

from codec.bodies.body import Body, kept, kept_dict, kept_list, kept_set
from codec.bodies.route import BrokerMemberGroup
from codec.headers.fields import Int32, Int64


class SyncStateSet(Body, kw_only=True):
    """The replicas that have all that is acknowledged. Source: SyncStateSet.java, 5.3.3."""

    sync_state_set: set[Int64] = kept_set()
    """Broker ids."""
    sync_state_set_epoch: Int32 = kept(0)
    """Counts the changes of the set, from 0."""


class ElectMasterResponseBody(Body, kw_only=True):
    """The group of a master just elected. Source: ElectMasterResponseBody.java, 5.3.3."""

    broker_member_group: BrokerMemberGroup | None = None
    """Absent if the old master stays."""
    sync_state_set: set[Int64] = kept_set()


class ReplicaIdentity(Body, kw_only=True):
    """A broker of a set. Source: BrokerReplicasInfo.java, ReplicaIdentity, 5.3.3."""

    alive: bool | None = None
    broker_address: str | None = None
    broker_id: Int64
    broker_name: str


class ReplicasInfo(Body, kw_only=True):
    """A set of brokers as it is now. Source: BrokerReplicasInfo.java, ReplicasInfo, 5.3.3."""

    in_sync_replicas: list[ReplicaIdentity] = kept_list()
    master_address: str | None = None
    master_broker_id: Int64 | None = None
    """Absent while there is none."""
    master_epoch: Int32 = kept(0)
    not_in_sync_replicas: list[ReplicaIdentity] = kept_list()
    sync_state_set_epoch: Int32 = kept(0)


class BrokerReplicasInfo(Body, kw_only=True):
    """Answers CONTROLLER_GET_SYNC_STATE_DATA. Source: BrokerReplicasInfo.java, 5.3.3."""

    replicas_info_table: dict[str, ReplicasInfo] = kept_dict()
    """By broker name; names that are not known are left out."""


class EpochEntry(Body, kw_only=True):
    """What one master appended. Source: EpochEntry.java, 5.3.3."""

    end_offset: Int64 = kept(2**63 - 1)
    """The position behind it; the greatest long as long as it grows."""
    epoch: Int32
    start_offset: Int64


class EpochEntryCache(Body, kw_only=True):
    """Answers GET_BROKER_EPOCH_CACHE. Source: EpochEntryCache.java, 5.3.3."""

    broker_id: Int64 = kept(0)
    broker_name: str | None = None
    cluster_name: str | None = None
    epoch_list: list[EpochEntry] = kept_list()
    max_offset: Int64 = kept(0)
    """Where its commit log ends, in bytes."""
