from rmq.raft.messages import NO_INDEX, Entry, Push, PushKind, PushReply, VoteReply, VoteResult


def push(*entries: Entry) -> Push:
    return Push(
        group="g",
        sender="n0",
        target="n1",
        term=1,
        leader_id="n0",
        kind=PushKind.APPEND,
        entries=entries,
    )


def test_an_entrys_size_counts_its_header():
    assert Entry(0, 0, b"abc").size == 51


def test_entries_are_equal_by_all_that_is_on_disk():
    assert Entry(1, 2, b"x", 49) == Entry(1, 2, b"x", 49)
    assert Entry(1, 2, b"x", 49) != Entry(1, 2, b"x", 50)


def test_a_push_knows_its_range():
    assert (push().first_index, push().last_index) == (NO_INDEX, NO_INDEX)
    several = push(Entry(3, 1, b""), Entry(4, 1, b""))
    assert (several.first_index, several.last_index) == (3, 4)


def test_replies_begin_with_javas_defaults():
    assert (PushReply().index, PushReply().count, PushReply().end_index) == (None, 0, 0)
    assert (VoteReply().result, VoteReply().code, VoteReply().term) == (
        VoteResult.UNKNOWN,
        200,
        -1,
    )
