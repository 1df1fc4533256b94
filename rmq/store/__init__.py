"""The message store: no I/O of its own, no threads, no clock."""
