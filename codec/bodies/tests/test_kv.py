from codec.bodies import decode_body, encode_body
from codec.bodies.kv import KVConfigSerializeWrapper, KVTable
from codec.bodies.tests.recorded import ODD, read_recorded


def test_a_table_is_java_s() -> None:
    assert read_recorded(KVTable).table == {"table1": f"table{ODD}", "table2": f"table{ODD}"}


def test_name_spaces_are_java_s() -> None:
    tables = read_recorded(KVConfigSerializeWrapper).config_table

    assert tables["configTable1"] == tables["configTable2"]
    assert tables["configTable1"]["configTable2"] == f"configTable{ODD}"


def test_an_empty_table_is_written_and_a_missing_one_is_empty() -> None:
    assert encode_body(KVTable()) == b'{"table":{}}'
    assert decode_body(KVTable, b"{}") == KVTable()


def test_tables_do_not_share_their_defaults() -> None:
    KVTable().table["a"] = "b"

    assert KVTable().table == {}


def test_keys_and_values_that_are_numbers_become_text() -> None:
    assert decode_body(KVTable, b"{table:{1:2,b:true}}").table == {"1": "2", "b": "true"}
