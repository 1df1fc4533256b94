"""Tests of choosing cases."""

import pytest

from scripts.benchlib import cases


def test_cases_are_chosen_by_how_their_names_begin():
    sends, with_footprint = cases.chosen("send128, foot")

    assert [case.name for case in sends] == ["send128-pipelined", "send128-depth1"]
    assert with_footprint
    assert cases.chosen(None) == (cases.CASES, True)


@pytest.mark.parametrize("only", ["nothing", "", "send,,route"])
def test_choice_that_begins_no_name_is_refused(only):
    with pytest.raises(ValueError, match="there are send128-pipelined"):
        cases.chosen(only)
