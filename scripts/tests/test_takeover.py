"""What may be asked of scripts/takeover."""

import pytest

from scripts import takeover


def test_without_arguments_both_kinds_run():
    options = takeover.parser().parse_args([])

    assert options.kinds == ("classic", "controller")
    assert options.rate == 400


def test_one_kind_may_be_chosen():
    assert takeover.parser().parse_args(["--kinds", "controller"]).kinds == ("controller",)


@pytest.mark.parametrize("arguments", [["--kinds", "x"], ["--rate", "0"], ["--seconds", "-1"]])
def test_what_makes_no_sense_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        takeover.parser().parse_args(arguments)

    assert "expected" in capsys.readouterr().err
