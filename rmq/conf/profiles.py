"""The times of ``failoverProfile=fast``: a master that hangs is replaced within 3 s instead of 15.

They are defaults: what the configuration gives stays. Brokers and Controllers of a cluster should
have the same profile. A heartbeat may be lost five times, and a pause of a second is survived.
"""

from collections.abc import Mapping
from typing import Final

from rmq.conf.settings import Value

FAST_BROKER: Final[Mapping[str, Value]] = {
    "brokerHeartbeatInterval": 250,
    "controllerHeartBeatTimeoutMills": 1_500,
    "syncBrokerMetadataPeriod": 500,
    "syncControllerMetadataPeriod": 1_000,
    "checkSyncStateSetPeriod": 250,
}
"""Of ``BrokerConfig``, milliseconds."""

FAST_STORE: Final[Mapping[str, Value]] = {
    "haSendHeartbeatInterval": 250,
    "haHousekeepingInterval": 1_500,
    "haMaxTimeSlaveNotCatchup": 1_500,
}
"""Of ``MessageStoreConfig``, milliseconds."""

FAST_CONTROLLER: Final[Mapping[str, Value]] = {
    "scanNotActiveBrokerInterval": 100,
    "scanInactiveMasterInterval": 1_000,
}
"""Of ``ControllerConfig``, milliseconds."""


def is_fast(values: Mapping[str, str]) -> bool:
    """Whether the keys that were given choose the profile; a wrong choice is refused elsewhere."""
    return values.get("failoverProfile", "").strip() == "fast"
