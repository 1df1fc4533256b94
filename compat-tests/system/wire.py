"""A small blocking client of the remoting protocol.

It is written from the facts of the wire and shares no code with the servers, so that a mistake of
theirs cannot hide behind the same mistake here.
"""

import json
import socket
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

SEND, PULL, QUERY, QUERY_OFFSET, UPDATE_OFFSET = 310, 11, 12, 14, 15
SEND_BATCH, MAX_OFFSET, MIN_OFFSET, HEARTBEAT, ROUTE, CLUSTER = 320, 30, 31, 34, 105, 106
SUCCESS, SYSTEM_ERROR, UNKNOWN_CODE, NO_SERVICE, TOPIC_NOT_EXIST = 0, 1, 3, 14, 17
NOT_FOUND = 19
HA_STATUS = 907
ELECT_MASTER, CONTROLLER_METADATA = 1002, 1005
ONEWAY = 2


@dataclass
class Answer:
    """A response; ``fields`` are its extFields."""

    code: int
    opaque: int
    remark: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Message:
    """A stored message, as pulled."""

    queue_id: int
    queue_offset: int
    position: int
    body: bytes
    crc: int
    topic: str
    properties: dict[str, str]
    store_ms: int
    reconsume_times: int


def frame(header: bytes, body: bytes = b"", encoding: int = 0) -> bytes:
    """A whole frame."""
    word = encoding << 24 | len(header)
    return struct.pack(">II", 4 + len(header) + len(body), word) + header + body


def request(code: int, fields: dict | None, opaque: int, body: bytes = b"", flag: int = 0) -> bytes:
    """A request with a JSON header; field values become text."""
    header = {
        "code": code,
        "extFields": {name: str(value) for name, value in (fields or {}).items()},
        "flag": flag,
        "language": "OTHER",
        "opaque": opaque,
        "serializeTypeCurrentRPC": "JSON",
        "version": 479,
    }
    return frame(json.dumps(header, separators=(",", ":")).encode(), body)


class Peer:
    """One connection. Every wait has the limit ``timeout_s``."""

    def __init__(
        self,
        port: int,
        timeout_s: float = 10,
        source: str | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.socket = socket.create_connection(
            (host, port), timeout_s, (source, 0) if source else None
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._opaque = 0
        self._received = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def post(self, code: int, fields: dict | None = None, body: bytes = b"", flag: int = 0) -> int:
        """Send a request, wait for nothing; gives its opaque."""
        self._opaque += 1
        self.socket.sendall(request(code, fields, self._opaque, body, flag))
        return self._opaque

    def read(self) -> Answer:
        """The next response; requests of the server that come before it go to ``asked``.

        :raises ConnectionError: the server hung up.
        """
        while True:
            size = struct.unpack(">I", self._take(4))[0]
            data = self._take(size)
            word = struct.unpack_from(">I", data)[0]
            assert word >> 24 == 0, "answered in another encoding than asked"
            header = json.loads(data[4 : 4 + word])
            answer = Answer(
                header["code"],
                header["opaque"],
                header.get("remark"),
                header.get("extFields") or {},
                data[4 + word :],
            )
            if header["flag"] & 1:
                return answer
            self.asked(answer)

    def asked(self, request: Answer) -> None:
        """Take a request of the server; those who expect any say what they do."""
        raise AssertionError(f"a request where a response was due: {request}")

    def call(self, code: int, fields: dict | None = None, body: bytes = b"") -> Answer:
        """Send a request and read its response."""
        opaque = self.post(code, fields, body)
        answer = self.read()
        assert answer.opaque == opaque, f"asked {opaque}, answered {answer.opaque}"
        return answer

    def is_closed_within(self, seconds: float) -> bool:
        """Whether the server hangs up in time; what it sends before is dropped."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(1 << 16):
                    return True
            except TimeoutError:
                return False
            except ConnectionError:
                return True
        return False

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the server hung up")
            self._received += data
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken


def properties_text(properties: dict[str, str]) -> str:
    """Properties as a record keeps them."""
    return "".join(f"{name}\x01{value}\x02" for name, value in properties.items())


def send_fields(
    topic: str, queue_id: int, properties: dict[str, str], *, batch: bool = False
) -> dict:
    """The header of a send, V2."""
    return {
        "a": "system-test",
        "b": topic,
        "c": "TBW102",
        "d": 4,
        "e": queue_id,
        "f": 0,
        "g": int(time.time() * 1000),
        "h": 0,
        "i": properties_text(properties),
        "j": 0,
        "k": "false",
        "l": 16,
        "m": "true" if batch else "false",
    }


def batch_body(items: list[tuple[bytes, dict[str, str]]]) -> bytes:
    """The body of a batch: bodies with their properties."""
    parts = []
    for body, properties in items:
        text = properties_text(properties).encode()
        size = 4 * 5 + len(body) + 2 + len(text)
        parts.append(struct.pack(">IIIII", size, 0, 0, 0, len(body)) + body)
        parts.append(struct.pack(">H", len(text)) + text)
    return b"".join(parts)


def pull_fields(topic: str, queue_id: int, offset: int, count: int = 32, **more: object) -> dict:
    """The header of a pull that does not wait, unless ``more`` says so."""
    fields = {
        "consumerGroup": "system-test",
        "topic": topic,
        "queueId": queue_id,
        "queueOffset": offset,
        "maxMsgNums": count,
        "sysFlag": 4,
        "commitOffset": 0,
        "suspendTimeoutMillis": 0,
        "subscription": "*",
        "subVersion": 0,
        "expressionType": "TAG",
    }
    return {**fields, **more}


def messages(body: bytes) -> Iterator[Message]:
    """The records of a pull's body; each must be whole and its body's sum right."""
    at = 0
    while at < len(body):
        total, magic, crc, queue_id, _, queue_offset, position, flags = struct.unpack_from(
            ">IIIIIqqI", body, at
        )
        assert magic in {0xDAA320A7, 0xDAA320AB}, hex(magic)
        here = at + 4 * 5 + 8 * 2 + 4 + 8
        here += 20 if flags & 0x10 else 8
        store_ms = struct.unpack_from(">q", body, here)[0]
        here += 8 + (20 if flags & 0x20 else 8)
        reconsume_times = struct.unpack_from(">I", body, here)[0]
        here += 4 + 8
        size = struct.unpack_from(">I", body, here)[0]
        content = body[here + 4 : here + 4 + size]
        here += 4 + size
        width = 2 if magic == 0xDAA320AB else 1
        size = int.from_bytes(body[here : here + width], "big")
        topic = body[here + width : here + width + size].decode()
        here += width + size
        size = struct.unpack_from(">H", body, here)[0]
        text = body[here + 2 : here + 2 + size].decode()
        assert here + 2 + size == at + total, "the record's parts do not add up to its size"
        assert crc == zlib.crc32(content) & 0x7FFFFFFF, "the body is not what was stored"
        pairs = [part.split("\x01", 1) for part in text.split("\x02") if part]
        yield Message(
            queue_id,
            queue_offset,
            position,
            content,
            crc,
            topic,
            dict(pairs),
            store_ms,
            reconsume_times,
        )
        at += total
