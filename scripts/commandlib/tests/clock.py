"""A clock that goes by itself."""


class Clock:
    """Each look at it takes a tenth of a second, and a sleep its time."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        self.now += 0.1
        return self.now

    def sleep(self, seconds):
        self.now += seconds
