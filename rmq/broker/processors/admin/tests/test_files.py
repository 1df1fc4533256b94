import pytest
from twisted.internet.defer import Deferred

from codec.bodies import decode_body
from codec.bodies.offsets import DelayOffsetSerializeWrapper
from codec.codes import RequestCode, ResponseCode
from rmq.base.errors import StoreError
from rmq.base.manual import ManualClock
from rmq.broker.processors.admin.files import ROUND_PERIOD_MS, FileAdminProcessor
from rmq.broker.processors.admin.tests.scene import AdminScene


@pytest.fixture
def scene():
    return AdminScene(store={"reserved_ms": 1, "delete_files_max": 1})


def test_old_files_are_deleted_round_by_round(scene):
    scene.put("T", count=160)
    scene.clock.advance(10_000)
    begins = [scene.store.min_position]

    assert scene.ask(RequestCode.DELETE_EXPIRED_COMMITLOG).code == ResponseCode.SUCCESS
    begins.append(scene.store.min_position)
    scene.ask(RequestCode.DELETE_EXPIRED_COMMITLOG)
    assert scene.store.min_position == begins[-1]
    scene.clock.advance(ROUND_PERIOD_MS)
    begins.append(scene.store.min_position)
    scene.clock.advance(20 * ROUND_PERIOD_MS)

    assert begins == [0, 4096, 8192]
    assert scene.store.min_position > 8192
    assert scene.store.written_position - scene.store.min_position <= 4096
    assert scene.clock.owed == 0


def test_nothing_old_ends_at_once(scene):
    scene.put("T")

    scene.ask(RequestCode.DELETE_EXPIRED_COMMITLOG)

    assert scene.clock.owed == 0


class BrokenStore:
    def __init__(self):
        self.rounds = 0

    def clean(self, *, at_once):
        assert at_once
        self.rounds += 1
        raise StoreError("no")


def test_a_failure_ends_the_rounds_and_is_told():
    store = BrokenStore()
    processor = FileAdminProcessor(ManualClock(), store, Deferred)

    for _ in range(2):
        with pytest.raises(StoreError):
            processor.delete_expired(None)

    assert store.rounds == 2


def test_offsets_of_delayed_delivery_are_given(scene):
    code = RequestCode.GET_ALL_DELAY_OFFSET
    assert scene.ask(code).body == b'{"offsetTable":{}}'

    scene.delay_offsets = DelayOffsetSerializeWrapper(offset_table={3: 7})

    table = decode_body(DelayOffsetSerializeWrapper, scene.ask(code).body)
    assert table.offset_table == {3: 7}
