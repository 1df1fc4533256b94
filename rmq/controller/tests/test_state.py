from rmq.controller.events import (
    AlterSyncStateSetEvent,
    CleanBrokerDataEvent,
    UpdateBrokerAddressEvent,
)
from rmq.controller.state import BrokerSet, Replica, SyncState
from rmq.controller.tests.parts import elected, joined, state_of


def altered(*broker_ids, name="a"):
    return AlterSyncStateSetEvent(broker_name=name, new_sync_state_set=list(broker_ids))


def cleaned(*broker_ids, name="a"):
    return CleanBrokerDataEvent(broker_name=name, broker_id_set_to_clean=list(broker_ids) or None)


def moved(broker_id, address="10.9.9.9:1", name="a"):
    return UpdateBrokerAddressEvent(
        broker_name=name, cluster_name="C", broker_id=broker_id, broker_address=address
    )


def test_the_first_id_makes_the_set():
    state = state_of(joined(1))

    assert state.known("a") == (
        BrokerSet("C", "a", 2, {1: Replica("10.0.1.1:10911", "10.0.1.1:10911;17")}),
        SyncState("C", "a"),
    )
    assert state.known("b") is None
    assert state.known(None) is None


def test_an_id_is_added_once():
    state = state_of(joined(1), joined(2), joined(2))

    assert state.broker_sets["a"].next_broker_id == 3
    assert list(state.broker_sets["a"].replicas) == [1, 2]


def test_a_new_master_is_alone_in_sync():
    state = state_of(joined(1), joined(2), elected(1), altered(1, 2), elected(2))

    assert state.sync_states["a"] == SyncState("C", "a", 2, 2, frozenset({2}), 3)


def test_without_a_master_those_in_sync_stay_so():
    state = state_of(joined(1), joined(2), elected(1), altered(1, 2), elected(None))

    assert state.sync_states["a"] == SyncState("C", "a", None, 2, frozenset({1, 2}), 2)


def test_an_election_of_nobody_in_particular_leaves_none_in_sync():
    event = elected(None)
    event.new_master_elected = True

    assert state_of(joined(1), elected(1), event).sync_states["a"].members == frozenset()


def test_events_of_unknown_sets_do_nothing():
    state = state_of(elected(1), altered(1), cleaned(1), cleaned(), moved(1))

    assert not state.broker_sets
    assert not state.sync_states


def test_an_address_changes_of_a_broker_that_is_there():
    state = state_of(joined(1), moved(1), moved(2), moved(None))

    assert state.broker_sets["a"].address(1) == "10.9.9.9:1"
    assert state.broker_sets["a"].address(2) is None
    assert state.broker_sets["a"].address(None) is None
    assert state.broker_sets["a"].replicas[1].check_code == "10.0.1.1:10911;17"


def test_a_set_is_forgotten_as_a_whole():
    state = state_of(joined(1), elected(1), cleaned())

    assert state.known("a") is None


def test_some_brokers_are_forgotten_and_their_ids_are_not_given_again():
    state = state_of(joined(1), joined(2), elected(1), altered(1, 2), cleaned(2))

    assert state.broker_sets["a"].next_broker_id == 3
    assert list(state.broker_sets["a"].replicas) == [1]
    assert state.sync_states["a"] == SyncState("C", "a", 1, 1, frozenset({1}), 2)


def test_a_set_of_which_nobody_is_in_sync_is_half_forgotten_as_in_java():
    state = state_of(joined(1), joined(2), elected(1), cleaned(1))

    assert list(state.broker_sets["a"].replicas) == [2]
    assert "a" not in state.sync_states
    assert state.known("a") is None

    state.apply(joined(5))

    assert list(state.broker_sets["a"].replicas) == [5]
    assert state.broker_sets["a"].next_broker_id == 2


def test_the_last_broker_takes_the_set_with_it():
    state = state_of(joined(1), elected(1), cleaned(1))

    assert not state.broker_sets
    assert not state.sync_states
