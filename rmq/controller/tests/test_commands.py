import pytest

from codec.bodies import decode_body
from codec.bodies.controller import BrokerReplicasInfo, ElectMasterResponseBody, SyncStateSet
from codec.codes import ResponseCode
from codec.headers.controller import (
    AlterSyncStateSetRequestHeader,
    AlterSyncStateSetResponseHeader,
    ApplyBrokerIdRequestHeader,
    CleanControllerBrokerDataRequestHeader,
    ElectMasterRequestHeader,
    ElectMasterResponseHeader,
    GetNextBrokerIdRequestHeader,
    GetReplicaInfoRequestHeader,
    GetReplicaInfoResponseHeader,
    RegisterBrokerToControllerRequestHeader,
    RegisterBrokerToControllerResponseHeader,
)
from rmq.controller.commands import Commands
from rmq.controller.events import (
    AlterSyncStateSetEvent,
    ApplyBrokerIdEvent,
    CleanBrokerDataEvent,
    UpdateBrokerAddressEvent,
)
from rmq.controller.tests.parts import Lives, elected, joined, state_of

NEED_TO_BE_REGISTERED = ResponseCode.CONTROLLER_BROKER_NEED_TO_BE_REGISTERED


def altered(*broker_ids):
    return AlterSyncStateSetEvent(broker_name="a", new_sync_state_set=list(broker_ids))


class Scene:
    """Brokers 1 to 3, of which 1 leads with 2 in sync."""

    def __init__(self, *alive, events=None):
        self.lives = Lives(*(alive or (1, 2, 3)))
        if events is None:
            events = (joined(1), joined(2), joined(3), elected(1), altered(1, 2))
        self.state = state_of(*events)
        self.unclean = False
        self.commands = Commands(self.state, self.lives, lambda: self.unclean)

    def alter(self, *members, master=1, epoch=1, set_epoch=2, name="a"):
        header = AlterSyncStateSetRequestHeader(
            broker_name=name, master_broker_id=master, master_epoch=epoch
        )
        body = SyncStateSet(sync_state_set=set(members), sync_state_set_epoch=set_epoch)
        return self.commands.alter_sync_state_set(header, body)

    def elect(self, broker_id=-1, *, designate=False, name="a"):
        header = ElectMasterRequestHeader(
            broker_name=name, broker_id=broker_id, designate_elect=designate
        )
        return self.commands.elect_master(header)

    def apply(self, broker_id, code="10.0.1.9:10911;99", name="a", cluster="C"):
        header = ApplyBrokerIdRequestHeader(
            cluster_name=cluster,
            broker_name=name,
            applied_broker_id=broker_id,
            register_check_code=code,
        )
        return self.commands.apply_broker_id(header)

    def register(self, broker_id, address="", name="a"):
        header = RegisterBrokerToControllerRequestHeader(
            cluster_name="C",
            broker_name=name,
            broker_id=broker_id,
            broker_address=address or f"10.0.1.{broker_id}:10911",
        )
        return self.commands.register_broker(header)

    def clean(self, ids=None, *, living=False, name="a"):
        header = CleanControllerBrokerDataRequestHeader(
            cluster_name="C",
            broker_name=name,
            broker_controller_ids_to_clean=ids,
            is_clean_living_broker=living,
        )
        return self.commands.clean_broker_data(header)


def is_refused(outcome, code, *words):
    assert outcome.code == code
    assert not outcome.events
    assert not outcome.body
    return all(word in outcome.remark for word in words)


def test_a_master_changes_who_is_in_sync():
    outcome = Scene().alter(1, 2, 3)

    assert outcome.code == ResponseCode.SUCCESS
    assert outcome.events == (altered(1, 2, 3),)
    assert outcome.header == AlterSyncStateSetResponseHeader(new_sync_state_set_epoch=3)
    body = decode_body(SyncStateSet, outcome.body)
    assert body == SyncStateSet(sync_state_set={1, 2, 3}, sync_state_set_epoch=3)


