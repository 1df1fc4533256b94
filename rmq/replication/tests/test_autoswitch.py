import pytest

from rmq.base.errors import StoreError
from rmq.replication.tests.groups import Net


class Mute:
    """A slave that takes all, and answers nothing."""

    def receive(self, _data):
        pass

    def lost(self, _reason):
        pass


def a_pair(seed=0, **changes):
    """Broker 1 leads alone since epoch 1, broker 2 follows it."""
    net = Net(seed)
    one, two = net.broker(1, **changes), net.broker(2, **changes)
    one.lead(1, 1, number=1)
    two.follow(one, 1)
    return net, one, two


def in_sync(seed=0):
    """The same, and the Controllers know that both are in the SyncStateSet."""
    net, one, two = a_pair(seed)
    one.put(3)
    net.run(100)
    one.replication.set_sync_state(one.proposals.pop(), 2)
    return net, one, two


@pytest.mark.parametrize("seed", range(8))
def test_a_slave_gets_log_epochs_and_messages_of_its_master(seed):
    net, one, two = a_pair(seed)
    one.put(40)

    net.run(5_000)

    assert two.log == one.log
    assert len(one.log) > 4_096
    assert two.replication.epochs == one.replication.epochs == [(1, 0)]
    assert two.bodies == one.bodies
    assert len(two.bodies) == 40


def test_a_slave_that_has_all_is_proposed_for_the_set():
    net, one, two = a_pair()
    one.put(3)

    net.run(100)

    assert one.proposals == [{1, 2}]
    assert two.proposals == []


def test_what_a_master_alone_writes_is_confirmed_at_once():
    _, one, _ = a_pair()

    one.put(2)

    assert one.replication.confirm_position == one.end
    assert len(one.bodies) == 2


def test_from_the_proposal_on_nothing_is_confirmed_without_the_other():
    net, one, two = a_pair()
    one.put(1)
    net.run(100)
    assert one.proposals == [{1, 2}]
    before = one.end
    net.cut(two)

    one.put(1)
    net.run(2_000)

    assert one.replication.sync_state_set == {1}
    assert one.replication.in_sync_count == 2
    assert one.replication.confirm_position == before
    assert one.bodies == [b"1:1"]


def test_a_proposal_that_was_refused_does_not_count_any_more():
    net, one, two = a_pair()
    one.put(1)
    net.run(100)
    net.cut(two)
    one.put(1)

    one.replication.sync_state_refused()

    assert one.replication.confirm_position == one.end
    assert one.bodies == [b"1:1", b"1:2"]


def test_in_a_set_of_two_a_message_is_confirmed_and_read_when_both_have_it():
    net, one, two = in_sync()

    one.put(1)
    assert one.replication.confirm_position < one.end
    assert len(one.bodies) == 3
    net.run(100)

    assert one.confirmations[-1] == one.replication.confirm_position == one.end == two.end
    assert len(one.bodies) == 4


def test_the_slave_lets_read_what_is_confirmed_only():
    net, one, two = in_sync()
    net.run(5_000)
    assert two.replication.confirm_position == two.end

    one.put(1)
    net.run(100)

    assert two.end == one.end
    assert len(two.bodies) == 3
    net.run(1_000)  # a heartbeat tells
    assert two.bodies == one.bodies
    assert len(two.bodies) == 4


def test_a_master_cut_off_from_its_slave_confirms_nothing_until_the_set_is_smaller():
    net, one, two = in_sync()
    confirmed = one.replication.confirm_position
    one.proposals.clear()

    net.cut(two)
    one.put(2)
    net.run(10_000)

    assert one.replication.confirm_position == confirmed
    assert one.proposals[0] == {1}
    one.replication.set_sync_state(frozenset({1}), 3)
    assert one.replication.confirm_position == one.end
    assert len(one.bodies) == 5


def test_a_proposal_without_an_answer_is_made_again():
    net, one, two = in_sync()
    one.proposals.clear()

    net.cut(two)
    assert one.proposals == [{1}]
    net.run(5_100)

    assert one.proposals == [{1}, {1}]


def test_a_slave_that_hangs_is_proposed_out_when_it_is_late():
    net, one, _two = in_sync()
    one.proposals.clear()
    for link in net.links:
        link.slave = Mute()
    one.put(1)

    net.run(15_000)
    assert one.proposals == []
    net.run(5_000)

    assert one.proposals[0] == {1}


