"""What ``scripts/bench`` is made of: processes, servers, load, rounds, report."""
