from dataclasses import FrozenInstanceError

import pytest
from twisted.internet.defer import Deferred

from rmq.dledger.member_ports import MemberPorts, Submitted
from rmq.dledger.tests.groups import Group
from rmq.raft.messages import Entry


def test_a_member_s_ports_stay_what_they_are():
    group = Group(1)
    ports = MemberPorts(
        group.disks["n0"], group.clock, group.chance, group.wires["n0"], group.workers["n0"]
    )

    with pytest.raises(FrozenInstanceError):
        ports.clock = None


def test_what_was_submitted_names_its_entries_and_their_end():
    done: Deferred[list[Entry]] = Deferred()

    entries, end = Submitted((Entry(0, 0, b"a"),), done)

    assert [entry.body for entry in entries] == [b"a"]
    assert end is done
