"""Defaults that follow from the machine: its name, address, home and number of processors.

Each is a pair: the text that the documentation shows, and the rule.
"""

from rmq.conf.settings import MachineRule

Default = tuple[str, MachineRule]

HOST_NAME: Default = ("the host's name", lambda machine: machine.host_name)
ADDRESS: Default = ("the host's address", lambda machine: machine.address)
ROCKETMQ_HOME: Default = (
    "$ROCKETMQ_HOME",
    lambda machine: machine.environment.get("ROCKETMQ_HOME", ""),
)
NAMESRV_ADDR: Default = (
    "$NAMESRV_ADDR",
    lambda machine: machine.environment.get("NAMESRV_ADDR", ""),
)

EVERY_PROCESSOR: Default = ("processors", lambda machine: machine.processors)
UP_TO_4_THREADS: Default = ("processors, 4 at most", lambda machine: min(machine.processors, 4))
UP_TO_32_THREADS: Default = ("processors, 32 at most", lambda machine: min(machine.processors, 32))
MANY_THREADS: Default = ("16 + 2 * processors", lambda machine: 16 + 2 * machine.processors)
QUERY_THREADS: Default = ("8 + processors", lambda machine: 8 + machine.processors)
TRANSACTION_THREADS: Default = (
    "the larger of 8 + 2 * processors and 4 * processors",
    lambda machine: max(8 + 2 * machine.processors, 4 * machine.processors),
)


def home(path: str) -> Default:
    """A path under the home directory of the user who starts the server."""
    return f"$HOME/{path}", lambda machine: f"{machine.home}/{path}"
