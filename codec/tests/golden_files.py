"""Where the recorded bytes are, for the tests of all of codec."""

from pathlib import Path

from codec.message.record import Record, parse_record

GOLDEN = Path(__file__).parent / "golden"
STORES = ("store-plain", "store-crcprop")


def files(pattern: str) -> list[Path]:
    """Files of the recorded stores, by a pattern below a store's root; at least one."""
    found = [path for store in STORES for path in sorted((GOLDEN / store).glob(pattern))]
    assert found
    return found


def vectors(kind: str) -> list[list[str]]:
    """The other columns of one kind of line in java-vectors.tsv; at least one line."""
    lines = (GOLDEN / "java-vectors.tsv").read_text().splitlines()
    found = [line.split("\t")[1:] for line in lines if line.startswith(kind + "\t")]
    assert found
    return found


def pairs(text: str, separator: str = "=") -> list[list[bytes]]:
    """Hexadecimal ``name=value,name=value,`` as bytes."""
    return [
        [bytes.fromhex(part) for part in pair.split(separator)] for pair in text.split(",") if pair
    ]


def record_at(data: bytes, offset: int = 0, *, check_crc: bool = True) -> Record:
    """The record at ``offset``, which is no blank."""
    record = parse_record(data, offset, len(data), check_crc=check_crc)
    assert isinstance(record, Record)
    return record
