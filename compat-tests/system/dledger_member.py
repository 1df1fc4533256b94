"""A member of ours as a process that obeys lines on stdin, as clients/dledger/Member.java does.

Arguments: GROUP ID PEERS FOLDER DATA_SIZE INDEX_SIZE HEARTBEAT_MS BATCH [durable]
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from twisted.internet import reactor, stdio
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure

from rmq.dledger.member import Member, MemberPorts, ProposalError
from rmq.dledger.settings import LedgerSettings, MemberSettings, parse_peers
from rmq.net.client import RemotingClient
from rmq.net.clock import ReactorClock, SystemChance
from rmq.net.disk import RealDisk
from rmq.net.server import RemotingServer
from rmq.net.worker import ThreadWorker
from rmq.raft.config import RaftConfig
from rmq.raft.messages import Entry
from rmq.remoting.handling import handler_table


class Lines(LineReceiver):
    """The commands."""

    delimiter = b"\n"

    def __init__(self, member: Member, stop) -> None:
        self.member, self.stop = member, stop

    def lineReceived(self, line: bytes) -> None:
        command, *words = line.decode().split(" ")
        getattr(self, command)(*words)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.stop()

    def say(self, *words: object) -> None:
        self.sendLine(("> " + " ".join(str(word) for word in words)).encode())

    def append(self, *texts: str) -> None:
        def appended(entries: Sequence[Entry]) -> None:
            self.say("appended", 200, entries[-1].index, entries[-1].pos)

        def refused(failure: Failure) -> None:
            failure.trap(ProposalError)
            self.say("appended", int(failure.value.code), -1, -1)

        self.member.propose([text.encode() for text in texts]).addCallbacks(appended, refused)

    def transfer(self, transferee: str) -> None:
        def refused(failure: Failure) -> None:
            failure.trap(ProposalError)
            self.say("transferred", int(failure.value.code))

        self.member.transfer(transferee).addCallbacks(
            lambda _: self.say("transferred", 200), refused
        )

    def state(self) -> None:
        member, log = self.member, self.member.log
        self.say(
            "state",
            member.role.name,
            member.leader_id or "null",
            member.term,
            log.begin_index,
            log.end_index,
            log.committed_index,
        )

    def quit(self) -> None:
        self.stop()


def main(group, self_id, peers, folder, data_size, index_size, beat_ms, batch, *more: str) -> None:
    addresses = parse_peers(peers)
    raft = RaftConfig(
        group=group,
        self_id=self_id,
        peers=frozenset(addresses),
        heart_beat_interval_ms=int(beat_ms),
        is_enable_batch_push=batch == "true",
    )
    ledger = LedgerSettings(
        folder=f"{folder}/dledger-{self_id}",
        data_file_size=int(data_size),
        index_file_size=int(index_size),
    )
    settings = MemberSettings(
        raft=raft, addresses=addresses, ledger=ledger, durable="durable" in more
    )
    clock, worker = ReactorClock(reactor), ThreadWorker(reactor)
    client = RemotingClient(reactor, clock)
    member = Member(settings, MemberPorts(RealDisk(), clock, SystemChance(), client, worker))
    host, _, port = addresses[self_id].rpartition(":")
    table = handler_table(member.processors)
    closed = member.channel_closed
    server = RemotingServer(reactor, clock, table, interface=host, port=int(port), closed=closed)
    stopping = []

    def stop() -> None:
        if not stopping:
            stopping.append(True)
            server.stop()
            member.stop().addCallback(lambda _: (client.stop(), worker.stop(), reactor.stop()))

    worker.start()
    member.start()
    server.start()
    lines = Lines(member, stop)
    stdio.StandardIO(lines)
    lines.say("ready")
    reactor.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
