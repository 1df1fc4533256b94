"""What members of a group have in their queues, as pulled from each."""

from collections.abc import Iterator

import wire

import clusters  # isort: skip
import servers  # isort: skip

COUNT = 1000
"""Messages asked for at once."""
SETTINGS: dict[str, object] = {
    "slaveReadEnable": "true",
    "maxTransferCountOnMessageInMemory": COUNT,
    "maxTransferCountOnMessageInDisk": COUNT,
    "maxTransferBytesOnMessageInDisk": 1 << 18,
}
"""What brokers must be told to give as much, and as slaves at all."""
RETRY_IMMEDIATELY = 20
"""What a slave says at the end of a queue: its master may have more."""
TIMEOUT_S = 30


class GapError(Exception):
    """A queue does not begin at 0, or an offset is not there."""


def bodies(member: servers.Server, topic: str, queue: int) -> Iterator[bytes]:
    """All of a queue, in order of offsets from 0.

    :raises GapError: there is a hole, or another answer than messages or their end.
    """
    offset = 0
    with member.peer(TIMEOUT_S) as peer:
        while True:
            answer = peer.call(wire.PULL, wire.pull_fields(topic, queue, offset, COUNT))
            if answer.code in {wire.NOT_FOUND, RETRY_IMMEDIATELY}:
                end = int(answer.fields["maxOffset"])
                if end != offset:
                    raise GapError(f"{member.address} {topic}/{queue}: ends at {offset}, not {end}")
                return
            if answer.code != wire.SUCCESS:
                raise GapError(
                    f"{member.address} {topic}/{queue} at {offset}: {answer.code} {answer.remark}"
                )
            for message in wire.messages(answer.body):
                if message.queue_offset != offset:
                    raise GapError(
                        f"{member.address} {topic}/{queue}: {message.queue_offset} after {offset}"
                    )
                yield message.body
                offset += 1


def master_of(group: clusters.Group) -> servers.Server | None:
    """Who the NameServer says leads; None where it cannot be asked."""
    try:
        return group.master()
    except (OSError, ValueError, KeyError):
        return None
