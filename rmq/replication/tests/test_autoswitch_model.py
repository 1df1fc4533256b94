"""Three brokers, a Controller that is always right, and all that may happen between them.

Whatever was confirmed once is in the log of every later master, and at the same place.
"""

import pytest

from rmq.replication.tests.groups import Net

STEPS = 60


class Model:
    def __init__(self, seed):
        self.net = Net(seed)
        self.chance = self.net.chance
        self.brokers = [self.net.broker(n) for n in (1, 2, 3)]
        self.confirmed = b""
        self.epoch, self.number = 0, 0
        self.members = frozenset({1})
        self.leader = None
        self.elect()

    def pick(self, items):
        return items[self.chance.below(len(items))]

    # the Controller

    def elect(self):
        candidates = [one for one in self.brokers if one.broker_id in self.members and one.is_up]
        if not candidates:
            return
        self.leader = self.pick(candidates)
        self.epoch += 1
        self.number += 1
        self.members = frozenset({self.leader.broker_id})
        assert self.leader.log.startswith(self.confirmed)

    def hear(self):
        """The last proposal of each who thinks it leads; some get lost, and some answers too."""
        for broker in self.brokers:
            proposals, broker.proposals[:] = list(broker.proposals), []
            state = broker.replication
            fate = self.chance.below(4)
            is_known = state.sync_state_number == self.number and broker.epoch == self.epoch
            if not proposals or broker in self.net_cut() or not is_known or fate == 0:
                continue
            if proposals[-1] != self.members:
                self.number += 1
                self.members = proposals[-1]
                if fate > 1:
                    state.set_sync_state(self.members, self.number)
            elif fate > 1:
                state.sync_state_refused()

    def net_cut(self):
        return [one for one in self.brokers if one.address in self.net.cut_off]

    def tell(self):
        """Each broker that can be reached learns what is decided."""
        for broker in self.brokers:
            if not broker.is_up or broker in self.net_cut():
                continue
            if broker is self.leader:
                if broker.epoch < self.epoch:
                    broker.epoch = self.epoch
                    broker.lead(self.epoch, *self.members, number=self.number)
                broker.replication.set_sync_state(self.members, self.number)
            elif broker.epoch < self.epoch:
                broker.epoch = self.epoch
                broker.follow(self.leader, self.epoch)

    # what happens

    def step(self):
        broker = self.pick(self.brokers)
        event = self.chance.below(12)
        if event < 5:
            self.put()
        elif event == 5:
            self.net.cut(broker)
        elif event == 6:
            self.net.heal(broker)
        elif event == 7 and broker.is_up:
            broker.crash()
        elif event == 8 and not broker.is_up:
            self.come_back(broker)
        elif event == 9:
            self.elect()
        if self.chance.below(3):
            self.tell()
        self.net.run(100 * self.chance.below(25))
        self.hear()
        self.look()

    def put(self):
        for broker in self.brokers:
            if broker.is_up and broker.store.refusal is None:
                for _ in range(self.chance.below(6)):
                    broker.put()
                    self.look()

    def come_back(self, broker):
        broker.proposals.clear()
        broker.start()
        broker.epoch = 0

    def look(self):
        for broker in self.brokers:
            if broker.is_up and broker.store.refusal is None:
                confirmed = broker.log[: broker.replication.confirm_position]
                if len(confirmed) > len(self.confirmed):
                    assert confirmed.startswith(self.confirmed)
                    assert self.leader.log.startswith(confirmed), "the next master has it, too"
                    self.confirmed = confirmed
                else:
                    assert self.confirmed.startswith(confirmed)

    def calm_down(self):
        for broker in self.brokers:
            self.net.heal(broker)
            if not broker.is_up:
                self.come_back(broker)
        self.elect()
        for _ in range(8):
            self.tell()
            self.net.run(3_000)
            self.hear()
            self.look()


def written(broker):
    """The epochs, by where they begin, that have written something."""
    return {start: epoch for epoch, start in broker.replication.epochs}


@pytest.mark.parametrize("seed", range(40))
def test_what_was_confirmed_is_in_the_log_of_every_later_master(seed):
    model = Model(seed)
    for broker in model.brokers:
        broker.epoch = 0
    for _ in range(STEPS):
        model.step()
    model.calm_down()

    first, *others = model.brokers
    for other in others:
        assert other.log == first.log
        assert written(other) == written(first)
    assert first.log.startswith(model.confirmed)
