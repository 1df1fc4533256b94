"""How Hypothesis searches: without deadlines, for machines differ; in CI always the same examples.

Nightly runs and developers' machines search further each time. ``--hypothesis-profile=sketch`` is
for measuring what tests reach: the same few examples each time.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "sketch", settings.get_profile("house"), max_examples=12, derandomize=True
)
settings.load_profile("house")
