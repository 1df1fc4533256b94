"""What ``scripts/bench`` is made of: processes, servers, load, rounds, report.

Its few questions to a master are asked by the client of ``compat-tests/system``.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "compat-tests" / "system"))
