from codec import fastjson
from codec.bodies import decode_body, encode_body
from codec.bodies.controller import (
    BrokerReplicasInfo,
    ElectMasterResponseBody,
    EpochEntry,
    EpochEntryCache,
    ReplicaIdentity,
    ReplicasInfo,
    SyncStateSet,
)
from codec.bodies.route import BrokerMemberGroup


def test_a_sync_state_set_is_java_s() -> None:
    text = b'{"syncStateSet":[1,2],"syncStateSetEpoch":4}'

    body = decode_body(SyncStateSet, text)

    assert body == SyncStateSet(sync_state_set={1, 2}, sync_state_set_epoch=4)
    assert encode_body(body) == text


def test_the_outcome_of_an_election_is_java_s() -> None:
    text = (
        b'{"brokerMemberGroup":{"brokerAddrs":{1:"127.0.0.1:30911",2:"127.0.0.1:30921"},'
        b'"brokerName":"broker-a","cluster":"DefaultCluster"},"syncStateSet":[1]}'
    )

    body = decode_body(ElectMasterResponseBody, text)

    members = BrokerMemberGroup(
        broker_addrs={1: "127.0.0.1:30911", 2: "127.0.0.1:30921"},
        broker_name="broker-a",
        cluster="DefaultCluster",
    )
    assert body == ElectMasterResponseBody(broker_member_group=members, sync_state_set={1})
    assert fastjson.dumps_bare(body) == text
    assert decode_body(ElectMasterResponseBody, encode_body(body)) == body


def test_replicas_are_read_back() -> None:
    one = ReplicaIdentity(
        alive=True, broker_address="127.0.0.1:30911", broker_id=1, broker_name="broker-a"
    )
    info = ReplicasInfo(
        in_sync_replicas=[one],
        master_address="127.0.0.1:30911",
        master_broker_id=1,
        master_epoch=2,
        sync_state_set_epoch=3,
    )
    body = BrokerReplicasInfo(replicas_info_table={"broker-a": info})

    assert decode_body(BrokerReplicasInfo, encode_body(body)) == body


def test_an_epoch_that_has_not_ended_ends_at_java_s_greatest_long() -> None:
    cache = EpochEntryCache(
        broker_name="b", cluster_name="c", epoch_list=[EpochEntry(epoch=1, start_offset=0)]
    )

    assert encode_body(cache) == (
        b'{"brokerId":0,"brokerName":"b","clusterName":"c","epochList":'
        b'[{"endOffset":9223372036854775807,"epoch":1,"startOffset":0}],"maxOffset":0}'
    )
