"""A client of the broker: one group's member on one connection."""

from codec.bodies.clients import Connection
from codec.codes import LanguageCode
from rmq.remoting.channel import Channel


class Client:
    """A producer or consumer that has sent a heartbeat."""

    __slots__ = ("channel", "client_id", "heard_ms", "language", "version")

    def __init__(
        self,
        channel: Channel,
        client_id: str,
        language: str = LanguageCode.JAVA.name,
        version: int = 0,
        heard_ms: int = 0,
    ) -> None:
        """``language``: name of LanguageCode; ``version``: an ordinal; ``heard_ms``: monotonic."""
        self.channel = channel
        self.client_id = client_id
        self.language = language
        self.version = version
        self.heard_ms = heard_ms

    def connection(self) -> Connection:
        """The client as operators are shown it."""
        return Connection(
            client_addr=self.channel.remote_address,
            client_id=self.client_id,
            language=self.language,
            version=self.version,
        )

    def __repr__(self) -> str:
        return f"{self.client_id}@{self.channel.remote_address}"