@pytest.mark.parametrize(
    ("code", "words", "asked"),
    [
        ("ALTER_SYNC_STATE_SET_FAILED", "not existed: broker-set 'b'", {"name": "b"}),
        ("ALTER_SYNC_STATE_SET_FAILED", "equal", {"members": (1, 2)}),
        ("INVALID_MASTER", "is:{1}, not {2}", {"master": 2}),
        ("INVALID_MASTER", "is:{1}, not {None}", {"master": None}),
        ("FENCED_MASTER_EPOCH", "is:{1}, not {0}", {"epoch": 0}),
        ("FENCED_SYNC_STATE_SET_EPOCH", "is:{2}, not {1}", {"set_epoch": 1}),
        ("INVALID_REPLICAS", "{4}", {"members": (1, 4, 5)}),
        ("BROKER_NOT_ALIVE", "{3}", {"members": (1, 3)}),
        ("ALTER_SYNC_STATE_SET_FAILED", "{1}", {"members": (2,)}),
        ("ALTER_SYNC_STATE_SET_FAILED", "{1}", {"members": ()}),
    ],
)
def test_a_change_of_who_is_in_sync_is_refused_as_java_does(code, words, asked):
    asked = {"members": (1,), **asked}

    outcome = Scene(1, 2).alter(*asked.pop("members"), **asked)

    assert is_refused(outcome, ResponseCode[f"CONTROLLER_{code}"], words)


def test_nobody_is_in_sync_with_no_master():
    scene = Scene(events=(joined(1), elected(None)))

    refused = scene.alter(1, master=None, set_epoch=0)

    assert is_refused(refused, ResponseCode.CONTROLLER_INVALID_MASTER, "is:{None}")


def test_the_first_master_is_who_asks_first():
    scene = Scene(events=(joined(1), joined(2)))

    outcome = scene.elect(2)

    assert outcome.code == ResponseCode.SUCCESS
    assert outcome.events == (elected(2),)
    assert outcome.header == ElectMasterResponseHeader(
        master_broker_id=2,
        master_address="10.0.1.2:10911",
        master_epoch=1,
        sync_state_set_epoch=1,
    )
    body = decode_body(ElectMasterResponseBody, outcome.body)
    assert body.sync_state_set == {2}
    assert body.broker_member_group.cluster == "C"
    assert body.broker_member_group.broker_name == "a"
    assert body.broker_member_group.broker_addrs == {1: "10.0.1.1:10911", 2: "10.0.1.2:10911"}


@pytest.mark.parametrize(("broker_id", "name"), [(1, "b"), (7, "a")])
def test_strangers_neither_lead_nor_elect(broker_id, name):
    outcome = Scene().elect(broker_id, name=name)

    assert is_refused(outcome, NEED_TO_BE_REGISTERED, "Broker hasn't")


def test_a_living_master_stays():
    outcome = Scene().elect(2)

    assert outcome.code == ResponseCode.CONTROLLER_MASTER_STILL_EXIST
    assert not outcome.events
    assert outcome.header == ElectMasterResponseHeader(
        master_broker_id=1,
        master_address="10.0.1.1:10911",
        master_epoch=1,
        sync_state_set_epoch=2,
    )
    body = decode_body(ElectMasterResponseBody, outcome.body)
    assert body == ElectMasterResponseBody(sync_state_set={1, 2})


def test_who_is_designated_leads_if_in_sync():
    assert Scene().elect(2, designate=True).events == (elected(2),)

    refused = Scene().elect(3, designate=True)

    assert is_refused(refused, ResponseCode.CONTROLLER_ELECT_MASTER_FAILED, "[1, 2]")


def test_a_dead_master_is_followed_by_one_in_sync():
    assert Scene(2, 3).elect().events == (elected(2),)
    assert Scene(2, 3).elect(3).events == (elected(2),)


