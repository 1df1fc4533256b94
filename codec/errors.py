"""What goes wrong when bytes from outside are read.

::

    CodecError         the bytes are not what the format says: close the connection
     +-- HeaderError   a well-formed command whose header field is missing or wrong: answer it
"""


class CodecError(ValueError):
    """Bytes that are not what the format says. The only exception that outside bytes can cause.

    Its text says what was expected and what came. Whoever reads a connection closes it.
    """


class HeaderError(CodecError):
    """A command that could be read, but whose ext fields do not make the header its code asks for.

    Carries what an answer needs; ``opaque``, ``code`` and ``flag`` are 0 until the command is
    known.
    """

    def __init__(
        self, message: str, *, field: str, code: int = 0, opaque: int = 0, flag: int = 0
    ) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.opaque = opaque
        self.flag = flag

    def of(self, code: int, opaque: int, flag: int) -> "HeaderError":
        """Give the same refusal as one of a certain command."""
        return HeaderError(str(self), field=self.field, code=code, opaque=opaque, flag=flag)
