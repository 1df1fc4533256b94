import pytest

from codec.codes import RequestCode
from codec.headers.registry import HEADERS
from codec.headers.tests.java import fields_in_java, table

ROWS = table("codes.tsv")


def name_of(header_class):
    return "none" if header_class is None else header_class.__name__


def test_no_code_is_missing():
    assert set(HEADERS) == {int(row[0]) for row in ROWS} == set(RequestCode)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_a_code_has_the_headers_java_gives_it(row):
    code, _, _, request, response = row

    assert name_of(HEADERS[int(code)].request) == request
    assert name_of(HEADERS[int(code)].response) == response


def test_every_class_of_the_table_of_fields_is_used():
    used = {name_of(header) for pair in HEADERS.values() for header in pair}

    assert used - {"none"} == set(fields_in_java())
