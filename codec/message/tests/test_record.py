import struct
from zlib import crc32

import pytest
from construct import ConstructError
from hypothesis import given
from hypothesis import strategies as st

from codec.errors import CodecError
from codec.message import record as module
from codec.message.properties import PROPERTIES_MAX, find
from codec.message.record import (
    BLANK,
    MAGIC_V1,
    MAGIC_V2,
    RECORD,
    Blank,
    Outline,
    Record,
    body_checksum,
    has_true_seal,
    pack_blank,
    pack_record,
    parse_outline,
    parse_record,
    read_head,
    record_size,
    reserve_crc,
    seal,
)
from codec.message.sysflag import with_hosts
from codec.tests.golden_files import files, record_at, vectors

int32s = st.integers(-(1 << 31), (1 << 31) - 1)
int64s = st.integers(-(1 << 63), (1 << 63) - 1)
hosts = st.binary(min_size=8, max_size=8) | st.binary(min_size=20, max_size=20)
topics = st.binary(max_size=9) | st.binary(min_size=126, max_size=130)


@st.composite
def arguments(draw):
    born_host, store_host = draw(hosts), draw(hosts)
    return {
        "body": draw(st.binary(max_size=40)),
        "topic": draw(topics),
        "properties": draw(st.binary(max_size=40)),
        "queue_id": draw(int32s),
        "flag": draw(int32s),
        "queue_offset": draw(int64s),
        "position": draw(int64s),
        "sys_flag": with_hosts(draw(int32s), born_host, store_host),
        "born_timestamp": draw(int64s),
        "born_host": born_host,
        "store_timestamp": draw(int64s),
        "store_host": store_host,
        "reconsume_times": draw(int32s),
        "prepared_transaction_offset": draw(int64s),
    }


def plain(**changed):
    return {
        "body": b"body",
        "topic": b"T",
        "properties": b"k\x01v\x02",
        "queue_id": 1,
        "flag": 2,
        "queue_offset": 3,
        "position": 4,
        "sys_flag": 0,
        "born_timestamp": 5,
        "born_host": b"bornhost",
        "store_timestamp": 6,
        "store_host": b"storhost",
        "reconsume_times": 7,
        "prepared_transaction_offset": 8,
    } | changed


def declared(magic, fields):
    checked = {"body_crc": crc32(fields["body"]) & 0x7FFFFFFF} | fields
    return RECORD.build({"magic": magic} | checked)


def without_sizes(record):
    names = set(record.__struct_fields__) - {"total_size", "magic"}
    return {name: getattr(record, name) for name in names}


def rebuilt(record):
    return RECORD.build({name: getattr(record, name) for name in record.__struct_fields__})


def test_every_record_of_java_is_read_and_packed_again():
    read = 0
    for path in files("commitlog/*"):
        data, offset = path.read_bytes(), 0
        while any(data[offset : offset + 4]):
            record = parse_record(data, offset, len(data))
            if isinstance(record, Blank):
                assert offset + record.remaining == len(data)
                assert pack_blank(record.remaining) == data[offset : offset + 8]
                assert BLANK.parse(data[offset:]).remaining == record.remaining
                break
            whole = data[offset : offset + record.total_size]
            assert record.position == int(path.name) + offset
            assert pack_record(**without_sizes(record)) == whole
            assert rebuilt(record) == RECORD.build(RECORD.parse(whole)) == whole
            assert has_true_seal(whole) is ("crcprop" in str(path))
            offset += record.total_size
            read += 1
    assert read == 13


@given(arguments())
def test_declaration_and_twin_agree_on_records(fields):
    magic = MAGIC_V1 if len(fields["topic"]) <= 127 else MAGIC_V2
    data = declared(magic, fields)

    assert pack_record(**fields) == data
    body_size, topic_size, properties_size = map(
        len, (fields["body"], fields["topic"], fields["properties"])
    )
    assert record_size(body_size, topic_size, properties_size, fields["sys_flag"]) == len(data)
    record = record_at(b"before" + data + b"after", 6)
    assert without_sizes(record) == fields | {"body_crc": body_checksum(fields["body"])}
    assert (record.total_size, record.magic) == (len(data), magic)
    assert rebuilt(record) == data


