"""What ``scripts/faults`` is made of: menu, injection, clients, what they saw, checkers.

Networks, options and the stock clients are those of ``scripts/failover``, groups and the wire
client those of ``compat-tests/system``, which share no code with the servers.
"""

from scripts import failoverlib

ROOT = failoverlib.ROOT
