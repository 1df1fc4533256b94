"""RocketMQ's bytes into values and back, and nothing else: no sockets, files, clocks or threads.

Usable alone. Whatever the bytes, the only exception they can cause is ``codec.errors.CodecError``.
"""
