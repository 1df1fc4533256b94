from rmq.broker.transactions.endings import Endings


def test_moves_lead_to_the_latest_place():
    endings = Endings()
    endings.moved(0, 1, 5)
    endings.moved(0, 5, 9)

    assert endings.latest(0, 1) == 9
    assert endings.latest(0, 9) == 9
    assert endings.latest(1, 1) == 1


def test_outcome_is_known_by_queue_and_offset():
    endings = Endings()
    endings.end(0, 1, 8)

    assert endings.outcome(0, 1) == 8
    assert endings.outcome(1, 1) is None


def test_only_the_newest_are_remembered():
    endings = Endings(known_max=2)
    for offset in range(3):
        endings.end(0, offset, 8)
        endings.moved(0, offset, offset + 10)
        endings.commit_unseen((b"K%d" % offset, b"p", b"T", 0))

    assert [endings.has_committed((b"K%d" % n, b"p", b"T", 0)) for n in range(3)] == [
        False,
        True,
        True,
    ]
    assert [endings.outcome(0, offset) for offset in range(3)] == [None, 8, 8]
    assert [endings.latest(0, offset) for offset in range(3)] == [0, 11, 12]


def test_cleared_ones_are_forgotten():
    endings = Endings()
    endings.end(0, 1, 8)
    endings.moved(0, 1, 5)
    endings.commit_unseen((b"K", b"p", b"T", 0))

    endings.clear()

    assert not endings.has_committed((b"K", b"p", b"T", 0))
    assert endings.outcome(0, 1) is None
    assert endings.latest(0, 1) == 1
