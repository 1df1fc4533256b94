"""What several commands of the house take as arguments."""

import argparse
from collections.abc import Callable, Sequence


def positive(text: str) -> int:
    """A number from 1.

    :raises argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number from 1")
    return int(text)


def some_of(names: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """What reads some of ``names``, separated by commas."""

    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        if wrong := [name for name in chosen if name not in names]:
            raise argparse.ArgumentTypeError(f"{wrong[0]!r}, expected some of {', '.join(names)}")
        return chosen

    return read