@given(arguments(), st.data())
def test_of_broken_bytes_the_twin_takes_only_what_the_declaration_builds_back(fields, data):
    whole = pack_record(**fields)
    at = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(at, min(at + 8, len(whole))))
    broken = whole[:at] + data.draw(st.binary(max_size=8)) + whole[end:]
    try:
        record = parse_record(broken, 0, len(broken), check_crc=False)
    except CodecError:
        return

    assert isinstance(record, Blank) or rebuilt(record) == broken[: record.total_size]


@given(st.binary(max_size=200), st.integers(-5, 210), st.integers(-5, 210))
def test_any_bytes_are_a_record_or_a_codec_error(data, offset, limit):
    for magic in (b"", b"\xda\xa3\x20\xa7", b"\xda\xa3\x20\xab", b"\xcb\xd4\x31\x94"):
        for read in (parse_record, read_head):
            try:
                read(data[:4] + magic + data[4:], offset, limit)
            except CodecError:
                continue


def test_a_record_of_version_2_with_a_short_topic_is_read():
    data = declared(MAGIC_V2, plain())

    assert rebuilt(record_at(data)) == data


@pytest.mark.parametrize("size", range(len(pack_record(**plain()))))
def test_a_cut_record_is_refused(size):
    data = pack_record(**plain())

    with pytest.raises(CodecError):
        parse_record(data, 0, size)
    with pytest.raises(CodecError):
        parse_record(data[:size], 0, len(data))


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        (0, ">i", 99),
        (0, ">i", 101),
        (0, ">i", -1),
        (0, ">i", 90),
        (4, ">I", 0),
        (36, ">i", 0x10),
        (36, ">i", 0x30),
        (84, ">i", -1),
        (84, ">i", 0x7FFFFFFF),
        (84, ">i", 8),
        (92, ">b", -1),
        (92, ">b", 127),
        (92, ">b", 2),
        (94, ">h", -1),
        (94, ">h", 3),
        (94, ">h", 5),
    ],
)
def test_a_false_length_is_refused(at, form, value):
    data = bytearray(pack_record(**plain()) + bytes(20))
    struct.pack_into(form, data, at, value)

    with pytest.raises(CodecError):
        parse_record(data, 0, len(data))
    with pytest.raises(ConstructError):
        RECORD.parse(data)


def test_a_record_that_ends_inside_its_ipv6_hosts_is_refused():
    data = pack_record(**plain(body=b"", topic=b"", properties=b"", sys_flag=0))
    data = data[:36] + struct.pack(">i", 0x30) + data[40:]

    with pytest.raises(CodecError, match="fixed part"):
        parse_record(data, 0, len(data))


@pytest.mark.parametrize("at", [3, 4, 8, 39, 87, 92, 95])
def test_an_error_holds_no_view_of_the_buffer(at):
    data = bytearray(pack_record(**plain()))
    data[at] ^= 48
    with pytest.raises(CodecError) as caught:
        parse_record(data, 0, len(data))

    data.append(0)  # refused while a view is held

    assert caught.value.__traceback__ is not None


def test_a_body_with_another_checksum_is_refused_if_asked():
    data = pack_record(**plain(body_crc=1))

    with pytest.raises(CodecError, match="checksum"):
        parse_record(data, 0, len(data))
    assert record_at(data, check_crc=False).body_crc == 1


def test_the_checksum_of_an_empty_body_is_not_looked_at():
    data = pack_record(**plain(body=b"", body_crc=1))

    assert record_at(data).body_crc == 1


def test_hosts_that_the_system_flag_denies_are_a_broken_invariant():
    with pytest.raises(AssertionError):
        pack_record(**plain(born_host=bytes(20)))


def test_properties_have_a_limit():
    assert len(pack_record(**plain(properties=bytes(PROPERTIES_MAX)))) == 96 + PROPERTIES_MAX
    with pytest.raises(AssertionError):
        pack_record(**plain(properties=bytes(PROPERTIES_MAX + 1)))


def outline_or_error(data, offset, limit):
    try:
        return parse_outline(data, offset, limit)
    except CodecError:
        return CodecError


