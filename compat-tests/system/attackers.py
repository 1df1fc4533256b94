"""Many hostile peers in a process of their own: ``attackers.py PORT PEERS SECONDS [endless]``.

Each peer does its kind of harm again and again: as soon as the server hangs up, or after a while.
``endless``: they ask properly, but without end.
"""

import os
import random
import socket
import struct
import sys
import threading
import time

import wire

HELD_S = 0.5
PAUSE_S = 0.05


def garbage(chance: random.Random) -> bytes:
    return chance.randbytes(400)


def http(_: random.Random) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def tls(_: random.Random) -> bytes:
    return bytes.fromhex("1603010200010001fc0303") + bytes(500)


def huge(_: random.Random) -> bytes:
    return struct.pack(">II", 0x7FFFFFFF, 10) + bytes(100)


def stalled(_: random.Random) -> bytes:
    return struct.pack(">II", (1 << 24) - 5, 10) + bytes(1000)


def broken_header(_: random.Random) -> bytes:
    return wire.frame(b'{"code":310,"extFields":{')


def unread_routes(_: random.Random) -> bytes:
    return b"".join(wire.request(wire.ROUTE, {"topic": "TBW102"}, n) for n in range(200))


def unread_pulls(_: random.Random) -> bytes:
    fields = wire.pull_fields("healthy", 0, 0)
    return b"".join(wire.request(wire.PULL, fields, n) for n in range(50))


def unknown_codes(chance: random.Random) -> bytes:
    return b"".join(wire.request(chance.randrange(5000, 9000), {}, 1) for _ in range(20))


def wrong_values(_: random.Random) -> bytes:
    wrong = wire.send_fields("healthy", -7, {}) | {"f": "x", "g": 1 << 70}
    return b"".join(wire.request(wire.SEND, wrong, n) for n in range(20))


def oneway_garbage(chance: random.Random) -> bytes:
    return b"".join(
        wire.request(code, {"topic": "x"}, 1, chance.randbytes(300), wire.ONEWAY)
        for code in (34, 41, 103, 12, 9999)
    )


def deep_body(_: random.Random) -> bytes:
    return wire.request(wire.HEARTBEAT, {}, 1, b'{"a":' * 20_000)


def nothing(_: random.Random) -> bytes:
    return b""


KINDS = [
    garbage,
    http,
    tls,
    huge,
    stalled,
    broken_header,
    unread_routes,
    unread_pulls,
    unknown_codes,
    wrong_values,
    oneway_garbage,
    deep_body,
    nothing,
]


def attack(port: int, kind, end: float) -> None:
    chance = random.Random(kind.__name__)
    time.sleep(random.uniform(0, HELD_S))
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as peer:
                peer.settimeout(HELD_S)
                data = kind(chance)
                peer.sendall(data)
                if kind.__name__.startswith("unread"):
                    time.sleep(HELD_S)
                else:
                    while peer.recv(1 << 16):
                        pass
        except OSError:
            pass
        time.sleep(PAUSE_S)


def pipeline(port: int) -> None:
    """Ask without end, as fast as the answers can be read."""
    fields = {"topic": "healthy", "queueId": 0}
    data = b"".join(wire.request(wire.MAX_OFFSET, fields, number) for number in range(600))
    peer = socket.create_connection(("127.0.0.1", port))

    def read() -> None:
        while peer.recv(1 << 18):
            pass

    threading.Thread(target=read, daemon=True).start()
    while True:
        peer.sendall(data)


def main() -> None:
    port, peers, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    end = time.monotonic() + seconds
    if sys.argv[4:] == ["endless"]:
        threads = [
            threading.Thread(target=pipeline, args=(port,), daemon=True) for _ in range(peers)
        ]
    else:
        threads = [
            threading.Thread(
                target=attack, args=(port, KINDS[number % len(KINDS)], end), daemon=True
            )
            for number in range(peers)
        ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    os._exit(0)


if __name__ == "__main__":
    main()
