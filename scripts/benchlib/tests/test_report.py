"""Tests of verdicts and tables."""

import io

from rich.console import Console

from scripts.benchlib import cases, footprint, report, rounds, servers

SEND, *_OTHERS, ROUTE = cases.CASES


def side(*costs, steady=True):
    return rounds.Side([rounds.Round(cost, 1e6 / cost, 1.0, 2.0) for cost in costs], 2, steady)


def row(case, ours, java):
    return report.Row(case, {"rmq": side(ours), "java": side(java)})


def small(**changed):
    figures = {
        "start_seconds": [0.5, 9.0, 0.6],
        "idle_bytes": 40_000_000,
        "connection_bytes": 4_000.0,
        "connections_held": 10_000,
        "heartbeat_seconds": 1.0,
    }
    return footprint.Footprint(**{**figures, **changed})


def test_bars_compare_java_with_ours():
    rows = [row(SEND, 10.0, 25.0), row(ROUTE, 10.0, 29.0), row(cases.CASES[1], 10.0, 1.0)]

    verdicts = [(bar.name, bar.met) for bar in report.bars(rows, None)]

    assert verdicts == [("send128-pipelined", True), ("route", False)]


def test_without_java_there_is_no_ratio():
    alone = report.Row(SEND, {"rmq": side(1.0)})

    assert alone.ratio is None
    assert list(report.bars([alone], None)) == []


def test_bars_of_the_footprint_name_what_is_too_much():
    good = list(report.bars([], small()))
    bad = list(
        report.bars(
            [],
            small(
                start_seconds=[1.1],
                idle_bytes=70_000_001,
                connection_bytes=10_001.0,
                connections_held=9_999,
            ),
        )
    )

    assert all(bar.met for bar in good)
    assert not any(bar.met for bar in bad)


def test_report_shows_every_case_and_bar():
    written = io.StringIO()
    rows = [row(SEND, 10.0, 25.0), report.Row(ROUTE, {"rmq": side(3.0, steady=False)})]
    verdicts = list(report.bars(rows, small(idle_bytes=1)))

    report.show(Console(file=written, width=100), rows, verdicts)
    report.show(Console(file=written, width=100), [], [])

    shown = written.getvalue()
    assert "2.50" in shown
    assert "3.0 (0%) ~" in shown
    assert "dev-idle" in shown


def test_json_holds_every_round():
    figures = report.as_json({}, [row(SEND, 10.0, 25.0)], small(), [])

    assert figures["cases"][0]["rmq"]["rounds"][0]["cpu_us"] == 10.0
    assert figures["footprint"]["idle_bytes"] == 40_000_000
    assert report.as_json({}, [], None, [])["footprint"] is None


def test_machine_is_described():
    described = report.machine(servers.ROOT)

    assert {"date", "commit", "processor", "python", "java"} <= described.keys()
