"""JSON bodies of requests and responses, which are also the model of the servers' tables."""

from codec.bodies.body import Body, decode_body, encode_body

__all__ = ["Body", "decode_body", "encode_body"]
