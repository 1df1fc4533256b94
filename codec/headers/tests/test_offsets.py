from codec.headers import offsets
from codec.headers.fields import decode_header
from codec.headers.tests.java import check_module


def test_fields_are_javas():
    check_module(offsets)


def test_a_maximum_is_that_of_committed_messages_unless_said_otherwise():
    header = decode_header(offsets.GetMaxOffsetRequestHeader, {"topic": "t", "queueId": "0"})

    assert header.committed is True


def test_an_offset_reset_means_all_queues_unless_said_otherwise():
    header = decode_header(offsets.ResetOffsetRequestHeader, {"topic": "t", "group": "g"})

    assert (header.queue_id, header.offset, header.is_force, header.timestamp) == (
        -1,
        None,
        False,
        0,
    )