def test_a_dead_master_that_nobody_can_follow_leads_no_longer():
    scene = Scene(3)

    outcome = scene.elect()

    assert outcome.code == ResponseCode.CONTROLLER_MASTER_NOT_AVAILABLE
    assert outcome.events == (elected(None),)
    assert is_refused(scene.elect(3), ResponseCode.CONTROLLER_ELECT_MASTER_FAILED, "alive")
    scene.state.apply(outcome.events[0])
    assert not scene.elect().events


def test_an_unclean_master_is_elected_where_allowed():
    scene = Scene(3)
    scene.unclean = True

    assert scene.elect().events == (elected(3),)


def test_the_loss_of_a_master_elects_and_that_of_others_does_not():
    scene = Scene(2, 3)

    assert scene.commands.elect_after_loss("a", 1).events == (elected(2),)
    assert not scene.commands.elect_after_loss("a", 3).events
    assert not scene.commands.elect_after_loss("b", 1).events
    assert not Scene().commands.elect_after_loss("a", 1).events
    assert not Scene(3, events=(joined(1), elected(None))).commands.elect_after_loss("a", 1).events


def test_a_dead_master_found_by_scan_is_replaced_where_somebody_lives():
    assert Scene(2).commands.elect_after_loss("a", None).events == (elected(2),)
    assert Scene(3).commands.elect_after_loss("a", None).events == (elected(None),)
    assert not Scene(9).commands.elect_after_loss("a", None).events


def test_the_scan_names_the_sets_with_a_dead_master():
    events = (joined(1), elected(1), joined(2, "b"), elected(2, "b"), joined(3, "c"))

    assert Scene(1, events=events).commands.sets_with_dead_master() == ["b"]


def test_the_next_id_counts_from_one():
    def ask(name):
        header = GetNextBrokerIdRequestHeader(cluster_name="C", broker_name=name)
        return Scene().commands.next_broker_id(header).header

    assert ask("a").next_broker_id == 4
    assert ask("b").next_broker_id == 1
    assert ask("b").broker_name == "b"
    assert ask(None).next_broker_id == 1


def test_a_free_id_is_given():
    outcome = Scene().apply(4)

    assert outcome.code == ResponseCode.SUCCESS
    assert outcome.header.broker_name == "a"
    assert outcome.events == (
        ApplyBrokerIdEvent(
            broker_name="a",
            cluster_name="C",
            broker_address="10.0.1.9:10911",
            new_broker_id=4,
            register_check_code="10.0.1.9:10911;99",
        ),
    )
    assert Scene().apply(1, name="new").events


def test_an_id_is_given_again_to_who_has_it():
    assert Scene().apply(1, "10.0.1.1:10911;17").events == (joined(1),)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"broker_id": 2}, "it is 10.0.1.2:10911's"),
        ({"broker_id": 2, "name": "b"}, "apply 1"),
        ({"broker_id": 0}, "begin with 1"),
        ({"broker_id": 4, "cluster": "D"}, "'C', not 'D'"),
    ],
)
def test_an_id_that_is_not_free_is_refused(asked, words):
    outcome = Scene().apply(**asked)

    assert is_refused(outcome, ResponseCode.CONTROLLER_BROKER_ID_INVALID, words)


@pytest.mark.parametrize(
    "asked",
    [
        {"broker_id": None},
        {"broker_id": 1, "name": ""},
        {"broker_id": 4, "code": ";99"},
        {"broker_id": 4, "code": None},
    ],
)
def test_an_application_without_name_id_or_address_is_refused(asked):
    outcome = Scene().apply(**asked)

    assert is_refused(outcome, ResponseCode.CONTROLLER_INVALID_REQUEST, "expected a name")


def test_a_broker_learns_whom_to_follow():
    outcome = Scene().register(3)

    assert outcome.header == RegisterBrokerToControllerResponseHeader(
        cluster_name="C",
        broker_name="a",
        master_broker_id=1,
        master_address="10.0.1.1:10911",
        master_epoch=1,
        sync_state_set_epoch=2,
    )
    assert decode_body(SyncStateSet, outcome.body).sync_state_set == {1, 2}
    assert not outcome.events


