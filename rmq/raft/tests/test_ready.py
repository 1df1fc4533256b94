from rmq.raft.messages import Entry
from rmq.raft.ready import HardState, Proposal


def test_a_member_begins_in_term_0_without_a_vote():
    assert HardState() == HardState(0, None)


def test_a_proposal_ends_with_its_last_entry():
    entries = (Entry(4, 1, b"a"), Entry(5, 1, b"b"))

    assert Proposal(200, 1, "n0", entries, 0).last_index == 5
    assert Proposal(404, 1, None, (), 0).last_index == -1
