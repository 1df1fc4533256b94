"""Tests of what the rounds come to."""

import io
import json

import pytest
from rich.console import Console

from scripts.failoverlib.checker import check
from scripts.failoverlib.figures import (
    Round,
    as_json,
    failures,
    lost_by_fault,
    spread,
    spreads,
    table,
)
from scripts.failoverlib.ledger import Ack

ROUNDS = [
    Round("kill", 10.0, registered_s=0.5, acknowledged_s=0.6),
    Round("kill", 20.0, registered_s=0.3, acknowledged_s=0.4),
    Round("controller", 30.0, led_s=6.0),
]


def test_nine_tenths_do_not_exceed_p90():
    tens = spread([float(number) for number in range(10, 0, -1)])

    assert (tens.count, tens.median, tens.p90, tens.longest) == (10, 5.5, 9.0, 10.0)
    assert spread([3.0]).p90 == 3.0


def test_each_fault_has_the_times_that_apply():
    found = spreads([*ROUNDS, Round("kill", 40.0, failure="no new master")])

    assert list(found) == ["kill", "controller"]
    assert list(found["kill"]) == ["registered_s", "acknowledged_s"]
    assert found["kill"]["registered_s"].median == pytest.approx(0.4)
    assert found["controller"]["led_s"].longest == 6.0


def test_what_did_not_happen_in_time_is_counted():
    late = Round("hang", 1.0, failure="a new master: not within 60 s")

    assert failures([*ROUNDS, late, late]) == {"hang: a new master: not within 60 s": 2}


def test_a_lost_message_counts_for_the_round_in_which_it_was_acknowledged():
    lost = [Ack(at, 0, 0, "a:1") for at in (1.0, 9.0, 15.0, 99.0)]

    assert lost_by_fault(ROUNDS, lost) == {"kill": [2, 1], "controller": [1]}


def test_the_table_shows_times_and_losses():
    out = io.StringIO()
    verdict = check([Ack(1.0, 0, 0, "a:1")], {})

    Console(file=out, width=120).print(table("title", ROUNDS, verdict))
    Console(file=out, width=120).print(table("no check", ROUNDS, None))

    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert "kill new master at the NameServer 2 0.400 0.500 0.500 1" in lines
    assert "kill new master at the NameServer 2 0.400 0.500 0.500" in lines
    assert "controller new Controller leader 1 6.000 6.000 6.000 0" in lines


@pytest.mark.parametrize("rounds", [ROUNDS, []])
def test_json_has_every_round(rounds):
    verdict = check([Ack(1.0, 0, 0, "a:1")], {})

    text = json.dumps(as_json({"cpu": "x"}, {"mode": "all"}, rounds, verdict, True, {"x": 1}))

    told = json.loads(text)
    assert len(told["rounds"]) == len(rounds)
    assert told["check"]["lost"] == 1
    assert as_json({}, {}, rounds, None, None, {})["check"] is None
