import runpy
import sys

import pytest


def test_module_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["rmq", "--help"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("rmq", run_name="__main__")

    assert ended.value.code == 0
    assert "broker" in capsys.readouterr().out
