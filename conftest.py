"""How Hypothesis searches: without deadlines, for machines differ; in CI always the same examples.

Nightly runs and developers' machines search further each time.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")
