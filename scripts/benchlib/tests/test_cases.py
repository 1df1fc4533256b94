"""Tests of choosing cases."""

import pytest

from scripts.benchlib import cases


def test_cases_are_chosen_by_how_their_names_begin():
    sends, with_footprint, with_slave = cases.chosen("send128, foot")

    assert [case.name for case in sends] == ["send128-pipelined", "send128-depth1"]
    assert with_footprint
    assert not with_slave
    assert cases.chosen("slave") == ([], False, True)
    assert cases.chosen(None) == (cases.CASES, True, True)


@pytest.mark.parametrize("only", ["nothing", "", "send,,route"])
def test_choice_that_begins_no_name_is_refused(only):
    with pytest.raises(ValueError, match="there are send128-pipelined"):
        cases.chosen(only)


def test_transaction_may_cost_what_it_costs_java():
    (transaction,), with_footprint, _ = cases.chosen("transaction")

    assert transaction.mode == "transaction"
    assert transaction.role == "broker"
    assert transaction.ratio_bar == 1.0
    assert not with_footprint


def test_every_case_has_its_topic_made():
    assert {case.settings["topic"] for case in cases.CASES} == set(cases.TOPICS)
