"""DLedger: the Raft core with its wire format, its files, and what runs it."""
