import pytest
from construct import Int32ub
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import CodecError
from codec.message import ids
from codec.tests.golden_files import vectors

positions = st.integers(-(1 << 63), (1 << 63) - 1)
hosts = st.one_of(st.binary(min_size=8, max_size=8), st.binary(min_size=20, max_size=20))
ips = st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16))


def test_offset_message_ids_are_those_of_java():
    for ip, port, position, text, decoded in vectors("id"):
        host = bytes.fromhex(ip) + Int32ub.build(int(port))

        assert ids.build_offset_message_id(host, int(position)) == text
        assert ids.parse_offset_message_id(text) == (host, int(decoded))


def test_a_unique_key_of_java_is_read():
    counters = []
    for text, ip, pid in vectors("unique"):
        key = ids.parse_unique_key(text)

        assert key.ip.hex() == ip
        assert key.pid == int(pid)
        assert 0 < key.month_elapsed_ms < 31 * 86400 * 1000
        counters.append(key.counter)
        assert build(key) == text
    assert counters == [0, 1, 2]


def build(key, month_start_ms=0):
    return ids.build_unique_key(
        key.ip,
        pid=key.pid,
        class_loader_hash=key.class_loader_hash,
        month_start_ms=month_start_ms,
        now_ms=month_start_ms + key.month_elapsed_ms,
        counter=key.counter,
    )


@given(hosts, positions)
def test_declaration_and_twin_agree_on_offset_message_ids(host, position):
    declared = ids.OFFSET_MESSAGE_ID if len(host) == 8 else ids.OFFSET_MESSAGE_ID_V6
    data = declared.build({"store_host": host, "position": position})

    assert ids.build_offset_message_id(host, position) == data.hex().upper()
    assert ids.parse_offset_message_id(data.hex()) == (host, position)


@given(ips, st.binary(min_size=12, max_size=12))
def test_declaration_and_twin_agree_on_unique_keys(ip, rest):
    declared = ids.UNIQUE_KEY if len(ip) == 4 else ids.UNIQUE_KEY_V6
    read = declared.parse(ip + rest)

    key = ids.parse_unique_key((ip + rest).hex())

    assert key._asdict() == {name: read[name] for name in ids.UniqueKey._fields}
    assert declared.build(key._asdict()) == ip + rest


def test_a_clock_set_back_a_little_counts_as_the_months_start():
    assert ids.parse_unique_key(build(ids.UniqueKey(bytes(4), 1, 2, -999_999, 3)))[3] == 0
    assert (
        ids.parse_unique_key(build(ids.UniqueKey(bytes(4), 1, 2, -1_000_000, 3)))[3] == -1_000_000
    )


def test_numbers_too_large_are_cut_as_java_cuts_them():
    key = ids.UniqueKey(bytes(4), 0x12345, -1, 1 << 31, 65536)

    assert ids.parse_unique_key(build(key)) == (bytes(4), 0x2345, 0xFFFFFFFF, -(1 << 31), 0)


@pytest.mark.parametrize(
    "text", ["", "0" * 31, "0" * 33, "0" * 28, "g" * 32, "00 " * 10 + "00", "\u0660" * 32]
)
@pytest.mark.parametrize("parse", [ids.parse_offset_message_id, ids.parse_unique_key])
def test_what_is_no_id_is_refused(parse, text):
    with pytest.raises(CodecError):
        parse(text)