@pytest.mark.parametrize("scene", [Scene(2), Scene(2, events=(joined(1), joined(2)))])
def test_without_a_living_master_a_broker_learns_none(scene):
    outcome = scene.register(2)

    assert outcome.code == ResponseCode.SUCCESS
    assert outcome.header == RegisterBrokerToControllerResponseHeader(
        cluster_name="C", broker_name="a"
    )


def test_a_new_address_is_noted():
    outcome = Scene().register(1, "10.9.9.9:1")

    assert outcome.header.master_address == "10.0.1.1:10911"
    assert outcome.events == (
        UpdateBrokerAddressEvent(
            broker_name="a", cluster_name="C", broker_id=1, broker_address="10.9.9.9:1"
        ),
    )


@pytest.mark.parametrize(("broker_id", "name"), [(1, "b"), (7, "a"), (None, "a")])
def test_who_has_no_id_must_apply_for_one(broker_id, name):
    outcome = Scene().register(broker_id, name=name)

    assert is_refused(outcome, NEED_TO_BE_REGISTERED, "apply")


def test_a_broker_without_address_is_refused():
    header = RegisterBrokerToControllerRequestHeader(cluster_name="C", broker_name="a", broker_id=1)

    outcome = Scene().commands.register_broker(header)

    assert is_refused(outcome, ResponseCode.CONTROLLER_INVALID_REQUEST, "brokerAddress")


def test_replica_info_tells_the_master_dead_or_alive():
    def ask(scene, name="a"):
        return scene.commands.replica_info(GetReplicaInfoRequestHeader(broker_name=name))

    assert ask(Scene(3)).header == GetReplicaInfoResponseHeader(
        master_broker_id=1, master_address="10.0.1.1:10911", master_epoch=1
    )
    assert decode_body(SyncStateSet, ask(Scene()).body).sync_state_set_epoch == 2
    orphaned = Scene(events=(joined(1), elected(1), elected(None)))
    assert ask(orphaned).header == GetReplicaInfoResponseHeader(master_epoch=2)
    unknown = ask(Scene(), "b")
    assert is_refused(unknown, ResponseCode.CONTROLLER_BROKER_METADATA_NOT_EXIST, "'b'")


def test_sync_state_data_tells_all_about_known_sets():
    outcome = Scene(1, 3).commands.sync_state_data(["a", "b"])

    table = decode_body(BrokerReplicasInfo, outcome.body).replicas_info_table
    info = table.pop("a")
    assert table == {}
    assert info.master_broker_id == 1
    assert info.master_address == "10.0.1.1:10911"
    assert (info.master_epoch, info.sync_state_set_epoch) == (1, 2)
    assert [(one.broker_id, one.alive) for one in info.in_sync_replicas] == [(1, True), (2, False)]
    assert [(one.broker_id, one.alive) for one in info.not_in_sync_replicas] == [(3, True)]


def cleaned(*broker_ids):
    return CleanBrokerDataEvent(broker_name="a", broker_id_set_to_clean=list(broker_ids) or None)


def test_dead_brokers_are_cleaned():
    assert Scene(1).clean("3;2").events == (cleaned(2, 3),)
    assert Scene(1).clean("2;").events == (cleaned(2),)
    assert Scene(1, events=(joined(1), elected(None))).clean().events == (cleaned(),)


def test_living_brokers_are_cleaned_only_on_demand():
    assert Scene().clean("2", living=True).events == (cleaned(2),)
    assert Scene().clean(living=True).events == (cleaned(),)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "still alive"),
        ({"ids": "3;2"}, "[a,  2] is still alive"),
        ({"ids": "one"}, "write it like 1;2"),
        ({"ids": "1;;2"}, "write it like 1;2"),
        ({"ids": "9" * 19}, "write it like 1;2"),
        ({"name": "b"}, "not existed"),
    ],
)
def test_a_clean_of_the_living_or_unknown_is_refused(asked, words):
    outcome = Scene(2).clean(**asked)

    assert is_refused(outcome, ResponseCode.CONTROLLER_INVALID_CLEAN_BROKER_METADATA, words)