def less(record):
    """What an outline has of a record."""
    if not isinstance(record, Record):
        return record
    return Outline(*(getattr(record, name) for name in Outline.__struct_fields__))


@given(arguments(), st.integers(0, 9), st.integers(-5, 5))
def test_an_outline_says_the_same_as_the_whole(fields, offset, more):
    data = bytes(offset) + pack_record(**fields)
    expected = less(parse_record(data, offset, len(data)))

    assert parse_outline(data, offset, len(data)) == expected
    assert parse_outline(bytearray(data), offset, len(data)) == expected
    assert outline_or_error(data, offset, len(data) + more) == (
        CodecError if more < 0 else expected
    )


@given(arguments(), st.data())
def test_of_broken_bytes_an_outline_is_what_the_whole_would_be(fields, data):
    whole = pack_record(**fields)
    at = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(at, min(at + 8, len(whole))))
    broken = whole[:at] + data.draw(st.binary(max_size=8)) + whole[end:]
    try:
        expected = less(parse_record(broken, 0, len(broken), check_crc=False))
    except CodecError:
        expected = CodecError

    assert outline_or_error(broken, 0, len(broken)) == expected


@pytest.mark.parametrize(
    ("at", "form", "value"),
    [
        (0, ">i", -1),
        (0, ">i", 1 << 20),
        (4, ">I", 7),
        (36, ">i", -1),
        (84, ">i", -1),
        (84, ">i", 1 << 20),
        (92, ">B", 128),
        (92, ">B", 127),
        (-12, ">h", -1),
        (-12, ">h", 9),
    ],
)
def test_an_outline_with_a_false_length_is_refused(at, form, value):
    data = bytearray(pack_record(**plain(topic=b"T", properties=b"0123456789")))
    struct.pack_into(form, data, at, value)

    assert outline_or_error(data, 0, len(data)) is CodecError


def test_the_outline_of_a_blank_is_the_blank():
    assert parse_outline(pack_blank(9), 0, 8) == Blank(9)


@given(arguments())
def test_the_head_says_the_same_as_the_whole(fields):
    data = pack_record(**fields)
    record = parse_record(data, 0, len(data))

    head = read_head(b"before" + data, 6, 6 + len(data))

    assert head._asdict() == {name: getattr(record, name) for name in head._fields}


def test_the_head_of_a_blank_is_refused():
    with pytest.raises(CodecError, match="magic"):
        read_head(pack_blank(100) + bytes(92), 0, 100)


@pytest.mark.parametrize(("offset", "limit"), [(-1, 200), (7, 97), (0, 90)])
def test_a_head_outside_of_what_may_be_read_is_refused(offset, limit):
    with pytest.raises(CodecError, match="head"):
        read_head(pack_record(**plain()), offset, limit)


def test_a_head_that_the_buffer_cuts_is_refused():
    with pytest.raises(CodecError, match="head"):
        read_head(pack_record(**plain())[:60], 0, 91)


@given(st.integers(-(1 << 31), (1 << 31) - 1))
def test_declaration_and_twin_agree_on_blanks(remaining):
    data = BLANK.build({"remaining": remaining, "magic": module.MAGIC_BLANK})

    assert pack_blank(remaining) == data
    assert parse_record(data, 0, 8) == Blank(remaining)


def test_a_sealed_record_is_true_until_a_byte_changes():
    properties = reserve_crc(b"__CRC32#\x010123456789\x02TAGS\x01A")
    record = seal(pack_record(**plain(properties=properties)))

    assert len(record) == len(pack_record(**plain(properties=properties)))
    assert has_true_seal(record)
    assert find(record_at(record).properties, b"TAGS") == b"A"
    for at in range(len(record)):
        changed = record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]
        assert not has_true_seal(changed)


def test_only_a_seal_is_reserved_where_there_are_no_properties():
    assert reserve_crc(b"") == bytes(20)


def test_a_record_without_seal_has_no_true_one():
    assert not has_true_seal(pack_record(**plain()))
    assert not has_true_seal(b"short")


def test_the_digits_of_a_seal_are_those_of_java():
    for checksum, expected in vectors("crc"):
        assert module.crc_property(int(checksum)).hex() == expected
