import socket

import pytest

from rmq.net import hosts
from rmq.net.hosts import own_address, own_name, pack_host, split_address


@pytest.mark.parametrize(
    ("address", "packed"),
    [
        ("10.0.0.1", bytes([10, 0, 0, 1])),
        ("::1", bytes(15) + b"\1"),
        ("::ffff:10.0.0.1", bytes([10, 0, 0, 1])),
        ("fe80::1%eth0", b"\xfe\x80" + bytes(13) + b"\1"),
    ],
)
def test_host_is_packed_as_records_keep_it(address, packed):
    assert pack_host(address, 10911) == packed + b"\0\0\x2a\x9f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("broker-a:10911", ("broker-a", 10911)),
        ("[::1]:0", ("::1", 0)),
        ("::1:65535", ("::1", 65535)),
    ],
)
def test_address_is_split_at_its_last_colon(text, expected):
    assert split_address(text) == expected


@pytest.mark.parametrize("text", ["", "host", "host:", "host:port", "host:65536", "host:\u0663"])
def test_text_that_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="expected host:port"):
        split_address(text)


def test_own_address_is_one_of_ipv4():
    assert len(pack_host(own_address(), 0)) == 8


class NoRoute:
    """A socket of a machine that has no way out."""

    def __init__(self, *_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def connect(self, _):
        raise OSError(101, "Network is unreachable")


def test_machine_without_a_way_out_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr(hosts.socket, "socket", NoRoute)
    monkeypatch.setattr(hosts.socket, "gethostbyname", lambda _: "172.16.0.5")

    assert own_address() == "172.16.0.5"


def test_machine_that_does_not_know_its_name_has_the_loopback(monkeypatch):
    def unknown(_):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(hosts.socket, "socket", NoRoute)
    monkeypatch.setattr(hosts.socket, "gethostbyname", unknown)

    assert own_address() == "127.0.0.1"


@pytest.mark.parametrize(("told", "name"), [("desk", "desk"), ("", "DEFAULT_BROKER")])
def test_own_name_is_the_machines_or_javas_default(monkeypatch, told, name):
    monkeypatch.setattr(hosts.socket, "gethostname", lambda: told)

    assert own_name() == name
