"""The protocol's numbers against the table of codes that Java's sources give."""

from pathlib import Path

import pytest

from codec.codes import (
    CURRENT_VERSION,
    ONEWAY_FLAG,
    RESPONSE_FLAG,
    LanguageCode,
    RequestCode,
    ResponseCode,
)

TABLE = Path(__file__).parent.parent / "headers" / "tests" / "codes.tsv"


def test_request_codes_are_those_of_the_table():
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()[1:]]

    assert {code.name: code.value for code in RequestCode} == {row[1]: int(row[0]) for row in rows}
    assert len(rows) == len(RequestCode) == 158


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (ResponseCode.SUCCESS, 0),
        (ResponseCode.REQUEST_CODE_NOT_SUPPORTED, 3),
        (ResponseCode.FLUSH_SLAVE_TIMEOUT, 12),
        (ResponseCode.INVALID_PARAMETER, 29),
        (ResponseCode.POLLING_TIMEOUT, 210),
        (ResponseCode.GO_AWAY, 1500),
        (ResponseCode.CONTROLLER_NOT_LEADER, 2007),
        (ResponseCode.RPC_TIME_OUT, -1006),
    ],
)
def test_response_codes_have_rocketmqs_values(code, value):
    assert code == value


def test_every_response_code_is_there_once():
    assert len(ResponseCode) == 66


def test_languages_are_numbered_without_gaps():
    assert [language.value for language in LanguageCode] == list(range(14))
    assert LanguageCode.GO == 9


def test_flag_bits_and_version_are_those_of_5_3_3():
    assert (RESPONSE_FLAG, ONEWAY_FLAG, CURRENT_VERSION) == (1, 2, 479)
