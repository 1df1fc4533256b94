import pytest

from codec.bodies import decode_body, encode_body
from codec.bodies.pop import BatchAck, BatchAckMessageRequestBody
from codec.bodies.tests.recorded import ODD, read_recorded
from codec.errors import CodecError


def test_acknowledgements_are_java_s() -> None:
    assert read_recorded(BatchAckMessageRequestBody) == BatchAckMessageRequestBody(
        acks=[
            BatchAck(
                b=b"\x01\x02",
                c=f"consumerGroup{ODD}",
                it=1700000000013,
                pt=1700000000007,
                q=21,
                r=f"retry{ODD}",
                rq=39,
                so=1700000000011,
                t=f"topic{ODD}",
            )
        ],
        broker_name=f"brokerName{ODD}",
    )


def test_nothing_to_acknowledge_is_an_empty_list() -> None:
    assert encode_body(BatchAckMessageRequestBody()) == b'{"acks":[]}'
    assert decode_body(BatchAck, b"{}").b is None


def test_bits_that_are_no_base64_are_refused() -> None:
    with pytest.raises(CodecError, match="BatchAck"):
        decode_body(BatchAck, b'{"b":"?"}')
