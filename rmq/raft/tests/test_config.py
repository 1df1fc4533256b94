import pytest

from rmq.raft.config import CommitRule, RaftConfig

PEERS = frozenset({"n0", "n1", "n2", "n3"})


def test_others_are_all_but_itself():
    assert RaftConfig.dledger("g", "n2", PEERS).others == ("n0", "n1", "n3")


@pytest.mark.parametrize(("count", "enough"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_majority_is_more_than_half(count, enough):
    assert RaftConfig.dledger("g", "n0", PEERS).is_quorum(count) is enough


def test_a_member_belongs_to_its_group():
    with pytest.raises(AssertionError):
        RaftConfig.dledger("g", "n9", PEERS)


def test_dledgers_own_times_are_the_defaults():
    config = RaftConfig.dledger("g", "n0", PEERS)

    assert (config.heart_beat_interval_ms, config.max_heart_beat_leak) == (2000, 3)
    assert (config.min_vote_interval_ms, config.max_vote_interval_ms) == (300, 1000)
    assert config.commit_rule is CommitRule.CURRENT_TERM


def test_the_fast_profile_doubts_a_leader_as_the_papers_does():
    config = RaftConfig.fast("g", "n0", PEERS)

    doubted_ms = config.heart_beat_interval_ms * config.max_heart_beat_leak
    assert doubted_ms + config.min_vote_interval_ms >= 150
    assert doubted_ms + config.max_vote_interval_ms <= 300
