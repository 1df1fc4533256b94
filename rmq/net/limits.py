"""What the system allows this process."""

import resource

DESCRIPTORS_WANTED = 1 << 20
"""Asked for where the system sets no limit at all."""


def raise_descriptor_limit() -> int:
    """Allow as many open files and connections as this user may; gives the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, DESCRIPTORS_WANTED)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted
