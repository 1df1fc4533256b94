"""Tests of what several commands take as arguments."""

import argparse

import pytest

from scripts.commandlib.options import positive, some_of


def test_a_positive_number_begins_at_1():
    assert positive("7") == 7
    for text in ("0", "-1", "x", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="expected a number from 1"):
            positive(text)


def test_names_are_chosen_from_a_list():
    read = some_of(("kill", "stop"))

    assert read("stop,kill") == ("stop", "kill")
    with pytest.raises(argparse.ArgumentTypeError, match="'x', expected some of kill, stop"):
        read("x,kill")
