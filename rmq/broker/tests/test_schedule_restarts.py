"""How far delivery got: saved, and taken up again after a stop or a crash."""

import pytest

from rmq.broker.tests.test_schedule import FULL, PATH, SAVE_MS, TOPIC, World


@pytest.fixture
def world():
    return World()


def test_restart_goes_on_where_it_stopped():
    first = World()
    for number in range(10):
        first.put(1, b"%d" % number)
        first.clock.advance(200)
    delivered = first.count()
    assert 0 < delivered < 10

    second = first.again()
    assert second.count() == delivered
    second.clock.advance(1_000)

    assert second.bodies() == [b"%d" % number for number in range(10)]


def test_what_fell_due_while_it_was_down_is_delivered_at_once():
    first = World()
    first.put(3)
    first.close()
    first.clock.advance(100_000)

    second = World(first.disk)
    second.clock.advance(0)

    assert second.bodies() == [b"body"]


def test_offsets_are_saved_as_apache_saves_them():
    world = World()
    world.put(1)
    world.put(3)
    world.clock.advance(1_000)
    world.close()

    assert world.disk.read(PATH).decode() == (
        '{\n\t"dataVersion":{\n\t\t"counter":0,\n\t\t"stateVersion":0,\n'
        '\t\t"timestamp":1700000000000\n\t},\n\t"offsetTable":{1:1,3:0\n\t}\n}'
    )


def test_version_grows_with_the_deliveries():
    world = World()
    for _ in range(4):
        world.put()
    world.clock.advance(1_000)

    assert world.schedule.wrapper().data_version.counter == 2
    assert world.again().schedule.wrapper() == world.schedule.wrapper()


def test_offsets_of_levels_that_are_gone_are_kept():
    first = World()
    first.put(3)
    first.clock.advance(60_000)

    second = first.again(delays_ms=(1_000,))

    assert second.schedule.wrapper().offset_table == {3: 1}
    second.put(1)
    second.raw(b"", queue_id=2)
    second.clock.advance(1_000)
    second.close()
    assert second.saved().offset_table == {1: 1, 3: 1}


def test_offsets_are_saved_once_the_copies_are_on_disk(world):
    world.put(1)
    world.clock.advance(1_000)

    world.clock.advance(SAVE_MS)
    assert world.saved() is None
    world.flush()

    assert world.saved().offset_table == {1: 1}


def test_offsets_that_did_not_move_are_not_saved(world):
    world.clock.advance(10 * SAVE_MS)

    assert world.saved() is None
    assert not world.worker.calls


def test_offsets_are_saved_later_when_the_sync_took_too_long(world):
    world.put(1)
    world.clock.advance(1_000)
    world.clock.advance(SAVE_MS + 5_000)
    world.flush()
    assert world.saved() is None

    world.clock.advance(SAVE_MS)
    world.flush()

    assert world.saved().offset_table == {1: 1}


def test_offsets_that_the_disk_refused_are_saved_later(world):
    world.put(1)
    world.clock.advance(1_000)
    replace_file = world.disk.replace

    def refuse(path, content):
        raise FULL

    world.disk.replace = refuse
    world.clock.advance(SAVE_MS)
    world.flush()
    world.disk.replace = replace_file

    world.clock.advance(SAVE_MS)
    world.flush()

    assert world.saved().offset_table == {1: 1}


def test_older_offsets_do_not_replace_those_of_the_stop(world):
    world.put(1)
    world.put(2)
    world.clock.advance(4_000)
    world.clock.advance(SAVE_MS - 4_000)
    world.put(1)
    world.clock.advance(1_000)
    world.schedule.stop()

    world.flush()
    world.schedule.stop()

    assert world.saved().offset_table == {1: 2, 2: 1}


@pytest.mark.parametrize("saved_before", [False, True])
def test_who_stops_with_copies_that_may_be_cut_off_got_as_far_as_was_saved(saved_before):
    world = World()
    world.put(1, b"agreed on")
    world.clock.advance(1_000)
    if saved_before:
        world.clock.advance(SAVE_MS)
        world.flush()
    before = world.saved()
    world.put(1, b"to be cut off")
    world.clock.advance(1_000)
    assert world.count() == 2
    world.durability.is_settled = lambda end: end < world.store.written_position

    world.schedule.stop()

    assert world.saved() == before
    assert world.schedule.wrapper().offset_table == ({1: 1} if saved_before else {})
    world.schedule.start()
    world.clock.advance(0)
    assert world.bodies()[-1] == b"to be cut off"
    assert world.count() == (3 if saved_before else 4)


@pytest.mark.parametrize("synced", [False, True])
def test_power_failure_loses_no_acknowledged_message(synced):
    first = World()
    for number in range(20):
        first.put(1, b"%d" % number)
    first.durability.flushed(first.store.written_position)
    first.flush()  # now the senders are told
    first.clock.advance(1_000)
    assert first.count() == 20
    if synced:
        first.clock.advance(SAVE_MS)
        first.flush()

    second = World(first.disk.crash())
    second.clock.advance(2_000)

    assert set(second.bodies()) == {b"%d" % number for number in range(20)}
    assert second.bodies()[-20:] == [b"%d" % number for number in range(20)]
    if synced:
        assert second.count() == 20


def test_offset_beyond_the_queue_goes_back_to_its_end(caplog):
    first = World()
    first.put(1)
    first.close()
    first.disk.replace(PATH, b'{"offsetTable":{1:9}}')

    second = World(first.disk)
    assert "event=delay_offset_corrected level=1 offset=9 min=0 max=1" in caplog.text
    second.put(1, b"next")
    second.clock.advance(1_000)

    assert second.bodies() == [b"next"]


def test_offset_before_the_queue_s_beginning_goes_on_from_there(caplog):
    world = World(commit_log_file_size=4_096, reserved_ms=1, delete_files_max=1)
    for number in range(30):
        world.put(3, b"%d" % number)
    world.clock.advance(10_000)
    world.store.clean(at_once=True)
    first = world.store.min_offset(TOPIC, 2)
    assert first > 0

    world.clock.advance(60_000)

    assert world.bodies() == [b"%d" % number for number in range(first, 30)]
    assert "event=delay_offset_corrected" in caplog.text
