"""What ``scripts/soak`` is made of: plan, ledger, workers, reading, checker.

The clients are those of ``compat-tests/system``, which share no code with the servers.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "compat-tests" / "system"))
