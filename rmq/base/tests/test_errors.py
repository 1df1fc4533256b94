import pytest

from codec.codes import ResponseCode
from rmq.base.errors import (
    CallError,
    CallTimeoutError,
    CommandError,
    ConfigError,
    RmqError,
    StoreError,
)


@pytest.mark.parametrize("cls", [CommandError, CallError, StoreError, ConfigError])
def test_every_error_is_one_of_rmq(cls):
    assert issubclass(cls, RmqError)


def test_late_answer_is_no_answer():
    assert issubclass(CallTimeoutError, CallError)


def test_refusal_carries_what_the_response_needs():
    error = CommandError(ResponseCode.NO_PERMISSION, "not here", {"a": "b"})

    assert (error.code, error.remark, error.ext_fields) == (
        ResponseCode.NO_PERMISSION,
        "not here",
        {"a": "b"},
    )
    assert str(error) == "NO_PERMISSION: not here"


def test_refusal_has_no_fields_unless_given():
    assert CommandError(ResponseCode.SYSTEM_ERROR, "why").ext_fields is None
