"""What ``scripts/takeover`` is made of: the pair of brokers, the steps of a change, the consumer.

Servers and their wire client are those of ``compat-tests/system``, producer and checker those of
``scripts/failoverlib``.
"""

from scripts.failoverlib import ROOT

__all__ = ["ROOT"]
