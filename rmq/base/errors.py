"""The errors of the server.

::

    RmqError
     +-- CommandError   an expected refusal: becomes a response with its code and remark
     +-- CallError      a peer failed or did not answer in time
     |    +-- CallTimeoutError   the latter
     +-- StoreError     the disk failed: writing stops, reading goes on
     +-- ConfigError    a setting that cannot be used; the start is refused

``codec.errors.CodecError`` stands apart: broken bytes from outside, the connection is closed.
"""

from codec.codes import ResponseCode


class RmqError(Exception):
    """Anything that rmq itself raises."""


class CommandError(RmqError):
    """A request refused as RocketMQ would; the remark names cause and cure.

    ``ext_fields`` are text fields of the response, where RocketMQ gives some with a refusal.
    """

    def __init__(
        self, code: ResponseCode, remark: str, ext_fields: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{code.name}: {remark}")
        self.code = code
        self.remark = remark
        self.ext_fields = ext_fields


class CallError(RmqError):
    """A request to a peer that was not answered: refused connection, closed, too late."""


class CallTimeoutError(CallError):
    """A request to a peer that is still connected and did not answer in time."""


class StoreError(RmqError):
    """The disk refused or lied; the text says what was tried and the system's own cause."""


class ConfigError(RmqError):
    """A configuration that cannot be used; the text names key, value and cure."""
