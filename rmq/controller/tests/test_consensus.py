from rmq.controller.consensus import AppliedEntry, Consensus
from rmq.dledger.member import Member
from rmq.raft.messages import Entry


def test_a_member_of_a_dledger_group_is_what_a_controller_needs() -> None:
    def needs(consensus: Consensus, entry: AppliedEntry) -> None:
        """Checked by mypy."""

    def has(member: Member, entry: Entry) -> None:
        needs(member, entry)

    assert has.__name__ == "has"
