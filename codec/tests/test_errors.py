from codec.errors import CodecError, HeaderError


def test_errors_of_bytes_are_errors_of_values() -> None:
    assert issubclass(HeaderError, CodecError)
    assert issubclass(CodecError, ValueError)


def test_a_wrong_field_is_of_no_command_until_that_is_known() -> None:
    error = HeaderError("topic is missing", field="topic")

    assert (error.field, error.code, error.opaque, error.flag) == ("topic", 0, 0, 0)


def test_a_wrong_field_becomes_one_of_its_command() -> None:
    error = HeaderError("topic is missing", field="topic").of(310, 7, 2)

    assert (str(error), error.field) == ("topic is missing", "topic")
    assert (error.code, error.opaque, error.flag) == (310, 7, 2)
