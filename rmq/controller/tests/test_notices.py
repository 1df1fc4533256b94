import pytest

from codec.bodies import decode_body
from codec.bodies.controller import SyncStateSet
from codec.codes import RequestCode
from codec.headers.controller import ElectMasterRequestHeader
from rmq.controller.commands import Commands
from rmq.controller.notices import Notices
from rmq.controller.tests.parts import Lives, elected, joined, sent_to, state_of
from rmq.remoting.testing import FakeCaller


def election(lives, *events):
    commands = Commands(state_of(*events), lives, lambda: True)
    return commands.elect_master(ElectMasterRequestHeader(broker_name="a"))


def test_the_living_of_a_group_are_told_of_their_new_master():
    lives, caller = Lives(2, 3), FakeCaller()
    outcome = election(lives, joined(1), joined(2), joined(3), elected(1))

    Notices(caller, lives).elected(outcome)

    assert sent_to(caller.sent) == ["10.0.1.2:10911", "10.0.1.3:10911"]
    command = caller.sent[0][1]
    assert command.code == RequestCode.NOTIFY_BROKER_ROLE_CHANGED
    assert command.ext_fields == {
        "masterAddress": "10.0.1.2:10911",
        "masterBrokerId": "2",
        "masterEpoch": "2",
        "syncStateSetEpoch": "2",
    }
    body = decode_body(SyncStateSet, command.body)
    assert body == SyncStateSet(sync_state_set={2}, sync_state_set_epoch=2)


def test_who_has_no_address_is_not_told():
    lives, caller = Lives(2, 3), FakeCaller()
    nowhere = joined(3)
    nowhere.broker_address = None

    Notices(caller, lives).elected(election(lives, joined(2), nowhere, elected(1)))

    assert sent_to(caller.sent) == ["10.0.1.2:10911"]


def test_only_successful_elections_are_told():
    lives = Lives(1)
    outcome = election(lives, joined(1), elected(1))

    with pytest.raises(AssertionError, match="group"):
        Notices(FakeCaller(), lives).elected(outcome)
