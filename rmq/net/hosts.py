"""Addresses: as text, as records keep them, and this machine's own."""

import ipaddress
import socket
import struct

_PORT = struct.Struct(">i")


def pack_host(address: str, port: int) -> bytes:
    """4 or 16 bytes of address and 4 of port; an IPv4 peer on an IPv6 socket counts as IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.packed + _PORT.pack(port)


def split_address(address: str) -> tuple[str, int]:
    """``host:port`` as two; an IPv6 host may stand in brackets.

    :raises ValueError: no port, or one that is no number from 0 to 65535.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"address {address!r}, expected host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def own_address() -> str:
    """The address by which others most likely reach this machine; loopback if it has no other.

    A UDP socket "connected" to an address of the documentation range sends nothing: the system only
    chooses the interface, as RemotingUtil.getLocalAddress() does by listing them.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            pass
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


def own_name() -> str:
    """The machine's name, a broker's default name."""
    return socket.gethostname() or "DEFAULT_BROKER"
