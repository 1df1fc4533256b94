"""Commands in any order, against what Apache's Controller of 5.3.3 decided in the same situation.

``java_decisions.jsonl`` was recorded from its ReplicasInfoManager, step by step: who lives (epoch,
offset, priority by ``name/id``), a command, its code, header, body and events, which then applied.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from codec.bodies import decode_body
from codec.bodies.controller import BrokerReplicasInfo, ElectMasterResponseBody, SyncStateSet
from codec.headers.controller import (
    AlterSyncStateSetRequestHeader,
    ApplyBrokerIdRequestHeader,
    CleanControllerBrokerDataRequestHeader,
    ElectMasterRequestHeader,
    GetNextBrokerIdRequestHeader,
    GetReplicaInfoRequestHeader,
    RegisterBrokerToControllerRequestHeader,
)
from codec.headers.fields import ext_fields_of
from rmq.controller.commands import Commands, Outcome
from rmq.controller.events import build_event, parse_event
from rmq.controller.heartbeats import LiveBroker
from rmq.controller.state import State
from rmq.remoting.testing import FakeChannel

RECORDED = Path(__file__).with_name("java_decisions.jsonl")
CHANNEL = FakeChannel()
BODIES = {
    "alter": SyncStateSet,
    "elect": ElectMasterResponseBody,
    "register": SyncStateSet,
    "info": SyncStateSet,
    "data": BrokerReplicasInfo,
}


class World:
    """Who lives, what is set, and the tables."""

    def __init__(self) -> None:
        self.live: dict[str, list[int]] = {}
        self.unclean = False
        self.state = State()
        self.commands = Commands(self.state, self, lambda: self.unclean)

    def alive(self, cluster: str | None, broker_name: str, broker_id: int) -> bool:
        return cluster == "C" and f"{broker_name}/{broker_id}" in self.live

    def get(self, cluster: str | None, broker_name: str, broker_id: int) -> LiveBroker | None:
        epoch, offset, priority = self.live[f"{broker_name}/{broker_id}"]
        return LiveBroker(
            heard_ms=0,
            lease_ms=1,
            channel=CHANNEL,
            epoch=epoch,
            max_offset=offset,
            priority=priority,
        )

    def run(self, step: dict[str, Any]) -> Outcome:
        commands, args = self.commands, step["args"]
        run: dict[str, Callable[[], Outcome]] = {
            "apply": lambda: commands.apply_broker_id(ApplyBrokerIdRequestHeader(**args)),
            "next": lambda: commands.next_broker_id(GetNextBrokerIdRequestHeader(**args)),
            "elect": lambda: commands.elect_master(ElectMasterRequestHeader(**args)),
            "alter": lambda: commands.alter_sync_state_set(
                AlterSyncStateSetRequestHeader(**args),
                SyncStateSet(
                    sync_state_set=set(step["set"]), sync_state_set_epoch=step["set_epoch"]
                ),
            ),
            "register": lambda: commands.register_broker(
                RegisterBrokerToControllerRequestHeader(**args)
            ),
            "info": lambda: commands.replica_info(GetReplicaInfoRequestHeader(**args)),
            "data": lambda: commands.sync_state_data(step["names"]),
            "clean": lambda: commands.clean_broker_data(
                CleanControllerBrokerDataRequestHeader(**args)
            ),
        }
        return run[step["command"]]()


def steps() -> Iterator[dict[str, Any]]:
    yield from map(json.loads, RECORDED.read_text(encoding="utf-8").splitlines())


def test_every_decision_is_java_s() -> None:
    world = World()
    decided = 0

    for number, step in enumerate(steps()):
        if "live" in step:
            world.live = step["live"]
            continue
        if "unclean" in step:
            world.unclean = step["unclean"]
            continue
        entries = [step["type"].to_bytes(2, "big") + text.encode() for text in step["events"]]
        known = world.state.known(step["args"].get("broker_name"))
        outcome = world.run(step)

        assert outcome.code == step["code"], (number, step, outcome)
        header = {} if outcome.header is None else ext_fields_of(outcome.header)
        assert header == step["header"], (number, step)
        if step["body"]:
            cls = BODIES[step["command"]]
            assert sorted_body(cls, outcome.body) == sorted_body(cls, step["body"].encode())
        else:
            assert not outcome.body
        if not nobody_to_lose(step, known):
            assert [build_event(event) for event in outcome.events] == entries, (number, step)
        for entry in entries:
            world.state.apply(parse_event(entry))
        decided += 1
    assert decided == 610


def sorted_body(cls: type[Any], text: bytes) -> Any:
    """A body whose replicas are in the order of their ids, which Java leaves to its hash table."""
    body = decode_body(cls, text)
    if isinstance(body, BrokerReplicasInfo):
        for info in body.replicas_info_table.values():
            info.in_sync_replicas.sort(key=lambda replica: replica.broker_id)
            info.not_in_sync_replicas.sort(key=lambda replica: replica.broker_id)
    return body


def nobody_to_lose(step: dict[str, Any], known: Any) -> bool:
    """Where Java says again that a set without a master has none, on purpose not done here."""
    return step["code"] == 2004 and known.sync.master_id is None
