"""Chance of a simulated world: one seed, and for each purpose numbers of its own.

Numbers are split by name, so that another message on the network does not change which machine
fails next: a run stays recognisable while the code under it is being mended.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


class Dice:
    """A ``Chance``; the same seed and name give the same numbers. SplitMix64."""

    __slots__ = ("_name", "_state")

    def __init__(self, seed: int, name: str = "") -> None:
        self._name = f"{seed}/{name}"
        digest = blake2b(self._name.encode(), digest_size=8).digest()
        self._state = int.from_bytes(digest, "big")

    def split(self, name: str) -> "Dice":
        """Dice of their own for a purpose; these are not thrown by it."""
        return Dice(0, f"{self._name}/{name}")

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit - 1``; ``limit`` is 1 or more."""
        self._state = state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ (mixed >> 31)) % limit

    def between(self, least: int, most: int) -> int:
        """A number from ``least`` to ``most``, both included."""
        return least + self.below(most - least + 1)

    def one_in(self, count: int) -> bool:
        """True once in ``count`` times on average; never if ``count`` is 0."""
        return count > 0 and self.below(count) == 0

    def pick(self, choices: Sequence[T]) -> T:
        """One of ``choices``, which are not empty."""
        return choices[self.below(len(choices))]
