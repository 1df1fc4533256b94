"""What a program of ``Steady.java`` says, line by line."""

from abc import ABC, abstractmethod


class Heard(ABC):
    """What its lines come to; the last one is ``end``."""

    has_ended = False

    def take(self, line: str) -> None:
        """One line.

        :raises ValueError: none that the program says.
        """
        words = line.split()
        if words == ["end"]:
            self.has_ended = True
        else:
            self.understand(line, words)

    @abstractmethod
    def understand(self, line: str, words: list[str]) -> None:
        """A line that is not its end.

        :raises ValueError: none that the program says.
        """
