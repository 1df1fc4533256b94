"""What Java wrote for each body class."""

from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from codec import fastjson
from codec.bodies import decode_body, encode_body

GOLDEN = Path(__file__).parent / "golden"
ODD = 'é"\\ü\t\x01/<'
"""What every recorded text ends with."""

T = TypeVar("T", bound=Struct)


def recorded(name: str) -> bytes:
    """The text of a class of Java."""
    return (GOLDEN / f"{name}.json").read_bytes()


def read_recorded(cls: type[T]) -> T:
    """Java's object, after asserting that we write it as Java does, and read what we write."""
    text = recorded(cls.__name__)
    body = decode_body(cls, text)
    assert fastjson.dumps_bare(body) == text
    assert decode_body(cls, encode_body(body)) == body
    return body
