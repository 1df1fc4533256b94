import pytest
from hypothesis import given
from hypothesis import strategies as st

from codec.codes import ResponseCode
from codec.command import encode_response
from codec.frame import JSON
from codec.headers.fields import Int64, ResponseHeader, ext_fields_of
from codec.headers.pull import PullMessageResponseHeader
from codec.headers.send import SendMessageResponseHeader
from codec.templates import ResponseTemplate

INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
PLAIN = st.text("0123456789ABCDEFabcxyz", min_size=1, max_size=60)


@given(PLAIN, INT32, INT64, PLAIN, INT32)
def test_a_filled_template_is_what_the_ordinary_writer_writes(
    msg_id, queue_id, queue_offset, transaction_id, opaque
):
    template = ResponseTemplate(
        SendMessageResponseHeader,
        {"msg_id": "%b", "queue_id": "%d", "queue_offset": "%d", "transaction_id": "%b"},
        {"MSG_REGION": "Default%Region", "TRACE_ON": "true"},
    )
    header = SendMessageResponseHeader(
        msg_id=msg_id,
        queue_id=queue_id,
        queue_offset=queue_offset,
        transaction_id=transaction_id,
    )

    filled = template.frame(
        msg_id.encode(), queue_id, queue_offset, transaction_id.encode(), opaque
    )

    fields = ext_fields_of(header) | {"MSG_REGION": "Default%Region", "TRACE_ON": "true"}
    assert filled == encode_response(JSON, opaque, 0, None, fields)


@given(INT64, INT64, INT64, INT64, INT32, st.binary(max_size=300))
def test_a_body_follows_the_header(suggested, begin, low, high, opaque, body):
    template = ResponseTemplate(
        PullMessageResponseHeader,
        dict.fromkeys(
            ("suggest_which_broker_id", "next_begin_offset", "min_offset", "max_offset"), "%d"
        ),
        code=ResponseCode.PULL_NOT_FOUND,
        remark='"quoted" \u00e9',
    )
    header = PullMessageResponseHeader(
        suggest_which_broker_id=suggested,
        next_begin_offset=begin,
        min_offset=low,
        max_offset=high,
    )

    pieces = [body[:5], body[5:], b""]
    filled = template.frame_of(pieces, len(body), suggested, begin, low, high, opaque)

    fields = ext_fields_of(header)
    assert filled == encode_response(JSON, opaque, 19, '"quoted" \u00e9', fields, body)


class Offset(ResponseHeader, frozen=True, kw_only=True):
    offset: Int64


@pytest.mark.parametrize("fields", [{}, {"offset": "%d", "other": "%d"}])
def test_a_template_must_have_the_fields_of_its_header(fields):
    with pytest.raises(ValueError, match="Offset cannot be written"):
        ResponseTemplate(Offset, fields)


@given(st.integers(0, 2**63 - 1))
def test_a_form_may_say_more_than_the_value(number):
    template = ResponseTemplate(Offset, {"offset": "1%016d"})

    filled = template.frame(number, 7)

    assert filled == encode_response(JSON, 7, 0, None, {"offset": f"1{number:016d}"})
