"""What goes wrong when bytes from outside are read."""


class CodecError(ValueError):
    """Bytes that are not what the format says. The only exception that outside bytes can cause.

    Its text says what was expected and what came. Whoever reads a connection closes it.
    """
