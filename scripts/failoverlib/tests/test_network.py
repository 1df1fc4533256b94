"""Tests of where processes are."""

import pytest

from scripts.failoverlib import network


def test_on_loopback_nobody_can_be_cut_off():
    with network.Loopback(3) as net:
        assert (net.hub, set(net.hosts)) == ("127.0.0.1", {"127.0.0.1"})
        assert net.prefix(1) == ()
        with pytest.raises(NotImplementedError, match="broker 1"):
            net.cut(1)
        with pytest.raises(NotImplementedError):
            net.mend(1)
        net.drop([])
        with pytest.raises(NotImplementedError, match="loopback"):
            net.drop([(0, 1)])


def test_each_isolated_broker_has_an_address_of_its_own():
    net = network.Isolated(3)

    assert len({net.hub, *net.hosts}) == 4


def test_without_the_programs_nothing_can_be_isolated(monkeypatch):
    monkeypatch.setattr(network, "_UNSHARE", ("no-such-program",))
    assert not network.can_isolate()

    monkeypatch.setattr(network, "_UNSHARE", ("false",))
    assert not network.can_isolate()


def test_the_mark_tells_a_program_that_it_is_isolated(monkeypatch):
    monkeypatch.delenv(network.MARK, raising=False)
    assert not network.is_isolated()

    monkeypatch.setenv(network.MARK, "yes")
    assert network.is_isolated()


def test_what_goes_one_way_is_lost_until_it_is_not_asked_for(monkeypatch):
    said = []
    monkeypatch.setattr(network, "_run", lambda *words, told="": said.append((words, told)))
    net = network.Isolated(2)
    monkeypatch.setattr(net, "prefix", lambda number: ("in", str(number)))

    net.drop([(0, 1), (network.HUB_NUMBER, 0)])
    net.drop([(0, 1)])
    net.drop([])

    ip = ("ip", "-batch", "-")
    lost = f"lladdr {network.NOBODY} nud permanent dev"
    assert said == [
        (ip, f"neigh replace {net.hosts[0]} {lost} {network.BRIDGE}"),
        (("in", "0", *ip), f"neigh replace {net.hosts[1]} {lost} inner0"),
        (ip, f"neigh del {net.hosts[0]} dev {network.BRIDGE}"),
        (("in", "0", *ip), f"neigh del {net.hosts[1]} dev inner0"),
    ]
