"""Stories of members, told as text: what happens, and what comes of it.

A line that is not indented happens; the indented lines after it are what must come of it. ``#``
begins a remark. ``python -m rmq.raft.tests.transcripts --rewrite`` writes down what comes of the
stories now: read the difference before you commit it.

::

    member n0 of n0 n1 n2 term=1 vote=n0 log=0/0:a,1/1:b committed=0 chance=100,200 key=value...
    at 2000                                 time goes on for all members
    n0 < vote from n1 term=2 end=5/1        also: beat; push COMPARE entries=5/1:x commit=4
    n0 < transfer from admin ...            transfer=n0 to=n1 take=5
    n0 reply #3 ACCEPT term=2               an answer to its third request; code or vote result
    n0 fail #3                              no answer
    n0 propose a bb                         also: n0 transfer n1
    n0 loses n1                             the connection of n1 to it ends; also: finds
    n0 dies                                 what is sent to it from now on is not carried
    n0 clean 3                              its log loses what is before index 3
    n0 lax                                  from now on its disk is never said to be durable
    run / drop #3 n0                        carry all requests between members until quiet
"""

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from rmq.base.manual import FixedChance
from rmq.raft.config import CommitRule, RaftConfig
from rmq.raft.log import MemoryLog
from rmq.raft.messages import (
    Entry,
    HeartBeat,
    HeartBeatReply,
    Push,
    PushKind,
    PushReply,
    Reply,
    Request,
    Transfer,
    TransferReply,
    Vote,
    VoteReply,
    VoteResult,
)
from rmq.raft.node import Node
from rmq.raft.ready import HardState

FOLDER = Path(__file__).parent.parent / "transcripts"
ABSENT = "-"


def told(value: object) -> str:
    return ABSENT if value is None else str(value)


def entry_text(entry: Entry) -> str:
    return f"{entry.index}/{entry.term}:{entry.body.decode()}"


def parse_entries(text: str) -> tuple[Entry, ...]:
    entries, pos = [], 0
    for one in text.split(",") if text else ():
        place, body = one.split(":")
        index, term = place.split("/")
        at = body.split("@")
        pos = int(at[1]) if len(at) > 1 else pos
        entries.append(Entry(int(index), int(term), at[0].encode(), pos))
        pos += entries[-1].size
    return tuple(entries)


def request_text(request: Request) -> str:
    if isinstance(request, Vote):
        return f"vote term={request.term} end={request.end_index}/{request.end_term}"
    if isinstance(request, HeartBeat):
        return f"beat term={request.term} leader={told(request.leader_id)}"
    if isinstance(request, Push):
        text = f"push {request.kind} term={request.term} commit={request.commit_index}"
        entries = ",".join(map(entry_text, request.entries))
        return f"{text}{' batch' * request.batch}{' ' * bool(entries)}{entries}"
    text = f"transfer term={request.term} {request.transfer_id} to={request.transferee_id}"
    return f"{text} take={request.take_index}"


def reply_text(reply: Reply) -> str:
    echo = f" echo leader={told(reply.leader_id)}" if reply.echo and reply.code != 200 else ""
    if isinstance(reply, VoteReply):
        code = f"{int(reply.code)} " * (reply.code != 200)
        return f"{code}{reply.result}{echo} term={reply.term}"
    if isinstance(reply, PushReply):
        index = f" index={told(reply.index)}x{reply.count}"
        log = f" log={reply.begin_index}..{reply.end_index}"
        return f"{int(reply.code)}{echo} term={reply.term}{index}{log}"
    return f"{int(reply.code)}{echo} term={reply.term}"


