"""What ``scripts/failover`` is made of: network, producer, ledger, rounds, checker, figures.

Groups and their wire client are those of ``compat-tests/system``, which share no code with the
servers; jars and Java programs are those of ``compat-tests``.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "compat-tests"), str(ROOT / "compat-tests" / "system")]