def test_a_slave_that_has_all_is_never_late():
    net, one, _ = in_sync()
    one.proposals.clear()

    net.run(60_000)

    assert one.proposals == []


def test_under_load_a_slave_is_never_late_although_never_level():
    net, one, _ = in_sync()
    one.proposals.clear()

    for _ in range(400):
        one.put(1)
        net.run(100)
        one.put(1)  # so at no report it has all

    assert one.proposals == []


@pytest.mark.parametrize("seed", range(8))
def test_an_old_master_cuts_off_what_nobody_confirmed_and_follows(seed):
    net, one, two = in_sync(seed)
    net.cut(one)
    one.put(5)
    lost = one.end
    two.lead(2, 2, number=5)
    two.put(7)
    net.heal(one)

    one.follow(two, 2)
    net.run(10_000)

    assert one.log == two.log
    assert one.end != lost
    assert one.replication.epochs == two.replication.epochs
    assert [epoch.epoch for epoch in one.replication.epochs] == [1, 2]
    assert one.bodies == two.bodies
    assert one.bodies[:3] == [b"1:1", b"1:2", b"1:3"]
    assert b"1:4" not in one.bodies


@pytest.mark.parametrize("seed", range(6))
def test_brokers_take_turns_and_logs_stay_the_same(seed):
    net, one, two = in_sync(seed)
    for epoch in range(2, 9):
        old, new = (one, two) if epoch % 2 == 0 else (two, one)
        net.run(100)
        net.cut(old)
        old.put(epoch % 3)
        new.lead(epoch, new.broker_id, number=epoch * 10)
        new.put(2 + epoch)
        net.heal(old)
        old.follow(new, epoch)
        net.run(6_000)
        new.replication.set_sync_state(frozenset({1, 2}), epoch * 10 + 1)

    net.run(6_000)
    assert one.log == two.log
    assert one.replication.epochs == two.replication.epochs
    assert one.bodies == two.bodies
    assert len(one.bodies) == 3 + sum(range(4, 11))


def test_a_master_that_leads_again_keeps_its_slaves_and_begins_an_epoch():
    net, one, two = in_sync()
    link = net.links[0]

    one.lead(4)
    one.put(1)
    net.run(5_000)

    assert net.links == [link]
    assert [epoch.epoch for epoch in two.replication.epochs] == [1, 4]
    assert two.replication.epochs == one.replication.epochs
    assert two.log == one.log


def test_a_master_that_comes_back_in_its_own_epoch_goes_on_with_it():
    net, one, two = in_sync()
    net.run(1_000)
    one.crash()
    one.start()

    one.lead(1, 1, 2, number=2)
    one.put(1)
    net.run(10_000)

    assert one.replication.epochs == two.replication.epochs == [(1, 0)]
    assert two.log == one.log
    assert len(two.bodies) == 4


def test_what_a_master_has_lost_with_its_machine_its_slave_loses_when_it_comes_back():
    net, one, two = in_sync()
    before = one.disk.outlive()
    kept = one.end
    one.put(4)
    net.run(100)
    assert two.end > kept
    one.crash()
    one.disk = before
    one.start()
    assert one.end == kept
    one.lead(1, 1, 2, number=2)
    one.count = 100
    one.put(9)  # more than was lost, before the slave is back

    net.run(10_000)

    assert two.log == one.log
    assert [body for body in one.bodies if body in (b"1:4", b"1:101")] == [b"1:101"]
    cut = []
    two.store.truncate = cut.append
    net.cut(two)
    net.heal(two)
    net.run(10_000)
    assert len(net.links) == 1
    assert cut == []  # it is known by now to have nothing else


def test_a_master_that_begins_with_others_in_the_set_confirms_nothing_before_they_are_back():
    net, one, two = in_sync()
    net.run(1_000)
    one.crash()
    net.cut(two)
    one.start()

    one.lead(2, 1, 2, number=3)
    before = one.replication.confirm_position
    one.put(1)
    net.run(1_000)
    assert one.replication.confirm_position == before < one.end
    net.heal(two)
    net.run(10_000)

    assert one.replication.confirm_position == one.end