class Story:
    """Members on a table."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.nodes: dict[str, Node] = {}
        self.logs: dict[str, MemoryLog] = {}
        self.requests: dict[tuple[str, int], Request] = {}
        self.undelivered: list[tuple[str, int]] = []
        self.owed: list[tuple[tuple[str, int], Reply]] = []
        self.counts: dict[str, int] = {}
        self.lax: set[str] = set()
        self.lines: list[str] = []

    def tell(self, line: str) -> None:
        self.lines.append("    " + line)

    def happen(self, line: str) -> list[str]:
        self.lines = []
        who, *words = line.split()
        if who == "member":
            self.member(words)
        elif who == "at":
            self.now_ms = int(words[0])
            for node in self.nodes.values():
                node.tick(self.now_ms)
            self.settle()
        elif who == "run":
            self.run()
        elif who == "drop":
            self.undelivered.remove((words[1], int(words[0][1:])))
        else:
            self.act(who, *words)
            self.settle()
        return self.lines

    def member(self, words: list[str]) -> None:
        self_id, of, *rest = words
        assert of == "of", words
        names = [word for word in rest if "=" not in word]
        facts = dict(word.split("=", 1) for word in rest if "=" in word)
        chance = [int(one) for one in facts.pop("chance", "0").split(",")]
        hard_state = HardState(int(facts.pop("term", 0)), facts.pop("vote", None))
        log = MemoryLog(parse_entries(facts.pop("log", "")), int(facts.pop("committed", -1)))
        settings = {field.name: field for field in fields(RaftConfig)}
        changed: dict[str, Any] = {"no_op_on_election": False}
        for key, text in facts.items():
            assert key in settings, key
            if key == "commit_rule":
                changed[key] = CommitRule[text]
            elif key == "preferred_leader_ids":
                changed[key] = tuple(text.split(";"))
            elif text in ("yes", "no"):
                changed[key] = text == "yes"
            else:
                changed[key] = int(text)
        config = RaftConfig.dledger("g", self_id, frozenset(names))
        numbers = FixedChance(number for _ in range(1000) for number in chance)
        self.logs[self_id] = log
        self.nodes[self_id] = Node(
            replace(config, **changed), log, hard_state, numbers, self.now_ms
        )

    def act(self, who: str, verb: str, *words: str) -> None:
        node = self.nodes[who]
        if verb == "<":
            node.step(self.parse_request(who, *words))
        elif verb == "reply":
            request = self.take(who, words[0])
            node.replied(request, self.parse_reply(request, *words[1:]))
        elif verb == "fail":
            node.failed(self.take(who, words[0]))
        elif verb == "propose":
            proposal = node.propose([word.encode() for word in words])
            self.tell(f"{who} proposal {int(proposal.code)} last={proposal.last_index}")
        elif verb == "transfer":
            self.tell(f"{who} transfer {int(node.transfer(words[0]))}")
        elif verb == "loses":
            node.peer_lost(words[0])
        elif verb == "finds":
            node.peer_found(words[0])
        elif verb == "dies":
            del self.nodes[who]
        elif verb == "clean":
            self.logs[who].clean_before(int(words[0]))
        elif verb == "shows":
            marks = " ".join(f"{one}={node.watermark(one)}" for one in node.config.others)
            self.tell(
                f"{who} {node.role.name} term={node.term} vote={told(node.voted_for)}"
                f" leader={told(node.leader_id)} log={node.log.begin_index}..{node.log.end_index}"
                f" committed={node.committed_index} marks {marks}"
            )
        else:
            assert verb == "lax", verb
            self.lax.add(who)

    def take(self, who: str, label: str) -> Request:
        key = who, int(label[1:])
        if key in self.undelivered:
            self.undelivered.remove(key)
        return self.requests[key]

    def parse_request(self, who: str, kind: str, *words: str) -> Request:
        facts = dict(word.split("=", 1) for word in words if "=" in word)
        plain = [word for word in words if "=" not in word]
        sender = plain[plain.index("from") + 1]
        base: Any = {
            "group": facts.get("group", "g"),
            "sender": sender,
            "target": facts.get("target", who),
            "term": int(facts["term"]),
            "leader_id": facts.get("leader", sender),
        }
        if kind == "vote":
            index, term = facts["end"].split("/")
            return Vote(**base, end_index=int(index), end_term=int(term))
        if kind == "beat":
            return HeartBeat(**base)
        if kind == "push":
            return Push(
                **base,
                kind=PushKind(plain[0]),
                entries=parse_entries(facts.get("entries", "")),
                commit_index=int(facts.get("commit", -1)),
                batch="batch" in plain,
            )
        return Transfer(
            **base,
            transfer_id=facts.get("transfer"),
            transferee_id=facts.get("to"),
            take_index=int(facts.get("take", 0)),
        )

    def parse_reply(self, request: Request, verdict: str, *words: str) -> Reply:
        facts = dict(word.split("=", 1) for word in words)
        term = int(facts.get("term", -1))
        if isinstance(request, Vote):
            return VoteReply(VoteResult(verdict), term)
        if isinstance(request, Push):
            begin_index, end_index = facts.get("log", "0..0").split("..")
            return PushReply(
                code=int(verdict),
                term=request.term,
                begin_index=int(begin_index),
                end_index=int(end_index),
            )
        kind = HeartBeatReply if isinstance(request, HeartBeat) else TransferReply
        return kind(code=int(verdict), term=term)

    def settle(self) -> None:
        """Do what the members want done, all but carrying requests and answers."""
        for who, node in self.nodes.items():
            while ready := node.ready():
                if ready.hard_state:
                    state = ready.hard_state
                    self.tell(f"{who} persists term={state.term} vote={told(state.voted_for)}")
                for change in ready.role_changes:
                    self.tell(f"{who} becomes {change.role.name} term={change.term}")
                for request in ready.requests:
                    self.counts[who] = number = self.counts.get(who, 0) + 1
                    self.requests[who, number] = request
                    if request.target in self.nodes:
                        self.undelivered.append((who, number))
                    self.tell(f"{who} asks {request.target} #{number} {request_text(request)}")
                for answer in ready.answers:
                    asker = answer.request.sender
                    self.tell(f"{who} answers {asker} {reply_text(answer.reply)}")
                    if answer.token is not None:
                        assert isinstance(answer.token, tuple)
                        self.owed.append((answer.token, answer.reply))
                for ended in ready.ended:
                    last = ended.proposal.last_index
                    self.tell(f"{who} ended {int(ended.code)} last={last}")
                before = self.counts.get(who + " committed", -1)
                if ready.committed_index != before:
                    self.tell(f"{who} committed {ready.committed_index}")
                    self.counts[who + " committed"] = ready.committed_index
                if who not in self.lax:
                    node.advance(ready)

    def run(self) -> None:
        for _ in range(400):
            if self.owed:
                (asker, of), reply = self.owed.pop(0)
                self.nodes[asker].replied(self.requests[asker, of], reply)
            elif self.undelivered:
                key = self.undelivered.pop(0)
                request = self.requests[key]
                self.nodes[request.target].step(request, key)
            else:
                return
            self.settle()
        raise AssertionError("they never come to rest")


def play(text: str) -> str:
    """The story, with what comes of it now."""
    story, lines = Story(), []
    for line in text.splitlines():
        if line.startswith(" "):
            continue
        lines.append(line)
        if line and not line.startswith("#"):
            try:
                lines += story.happen(line)
            except Exception as error:
                raise AssertionError("\n".join([*lines, *story.lines, repr(error)])) from error
    return "\n".join(lines) + "\n"


def stories() -> list[Path]:
    """All there are."""
    return sorted(FOLDER.glob("*.txt"))


if __name__ == "__main__" and "--rewrite" in sys.argv:
    for path in [one for one in stories() if one.stem.startswith(tuple(sys.argv[2:]) or "")]:
        path.write_text(play(path.read_text()))
