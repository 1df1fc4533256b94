"""Replication in controller mode: what a slave and its master say on the HA port.

A slave introduces itself with a handshake; the master answers with its epochs, so that the slave
finds up to where both logs are the same. From then on the slave reports how far its log reaches,
and the master sends pieces of the log, each of one epoch, and how much of it is confirmed. Every
frame begins with the state its sender is in. Source: AutoSwitchHAClient.java and
AutoSwitchHAConnection.java, 5.3.3.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from construct import Const, ExprValidator, GreedyRange, Int16sb, Int32sb, Int64sb, OneOf, obj_
from construct import Struct as Declaration

from codec.disk.epoch import EpochStart
from codec.errors import CodecError

HANDSHAKE: Final = 1
TRANSFER: Final = 2
"""States, as the first number of each frame. Source: HAConnectionState.java, 5.3.3."""

EPOCHS_MAX: Final = 1000
"""Epochs in one answer. Source: AutoSwitchHAConnection.java, handShakeBuffer, 5.3.3."""

FLAG = OneOf(Int16sb, (0, 1))
NOT_NEGATIVE_64 = ExprValidator(Int64sb, obj_ >= 0)
NOT_NEGATIVE_32 = ExprValidator(Int32sb, obj_ >= 0)
OR_NONE_64 = ExprValidator(Int64sb, obj_ >= -1)
OR_NONE_32 = ExprValidator(Int32sb, obj_ >= -1)

GREETING = Declaration(
    "state" / Const(HANDSHAKE, Int32sb),
    "from_last_file" / FLAG,  # syncFromLastFile: if empty, begin with the master's last file
    "is_learner" / FLAG,  # asyncLearner: a copy that never counts
    "broker_id" / NOT_NEGATIVE_64,
)
"""From a slave, first. Source: AutoSwitchHAClient.java, sendHandshakeHeader(), 5.3.3."""

REPORT = Declaration(
    "state" / Const(TRANSFER, Int32sb),
    "position" / NOT_NEGATIVE_64,  # where the slave's log ends; 0 when it has none
)
"""From a slave, from then on. Source: AutoSwitchHAClient.java, reportSlaveOffset(), 5.3.3."""

EPOCHS_HEADER = Declaration(
    "state" / Const(HANDSHAKE, Int32sb),
    "size" / NOT_NEGATIVE_32,  # bytes of the epochs that follow
    "end" / NOT_NEGATIVE_64,  # where the master's log ends
    "last_epoch" / OR_NONE_32,  # -1 when there is none
)
"""The master's answer. Source: AutoSwitchHAConnection.java, buildHandshakeBuffer(), 5.3.3."""

EPOCHS = GreedyRange(Declaration("epoch" / NOT_NEGATIVE_32, "start_position" / NOT_NEGATIVE_64))
"""What follows that header: epochs ascend, their starts never descend."""

CHUNK_HEADER = Declaration(
    "state" / Const(TRANSFER, Int32sb),
    "size" / NOT_NEGATIVE_32,  # bytes that follow, of one file and epoch; 0 in a heartbeat
    "position" / OR_NONE_64,  # of the first byte; in a heartbeat the next one's, -1 if unknown
    "epoch" / NOT_NEGATIVE_32,  # theirs; Java's last chunk of an epoch carries the next one already
    "epoch_start" / NOT_NEGATIVE_64,  # where that epoch begins
    "confirmed" / OR_NONE_64,  # all below is in the logs of the whole SyncStateSet
)
"""From the master, before each piece of the log.

Source: AutoSwitchHAConnection.java, buildTransferHeaderBuffer(), 5.3.3.
"""

GREETING_SIZE: Final = 16
REPORT_SIZE: Final = 12
EPOCHS_HEADER_SIZE: Final = 20
EPOCH_SIZE: Final = 12
CHUNK_HEADER_SIZE: Final = 36
STATE_SIZE: Final = 4

_STATE: Final = struct.Struct(">i")
_GREETING: Final = struct.Struct(">ihhq")
_REPORT: Final = struct.Struct(">iq")
_EPOCHS_HEADER: Final = struct.Struct(">iiqi")
_EPOCH: Final = struct.Struct(">iq")
_CHUNK_HEADER: Final = struct.Struct(">iiqiqq")


class Greeting(NamedTuple):
    """Who a slave is, and what it wants."""

    from_last_file: bool
    is_learner: bool
    broker_id: int


class EpochsHeader(NamedTuple):
    """How many bytes of epochs follow, and how far the master is."""

    size: int
    end: int
    last_epoch: int


class ChunkHeader(NamedTuple):
    """What comes next of the commit log."""

    size: int
    position: int
    epoch: int
    epoch_start: int
    confirmed: int


def parse_state(data: bytes) -> int:
    """The state with which a frame begins.

    :raises CodecError: fewer than 4 bytes, or neither ``HANDSHAKE`` nor ``TRANSFER``.
    """
    if len(data) < STATE_SIZE:
        raise CodecError(f"state of {len(data)} bytes, expected {STATE_SIZE}")
    (state,) = _STATE.unpack_from(data)
    if state not in (HANDSHAKE, TRANSFER):
        raise CodecError(f"{state=}, expected {HANDSHAKE} or {TRANSFER}")
    return int(state)


