from rmq.controller.elect import elect
from rmq.controller.events import AlterSyncStateSetEvent
from rmq.controller.tests.parts import Lives, elected, joined, state_of


def known(*members, master_id=1):
    """Three brokers of which ``members`` are in sync."""
    altered = AlterSyncStateSetEvent(broker_name="a", new_sync_state_set=list(members))
    state = state_of(joined(1), joined(2), joined(3), elected(master_id), altered)
    found = state.known("a")
    assert found is not None
    return found


def chosen(lives, group, preferred=None, *, unclean_too=False):
    return elect(lives, group, preferred=preferred, unclean_too=unclean_too)


def test_a_master_that_lives_stays():
    assert chosen(Lives(1, 2, 3), known(1, 2, 3)) == 1
    assert chosen(Lives(1, 2, 3), known(1, 2, 3), 1) == 1


def test_a_preferred_broker_is_taken_or_nobody():
    assert chosen(Lives(1, 2, 3), known(1, 2, 3), 3) == 3
    assert chosen(Lives(1, 2), known(1, 2, 3), 3) is None
    assert chosen(Lives(1, 2, 3), known(1, 2), 3) is None
    assert chosen(Lives(2, 3), known(1, 2), 3) is None


def test_only_who_is_in_sync_may_lead():
    assert chosen(Lives(2, 3), known(1, 3)) == 3
    assert chosen(Lives(2), known(1, 3)) is None


def test_whoever_lives_may_lead_where_an_unclean_master_is_allowed():
    assert chosen(Lives(2), known(1, 3), unclean_too=True) == 2
    assert chosen(Lives(2, 3), known(1, 3), unclean_too=True) == 3
    assert chosen(Lives(2, 3), known(1), 3, unclean_too=True) == 3
    assert chosen(Lives(), known(1, 3), unclean_too=True) is None


def test_the_furthest_is_taken():
    lives = Lives()
    lives.lives = {2: (3, 100, 1), 3: (4, 50, 9)}
    assert chosen(lives, known(1, 2, 3)) == 3

    lives.lives = {2: (4, 2**40, 9), 3: (4, 50, 1)}
    assert chosen(lives, known(1, 2, 3)) == 2

    lives.lives = {2: (4, 50, 9), 3: (4, 50, 1)}
    assert chosen(lives, known(1, 2, 3)) == 3

    lives.lives = {2: (4, 50, 1), 3: (4, 50, 1)}
    assert chosen(lives, known(1, 2, 3)) == 2
