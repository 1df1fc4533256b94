"""Replication streams: a slave follows its master on a TCP port of its own, without frames."""
