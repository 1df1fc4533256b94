from codec.bodies import decode_body, encode_body
from codec.bodies.controller import EpochEntry, EpochEntryCache, SyncStateSet
from codec.codes import RequestCode
from codec.disk.epoch import EpochStart
from codec.headers.controller import NotifyBrokerRoleChangedRequestHeader
from codec.headers.fields import RequestHeader
from rmq.broker.controlled.processor import ENDLESS, ControlledProcessor
from rmq.broker.controlled.requests import Verdict
from rmq.broker.role import Role, RoleHolder
from rmq.remoting.handling import Request, Response, handler_table
from rmq.remoting.testing import FakeChannel


class Reigns:
    """What a log tells of its masters."""

    def __init__(self, *epochs: EpochStart):
        self.epochs = epochs
        self.end_position = 900


def scene(*epochs: EpochStart):
    learnt: list[Verdict] = []
    role = RoleHolder(Role(kind="SLAVE", broker_id=2))
    return ControlledProcessor(("c", "b"), role, Reigns(*epochs), learnt.append), learnt


def asked(header, body=b""):
    return Request(header, body, FakeChannel(), 0, 0, 0, "JAVA", 0, b"")


def test_both_codes_are_answered():
    processor, _ = scene()

    assert set(handler_table([processor])) == {
        RequestCode.GET_BROKER_EPOCH_CACHE,
        RequestCode.NOTIFY_BROKER_ROLE_CHANGED,
    }


def test_each_reign_ends_where_the_next_begins():
    processor, _ = scene(EpochStart(1, 0), EpochStart(4, 500))

    answer = processor.epoch_cache(asked(RequestHeader()))

    assert decode_body(EpochEntryCache, answer.body) == EpochEntryCache(
        cluster_name="c",
        broker_name="b",
        broker_id=2,
        epoch_list=[
            EpochEntry(epoch=1, start_offset=0, end_offset=500),
            EpochEntry(epoch=4, start_offset=500, end_offset=ENDLESS),
        ],
        max_offset=900,
    )


def test_a_log_without_masters_has_no_reigns():
    processor, _ = scene()

    answer = processor.epoch_cache(asked(RequestHeader()))

    assert decode_body(EpochEntryCache, answer.body).epoch_list == []


def test_a_notice_is_learnt():
    processor, learnt = scene()
    header = NotifyBrokerRoleChangedRequestHeader(
        master_address="h:1", master_epoch=3, sync_state_set_epoch=6, master_broker_id=1
    )
    body = encode_body(SyncStateSet(sync_state_set={1, 2}, sync_state_set_epoch=6))

    answer = processor.role_changed(asked(header, body))

    assert answer == Response()
    assert learnt == [
        Verdict(
            master_id=1, master_address="h:1", epoch=3, in_sync=frozenset((1, 2)), in_sync_epoch=6
        )
    ]


def test_a_notice_may_be_bare():
    processor, learnt = scene()

    processor.role_changed(asked(NotifyBrokerRoleChangedRequestHeader()))

    assert learnt == [Verdict()]
