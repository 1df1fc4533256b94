from codec.headers import pop
from codec.headers.fields import decode_header
from codec.headers.tests.java import check_module


def test_fields_are_javas():
    check_module(pop)


def test_order_left_out_or_null_is_no_order():
    text = {"consumerGroup": "g", "topic": "t"}

    assert decode_header(pop.PopMessageRequestHeader, text).order is False
    assert decode_header(pop.PopMessageRequestHeader, text | {"order": None}).order is False
