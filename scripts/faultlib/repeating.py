"""What clients of a group under faults have in common: a thread of their own, and its end."""

import threading
from abc import ABC, abstractmethod

JOIN_MAX_S = 10


class Repeating(ABC):
    """One thread that does the same again and again until it is stopped."""

    def __init__(self, called: str, again_max_s: float = 0) -> None:
        """``called`` names it in errors; ``again_max_s``: what one time may take on top of 10 s."""
        self.failure: BaseException | None = None
        """What ended the thread, if it should not have."""
        self._called = called
        self._join_max_s = again_max_s + JOIN_MAX_S
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @abstractmethod
    def again(self) -> None:
        """Do it once, and pause."""

    def hang_up(self) -> None:  # noqa: B027 - most have nothing open between two times
        """Close what is open; called by the thread when it ends."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way.

        :raises RuntimeError: it had ended by itself, or does not end.
        """
        self._stopping.set()
        self._thread.join(self._join_max_s)
        if self.failure is not None or self._thread.is_alive():
            raise RuntimeError(f"{self._called}: {self.failure or 'does not end'}")

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.again()
        except BaseException as error:  # noqa: BLE001 - told by stop
            self.failure = error
        finally:
            self.hang_up()
