from rmq.store.messages import GetResult, GetStatus, PutResult, PutStatus


def test_results_do_not_share_their_lists() -> None:
    one, other = (GetResult(GetStatus.FOUND, 0, 0, 0) for _ in range(2))

    one.slices.append(b"x")

    assert other.slices == []
    assert PutResult(PutStatus.PUT_OK).positions == ()


def test_statuses_are_numbered_in_javas_order() -> None:
    assert [PutStatus(n).value for n in range(16)] == list(range(16))
    assert [GetStatus(n).value for n in range(10)] == list(range(10))
