"""How often and how much was put and got; plain counters that only grow."""


class StoreStats:
    """Source: StoreStatsService.java, 5.3.3 (the counters that runtime info shows)."""

    __slots__ = (
        "get_bytes",
        "get_messages",
        "get_times_found",
        "get_times_miss",
        "put_bytes",
        "put_failed_times",
        "put_times",
        "start_ms",
    )

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms
        self.put_times = 0
        self.put_bytes = 0
        self.put_failed_times = 0
        self.get_times_found = 0
        self.get_times_miss = 0
        self.get_messages = 0
        self.get_bytes = 0
