from rmq.raft.messages import HeartBeat, Role, Transfer, TransferReply
from rmq.raft.tests.nodes import appending, codes, drain, following, requests, take


def test_a_second_wish_to_take_leadership_replaces_one_that_waits():
    node = following()

    node.step(take(index=7))
    node.step(take(index=8))

    assert codes(node) == [418]
    assert node.next_due_ms == 1000


def test_leadership_of_another_term_is_not_taken():
    node = following()

    node.step(take(term=3))

    assert codes(node) == [407]


def test_a_wish_to_take_leadership_fails_if_another_leads_on():
    node = following()
    node.step(take())
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=0, leader_id="n1"))
    assert codes(node) == [418, 200]

    node.step(take())
    node.replied(take(), TransferReply())

    assert codes(node) == []
    assert node.role is Role.CANDIDATE


def test_a_transfer_begun_again_ends_the_wish_before():
    node = appending()
    wish = Transfer(
        group="g",
        sender="admin",
        target="n0",
        term=0,
        leader_id=None,
        transfer_id="n0",
        transferee_id="n1",
    )
    node.step(wish)
    first = requests(node, Transfer)[0]
    node.step(HeartBeat(group="g", sender="n1", target="n0", term=1, leader_id="n1"))
    node.tick(1)
    drain(node)

    node.replied(first, TransferReply(code=200, term=1))

    assert codes(node) == [200]
    assert node.transferee is None


def test_a_preferred_leader_looks_for_no_other():
    node = appending(preferred_leader_ids=("n0", "n1"))

    node.tick(1000)

    assert requests(node, Transfer) == []
    assert node.next_due_ms <= 2000
