import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmq.store.record_properties import properties_at
from rmq.store.tests.stores import BORN_HOST, LONG_TOPIC, a_disk, message, opened

PROPERTIES = b"a\x016\x02"
V6_HOST = b"6" * 20


def stored(**fields):
    store = opened(a_disk(), commit_log_file_size=65_536, **fields.pop("settings", {}))
    result = store.put(message(properties=PROPERTIES, **fields))
    return store, result.position, result.size


@pytest.mark.parametrize("topic", ["T", LONG_TOPIC])
@pytest.mark.parametrize("body", [b"", b"x", b"x" * 30_000])
@pytest.mark.parametrize("born_host", [BORN_HOST, V6_HOST])
@pytest.mark.parametrize("settings", [{}, {"store_host": V6_HOST}])
def test_properties_of_any_record_are_found(topic, body, born_host, settings):
    store, position, size = stored(topic=topic, body=body, born_host=born_host, settings=settings)

    assert properties_at(store._log, position, size) == PROPERTIES


def test_where_no_record_is_there_are_none():
    store, position, size = stored()

    assert properties_at(store._log, position + size, size) is None
    assert properties_at(store._log, position, 87) is None


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (84, -1),
        (84, 2**31 - 1),
        (36, 0x30),  # IPv6 hosts, of which the record is too short
    ],
)
def test_record_that_is_broken_has_none(at, value):
    store, position, size = stored(body=b"")
    struct.pack_into(">i", store._log.memory, position + at, value)

    assert properties_at(store._log, position, min(size, 100)) is None


@given(st.binary(min_size=20, max_size=20), st.integers(0, 80))
def test_no_bytes_are_an_error(data, at):
    store, position, size = stored(body=b"x" * 20)
    store._log.memory[position + at : position + at + 20] = data

    properties_at(store._log, position, size)
