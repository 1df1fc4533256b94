"""Settings that RocketMQ does not have."""

from dataclasses import dataclass

from rmq.conf.settings import setting


@dataclass(frozen=True, slots=True)
class RmqConfig:
    """What only this server knows; a Java broker ignores these keys."""

    advertise: str = setting(
        "",
        "the broker's address in route answers: empty, brokerIP1; auto, the address by which the "
        "asking client reached this server; else this address",
    )
    inMemory: bool = setting(False, "keep the store in memory only: it is gone after the end")
    failoverProfile: str = setting(
        "default",
        "how soon a hanging master is noticed: default, with RocketMQ's times, or fast, which "
        "shortens those that the configuration does not give",
        choices=("default", "fast"),
    )
    unfinishedFrameTimeoutMs: int = setting(
        30_000,
        "a connection is closed when a frame begun, or an answer not read, stays so for this long "
        "while nothing else is finished",
        unit="ms",
        minimum=100,
    )
