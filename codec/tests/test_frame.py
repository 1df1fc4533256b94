"""Frames: the declaration and its twins, and streams cut at any place."""

import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import CodecError
from codec.frame import FRAME, JSON, ROCKETMQ, Frame, FrameBuffer, build_frame, parse_frame

FRAMES = st.builds(Frame, st.sampled_from([JSON, ROCKETMQ]), st.binary(), st.binary())


def prefix(length, encoding, header_length):
    return length.to_bytes(4, signed=length < 0) + bytes([encoding]) + header_length.to_bytes(3)


BROKEN = [
    pytest.param(prefix(3, JSON, 0), id="length below 4"),
    pytest.param(prefix(0, JSON, 0), id="length 0"),
    pytest.param(prefix(-1, JSON, 0), id="negative length"),
    pytest.param(prefix(-(2**31), JSON, 0), id="most negative length"),
    pytest.param(prefix(16_777_213, JSON, 2), id="one byte more than the limit"),
    pytest.param(prefix(10, JSON, 7), id="header one byte longer than its frame"),
    pytest.param(prefix(10, JSON, 0xFFFFFF), id="longest header in a short frame"),
    pytest.param(prefix(10, 2, 2), id="encoding 2"),
    pytest.param(prefix(10, 255, 2), id="encoding 255"),
]


@given(FRAMES)
def test_twins_write_what_the_declaration_writes(frame):
    built = FRAME.build(frame._asdict())

    assert build_frame(*frame) == built
    assert parse_frame(built) == frame
    parsed = FRAME.parse(built)
    assert (parsed.encoding, parsed.header, parsed.body) == frame


MESSED = st.builds(
    lambda frame, at, bit, tail: _flip(build_frame(*frame), at, bit) + tail,
    FRAMES,
    st.integers(0, 9),
    st.integers(0, 7),
    st.binary(max_size=3),
)


def _flip(data, at, bit):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


@given(st.binary(max_size=24) | MESSED)
def test_of_any_bytes_the_twin_takes_only_what_the_declaration_builds_back(data):
    try:
        frame = parse_frame(data)
    except CodecError:
        with pytest.raises(ConstructError):
            FRAME.parse(data)
    else:
        assert FRAME.build(frame._asdict()) == data


@given(st.lists(FRAMES, max_size=6), st.data())
def test_a_stream_gives_the_same_frames_however_it_is_cut(frames, data):
    stream = b"".join(build_frame(*frame) for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    buffer = FrameBuffer()

    given_frames = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        given_frames += buffer.feed(stream[start:end])

    assert given_frames == frames
    assert all(type(frame) is Frame for frame in given_frames)
    assert buffer.pending == 0


def test_a_stream_of_single_bytes_is_cut_too():
    stream = build_frame(JSON, b"{}", b"body") + build_frame(ROCKETMQ, b"x")
    buffer = FrameBuffer()

    frames = [frame for byte in stream for frame in buffer.feed(bytes([byte]))]

    assert frames == [Frame(JSON, b"{}", b"body"), Frame(ROCKETMQ, b"x")]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_frame_that_cannot_be_right_is_refused_at_its_eighth_byte(broken):
    at_once, in_pieces = FrameBuffer(), FrameBuffer()

    with pytest.raises(CodecError):
        at_once.feed(broken)
    assert in_pieces.feed(broken[:5]) == []
    with pytest.raises(CodecError):
        in_pieces.feed(broken[5:])
    assert at_once.pending == in_pieces.pending == 0


@pytest.mark.parametrize("broken", BROKEN)
def test_frames_before_a_broken_one_are_given_and_then_the_buffer_refuses(broken):
    buffer = FrameBuffer()

    assert buffer.feed(build_frame(JSON, b"{}") + broken) == [Frame(JSON, b"{}")]

    with pytest.raises(CodecError):
        buffer.check()
    with pytest.raises(CodecError):
        buffer.feed(b"")


def test_a_broken_frame_after_a_finished_one_is_refused_alike():
    whole = build_frame(JSON, b"{}", b"body")
    buffer = FrameBuffer()
    buffer.check()

    assert buffer.feed(whole[:9]) == []
    assert buffer.feed(whole[9:] + prefix(3, JSON, 0)) == [Frame(JSON, b"{}", b"body")]
    with pytest.raises(CodecError):
        buffer.check()


def test_the_longest_frame_netty_takes_is_taken():
    buffer = FrameBuffer(frame_max=100)

    assert buffer.feed(build_frame(JSON, b"{}", bytes(90))) == [Frame(JSON, b"{}", bytes(90))]
    with pytest.raises(CodecError, match="at most 96"):
        buffer.feed(build_frame(JSON, b"{}", bytes(91)))


def test_memory_is_bounded_by_what_was_received():
    buffer = FrameBuffer()

    buffer.feed(prefix(16_777_212, JSON, 2))

    assert buffer.pending == 8
    buffer.feed(bytes(1000))
    assert buffer.pending == 1008


def test_a_big_frame_in_many_pieces_is_collected():
    body = bytes(range(256)) * 16_000
    whole = build_frame(JSON, b"{}", body)
    buffer = FrameBuffer()

    pieces = [whole[at : at + 1024] for at in range(0, len(whole), 1024)]
    frames = [frame for piece in pieces for frame in buffer.feed(piece)]

    assert frames == [Frame(JSON, b"{}", body)]


@pytest.mark.parametrize("data", [b"", bytes(7), prefix(8, JSON, 2) + b"{}x", b"x" * 20])
def test_what_is_not_one_frame_is_refused(data):
    with pytest.raises(CodecError):
        parse_frame(data)


def test_what_cannot_be_framed_is_refused():
    with pytest.raises(CodecError):
        build_frame(2, b"")
    with pytest.raises(CodecError):
        build_frame(JSON, bytes(0x1000000))
