"""A million frames, most of them broken: nothing but CodecError may come out.

Dice are seeded, so a failure comes back; its number is in the message.
"""

from codec.command import decode_command, typed_decoders
from codec.errors import CodecError
from codec.frame import JSON, ROCKETMQ, FrameBuffer, build_frame
from codec.headers.pull import PullMessageRequestHeader
from codec.headers.send import SendMessageRequestHeaderV2
from codec.tests.golden import GOLDEN

FRAMES = 1_000_000
BATCH = 40
_DEEP = b'{"extFields":' + b'{"a":' * 3_000 + b"1" + b"}" * 3_001
_ODD_HEADERS = [
    b"",
    b"[]",
    b"7",
    b'"text"',
    b"null",
    b"{",
    b'{"code":310,"extFields":{"a":"\xff"}}',
    b'{"code":310,"extFields":{"a":["x"],"d":1e999}}',
    b'{"code":310,"extFields":7,"opaque":"x"}',
    b'{"code":99999999999999999999}',
]
_DECODERS = [typed_decoders(SendMessageRequestHeaderV2), typed_decoders(PullMessageRequestHeader)]


class Dice:
    """Chance that is the same in every run: Knuth's linear congruence, its high bits."""

    def __init__(self, seed):
        self._state = seed

    def below(self, limit):
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % limit

    def choice(self, things):
        return things[self.below(len(things))]


def mutants(dice, frames):
    """Endlessly give frames, most of them hurt in one of several ways."""
    while True:
        frame = dice.choice(frames)
        way = dice.below(10)
        at = dice.below(len(frame))
        if way == 0:  # truncated
            yield frame[:at]
        elif way == 1:  # lengths, anywhere in the prefix
            yield dice.below(256).to_bytes() + dice.below(2**24).to_bytes(3) + frame[4:]
        elif way == 2:  # off by one
            length = int.from_bytes(frame[:4]) + dice.choice((-1, 1))
            yield length.to_bytes(4) + frame[4:]
        elif way == 3:  # header longer or shorter than it is
            length = int.from_bytes(frame[5:8]) + dice.choice((-1, 1, 1000))
            yield frame[:5] + (length & 0xFFFFFF).to_bytes(3) + frame[8:]
        elif way == 4:  # no object, broken text, other kinds of values
            yield build_frame(JSON, dice.choice(_ODD_HEADERS), b"body")
        elif way == 5:  # the wrong encoding
            yield frame[:4] + bytes([frame[4] ^ 1]) + frame[5:]
        elif way == 6:  # not UTF-8
            yield frame[:at] + b"\xff" + frame[at + 1 :]
        else:  # one bit
            yield frame[:at] + bytes([frame[at] ^ 1 << dice.below(8)]) + frame[at + 1 :]


def check_stream(pieces, dice):
    """Read hurt frames as one connection would, each also as the first of its own connection.

    Gives how many frames were cut and how many of them decoded.
    """
    cut = decoded = 0
    buffer = FrameBuffer()
    for piece in pieces:
        for stream in (buffer, FrameBuffer()):
            try:
                frames = stream.feed(piece)
            except CodecError:
                if stream is buffer:
                    buffer = FrameBuffer()
                continue
            cut += len(frames)
            decoded += sum(decodes(frame, dice) for frame in frames)
    return cut, decoded


def decodes(frame, dice):
    """Whether a frame's header is one; now and then its generic form is asked too."""
    from_json, from_frame = dice.choice(_DECODERS)
    try:
        if dice.below(5) == 0:
            decode_command(frame)
        if frame.encoding == JSON:
            from_json(frame.header)
        else:
            from_frame(frame)
    except CodecError:
        return False
    return True


def test_broken_frames_only_ever_raise_codec_error():
    dice = Dice(20_260_101)
    hurt = mutants(dice, list(GOLDEN.values()))
    cut = decoded = 0

    for number in range(FRAMES // BATCH):
        pieces = [next(hurt) for _ in range(BATCH)]
        try:
            now_cut, now_decoded = check_stream(pieces, dice)
        except Exception as error:
            raise AssertionError(f"batch {number} raised {error!r}") from error
        cut += now_cut
        decoded += now_decoded

    assert cut > FRAMES * 3 // 4
    assert 0 < decoded < cut


def test_deep_headers_only_ever_raise_codec_error():
    for header in (_DEEP, b"[" * 50_000, b'{"a":[' * 20_000):
        for encoding in (JSON, ROCKETMQ):
            assert check_stream([build_frame(encoding, header)], Dice(1)) == (2, 0)