def test_unless_told_who_is_in_the_set_nothing_is_confirmed():
    net = Net()
    one = net.broker(1)

    one.lead(1)
    one.put(1)

    assert one.replication.confirm_position == 0
    assert one.bodies == []
    one.replication.set_sync_state(frozenset({1}), 1)
    assert one.bodies == [b"1:1"]


def test_where_senders_are_not_promised_the_whole_set_all_is_confirmed_at_once():
    net, one, two = a_pair(all_ack=False)
    one.put(1)
    net.run(100)
    assert one.proposals == [{1, 2}]
    one.replication.set_sync_state(frozenset({1, 2}), 2)
    net.cut(two)

    one.put(1)

    assert one.replication.confirm_position == one.end
    assert len(one.bodies) == 2


def test_acknowledgements_are_counted_and_learners_are_not():
    net = Net()
    one, two, three = net.broker(1), net.broker(2), net.broker(3, is_learner=True)
    acks = []
    one.replication.on_ack(lambda: acks.append(one.replication.acked_by(1)))
    one.lead(1, 1, number=1)
    two.follow(one, 1)
    three.follow(one, 1)
    one.put(1)

    net.run(5_000)

    assert three.log == one.log
    assert one.replication.acked_by(1) == one.end == acks[-1]
    assert one.replication.acked_by(2) == 0
    assert set(one.proposals) == {frozenset({1, 2})}


def test_three_brokers_and_the_set_of_them():
    net = Net()
    one, two, three = (net.broker(n) for n in (1, 2, 3))
    one.lead(1, 1, number=1)
    one.put(3)
    two.follow(one, 1)
    net.run(100)
    one.replication.set_sync_state(one.proposals.pop(), 2)
    three.follow(one, 1)
    net.run(100)
    assert one.proposals == [{1, 2, 3}]
    one.replication.set_sync_state(one.proposals.pop(), 3)

    net.cut(three)
    one.put(1)
    net.run(100)

    assert one.replication.confirm_position < one.end
    assert one.proposals == [{1, 2}]
    one.replication.set_sync_state(one.proposals.pop(), 4)
    assert one.replication.confirm_position == one.end
    states = one.replication.slaves
    assert [(state.address, state.in_sync) for state in states] == [("10.0.0.2:10912", True)]


def test_who_joins_late_begins_with_the_first_file_or_the_last_if_it_wants():
    net = Net()
    one, two, three = net.broker(1), net.broker(2), net.broker(3, from_last_file=True)
    one.lead(1, 1, number=1)
    one.put(40)

    two.follow(one, 1)
    three.follow(one, 1)
    net.run(5_000)

    assert two.store.min_position == 0
    assert three.store.min_position == one.end - one.end % 4_096 > 0
    assert two.log == one.log
    assert three.log == one.log[three.store.min_position :]


def test_a_slave_of_another_group_is_left_as_it_is(caplog):
    net, one, _two = a_pair()
    three = net.broker(3)
    three.lead(7, 3, number=1)
    three.put(2)
    log = three.log

    three.follow(one, 8)
    net.run(20_000)

    assert three.log == log
    assert "no epoch in common" in caplog.text


def test_who_does_not_lead_serves_nobody():
    net, one, two = a_pair()
    three = net.broker(3)

    three.follow(two, 1)
    net.run(1_000)

    assert three.end == 0
    assert two.replication.slaves == []
    assert two.replication.master.address == one.address
    assert one.replication.master is None


def test_an_epoch_that_is_over_does_not_come_back():
    net, one, _ = a_pair()
    two = net.broker(2)
    two.lead(5, 2, number=1)

    with pytest.raises(StoreError, match="epoch 4 is over"):
        two.lead(4)

    two.follow(one, 3)
    assert two.replication.master.address == one.address


def test_stopped_nothing_is_left():
    net, one, two = in_sync()

    two.replication.stop()
    one.replication.stop()

    net.clock.advance(0)
    assert net.links == []
    assert net.clock.owed == 0
    assert one.replication.sync_state_set == frozenset()
    assert one.replication.sync_state_number == -1


def test_a_follower_learns_its_id_before_it_meets_a_master():
    net = Net()
    one = net.broker(1)
    assert one.replication.broker_id == 1
    one.replication.broker_id = 9
    one.lead(1, 9, number=1)

    with pytest.raises(AssertionError):
        one.replication.broker_id = 2