def pack_greeting(greeting: Greeting) -> bytes:
    """Twin of ``GREETING.build``."""
    return _GREETING.pack(HANDSHAKE, *greeting)


def parse_greeting(data: bytes) -> Greeting:
    """Twin of ``GREETING.parse``.

    :raises CodecError: not 16 bytes, not its state, a flag that is none, or a negative id.
    """
    _check_size("greeting", data, GREETING_SIZE)
    state, from_last_file, is_learner, broker_id = _GREETING.unpack(data)
    _check_state(state, HANDSHAKE)
    if not 0 <= from_last_file <= 1 or not 0 <= is_learner <= 1 or broker_id < 0:
        raise CodecError(f"greeting with {from_last_file=}, {is_learner=}, {broker_id=}")
    return Greeting(bool(from_last_file), bool(is_learner), broker_id)


def pack_report(position: int) -> bytes:
    """Twin of ``REPORT.build``."""
    return _REPORT.pack(TRANSFER, position)


def parse_report(data: bytes) -> int:
    """Twin of ``REPORT.parse``; gives the position.

    :raises CodecError: not 12 bytes, not its state, or a negative position.
    """
    _check_size("report", data, REPORT_SIZE)
    state, position = _REPORT.unpack(data)
    _check_state(state, TRANSFER)
    if position < 0:
        raise CodecError(f"report of {position=}, expected 0 or more")
    return int(position)


def pack_epochs(epochs: Sequence[EpochStart], end: int) -> bytes:
    """The master's whole answer: twin of ``EPOCHS_HEADER.build`` and ``EPOCHS.build``.

    Of more than ``EPOCHS_MAX`` epochs the last ones: those decide.
    """
    told = epochs[-EPOCHS_MAX:]
    last_epoch = told[-1].epoch if told else -1
    header = _EPOCHS_HEADER.pack(HANDSHAKE, len(told) * EPOCH_SIZE, end, last_epoch)
    return header + b"".join([_EPOCH.pack(*epoch) for epoch in told])


def parse_epochs_header(data: bytes) -> EpochsHeader:
    """Twin of ``EPOCHS_HEADER.parse``, that takes only so many epochs as there may be.

    :raises CodecError: not 20 bytes, not its state, a negative number, or a size that is none.
    """
    _check_size("header of epochs", data, EPOCHS_HEADER_SIZE)
    state, *rest = _EPOCHS_HEADER.unpack(data)
    _check_state(state, HANDSHAKE)
    header = EpochsHeader(*rest)
    if header.size < 0 or header.size % EPOCH_SIZE or header.size > EPOCHS_MAX * EPOCH_SIZE:
        raise CodecError(f"{header}, expected up to {EPOCHS_MAX} epochs of {EPOCH_SIZE} bytes")
    if header.end < 0 or header.last_epoch < -1:
        raise CodecError(f"{header}, expected nothing negative")
    return header


def parse_epochs(data: bytes) -> list[EpochStart]:
    """Twin of ``EPOCHS.parse``, that takes them in their order only.

    :raises CodecError: a part of an epoch, a negative number, or epochs in another order.
    """
    if len(data) % EPOCH_SIZE:
        raise CodecError(f"epochs of {len(data)} bytes, expected a multiple of {EPOCH_SIZE}")
    epochs: list[EpochStart] = []
    last_epoch, last_start = -1, 0
    for epoch, start in _EPOCH.iter_unpack(data):
        if epoch <= last_epoch or start < last_start:
            raise CodecError(f"epoch {epoch}-{start} after {last_epoch}-{last_start}")
        epochs.append(EpochStart(epoch, start))
        last_epoch, last_start = epoch, start
    return epochs


def pack_chunk_header(header: ChunkHeader) -> bytes:
    """Twin of ``CHUNK_HEADER.build``."""
    return _CHUNK_HEADER.pack(TRANSFER, *header)


def parse_chunk_header(data: bytes) -> ChunkHeader:
    """Twin of ``CHUNK_HEADER.parse``.

    :raises CodecError: not 36 bytes, not its state, or a negative number.
    """
    _check_size("chunk header", data, CHUNK_HEADER_SIZE)
    state, *rest = _CHUNK_HEADER.unpack(data)
    _check_state(state, TRANSFER)
    header = ChunkHeader(*rest)
    if min(header.size, header.epoch, header.epoch_start) < 0:
        raise CodecError(f"{header}, expected nothing negative")
    if min(header.position, header.confirmed) < -1:
        raise CodecError(f"{header}, expected positions of -1 or more")
    return header


def _check_size(what: str, data: bytes, expected: int) -> None:
    if len(data) != expected:
        raise CodecError(f"{what} of {len(data)} bytes, expected {expected}")


def _check_state(state: int, expected: int) -> None:
    if state != expected:
        raise CodecError(f"{state=}, expected {expected}")
