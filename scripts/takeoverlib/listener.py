"""A stock push consumer that goes on through every change; its program is ``Steady.java``."""

from scripts.failoverlib.clients import Running, Steady
from scripts.failoverlib.heard import Heard


class Consumed(Heard):
    """All that ``Steady consume`` said."""

    def __init__(self) -> None:
        self.numbers: dict[int, list[int]] = {}
        """Of each queue, in the order in which the consumer got them."""
        self.offsets: dict[int, int] = {}
        """The last one of each queue."""

    def understand(self, line: str, words: list[str]) -> None:
        """A message that the consumer got.

        :raises ValueError: it says something else.
        """
        what, *values = words
        if what != "consumed":
            raise ValueError(f"{line!r}, expected consumed or end")
        queue, offset, number = map(int, values)
        self.numbers.setdefault(queue, []).append(number)
        self.offsets[queue] = offset


class Listener(Running[Consumed]):
    """Consumes until it is stopped."""

    def __init__(self, steady: Steady, *, poll_ms: int) -> None:
        command = steady.command("consume", poll_ms)
        super().__init__(command, steady.folder / "listener.err", Consumed())

    @property
    def consumed(self) -> Consumed:
        """What it got."""
        return self.heard
