import pytest

from codec.codes import ResponseCode
from rmq.base.errors import CommandError
from rmq.broker.processors.slave_pulls import SlavePulls
from rmq.broker.processors.tests.pulls import (
    COMMIT,
    SUBSCRIPTION,
    SUSPEND,
    a_scene,
    bodies,
    pull,
    put,
)
from rmq.broker.role import Role, RoleHolder

SLAVE = Role(kind="SLAVE", broker_id=1, master_address="10.0.0.1:10911")
WAITING = SUSPEND | SUBSCRIPTION
MASTER = Role(kind="ASYNC_MASTER", broker_id=0)


def a_slave(*, near, **changed):
    scene = a_scene(**changed)
    for number in range(3):
        put(scene, b"%d" % number)
    scene.role.set(SLAVE)
    scene.is_master_near = near
    return scene


def test_slave_that_may_not_be_read_sends_consumers_to_its_master():
    answer = pull(a_slave(near=True))

    assert answer.code == ResponseCode.SYSTEM_BUSY
    assert answer.remark.startswith("[REJECTREQUEST]system busy")


@pytest.mark.parametrize("enabled", [False, True])
def test_slave_without_a_master_serves_consumers(enabled):
    scene = a_slave(near=False, slaveReadEnable=enabled)

    answer = pull(scene)

    assert bodies(answer) == [b"0", b"1", b"2"]
    assert answer.ext_fields["suggestWhichBrokerId"] == "0"


def test_slave_without_a_master_holds_who_waits_for_messages():
    scene = a_slave(near=False)

    assert pull(scene, queue_offset=3, sys_flag=WAITING, suspend_timeout_millis=1000) is None
    put(scene, b"3")
    scene.clock.advance(0)

    assert len(scene.peer.replies) == 1


def test_slave_that_may_be_read_gives_what_it_has_and_the_next_pull_to_its_master():
    scene = a_slave(near=True, slaveReadEnable=True)

    answer = pull(scene)

    assert bodies(answer) == [b"0", b"1", b"2"]
    assert answer.ext_fields["suggestWhichBrokerId"] == "0"


@pytest.mark.parametrize("offset", [3, 50])
def test_who_finds_nothing_on_a_slave_is_sent_to_its_master_at_once(offset):
    scene = a_slave(near=True, slaveReadEnable=True)

    answer = pull(scene, queue_offset=offset, sys_flag=WAITING, suspend_timeout_millis=1000)

    assert answer.code == ResponseCode.PULL_RETRY_IMMEDIATELY
    assert answer.ext_fields["suggestWhichBrokerId"] == "0"


def test_consumer_ahead_of_a_slave_without_master_is_not_thrown_back():
    answer = pull(a_slave(near=False), queue_offset=50)

    assert answer.code == ResponseCode.PULL_RETRY_IMMEDIATELY


def test_slave_commits_no_offsets_on_a_pull():
    scene = a_slave(near=False)

    pull(scene, sys_flag=COMMIT, commit_offset=2)

    assert scene.offsets.query("g", "T", 0) == -1


def test_offsets_are_corrected_by_a_slave_that_is_told_to():
    told = SlavePulls(RoleHolder(SLAVE), lambda: False, corrects_offsets=True)

    assert told.code(ResponseCode.PULL_OFFSET_MOVED) is ResponseCode.PULL_OFFSET_MOVED
    assert told.code(ResponseCode.PULL_NOT_FOUND) is ResponseCode.PULL_NOT_FOUND


def test_master_sends_nobody_away():
    pulls = SlavePulls(RoleHolder(MASTER), lambda: True, corrects_offsets=False)

    assert not pulls.is_one
    assert not pulls.sends_to_master()


def test_disabled_slave_is_refused_only_beside_its_master():
    near = True
    pulls = SlavePulls(RoleHolder(SLAVE), lambda: near, corrects_offsets=False)
    with pytest.raises(CommandError):
        pulls.refuse_disabled()

    near = False
    pulls.refuse_disabled()
