"""Messages that come together are stored in one go, and told so as if they had come alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from codec.codes import ResponseCode
from codec.message.batch import BatchItem, pack_batch
from rmq.broker.processors.tests.test_send import PLAIN, SHORT, a_header, a_scene, send

TOGETHER = st.lists(
    st.fixed_dictionaries(
        {
            "topic": st.sampled_from(["T", "T", "T", "U", "bad topic", "RMQ_SYS_TRANS_HALF_TOPIC"]),
            "queue_id": st.sampled_from([0, 0, 1, 2, 9, -1]),
            "properties": st.sampled_from([PLAIN, "WAIT\x01true\x02", "", "CLUSTER\x01x\x02", "x"]),
            "batch": st.sampled_from([None, None, None, True]),
            "flag": st.integers(0, 3),
        }
    ),
    max_size=8,
)
BATCH_OF_TWO = pack_batch([BatchItem(b"1"), BatchItem(b"2")])


@given(TOGETHER)
@settings(max_examples=60)
def test_messages_sent_together_are_stored_and_answered_as_if_sent_alone(together):
    one, other = a_scene(chance=[0] * 20), a_scene(chance=[0] * 20)
    asked = []
    alone = []
    for fields in together:
        body = BATCH_OF_TWO if fields["batch"] else b"hello"
        alone.append(send(one, body, **fields))
        asked.append((a_header(**fields), body))

    answers = other.ask_together(SHORT, asked)

    assert [(a.code, a.remark, a.ext_fields) for a in answers] == [
        (a.code, a.remark, a.ext_fields) for a in alone
    ]
    assert other.store.written_position == one.store.written_position
    end = one.store.written_position
    assert other.store.log_bytes(0, end) == one.store.log_bytes(0, end)


def test_messages_sent_together_wait_for_the_disk_together():
    scene = a_scene(sync_flush=True)

    assert scene.ask_together(SHORT, [(a_header(), b"1"), (a_header(), b"2")]) == []
    scene.clock.advance(0)
    scene.worker.finish()

    assert [(answer.code, answer.opaque) for answer in scene.peer.replies] == [(0, 101), (0, 102)]


def test_of_messages_sent_together_only_those_wait_that_are_to_survive():
    scene = a_scene(sync_flush=True)
    hurried = a_header(properties=PLAIN + "WAIT\x01false\x02")

    (answer,) = scene.ask_together(
        SHORT, [(a_header(), b"1"), (hurried, b"2"), (a_header(), b"3")], oneway=[2]
    )
    assert (answer.code, answer.opaque) == (0, 102)
    scene.clock.advance(0)
    scene.worker.finish()

    assert [(answer.code, answer.opaque) for answer in scene.peer.replies] == [(0, 101)]


def test_messages_sent_together_learn_each_its_place_from_a_disk_that_takes_too_long():
    scene = a_scene(sync_flush=True)
    scene.ask_together(SHORT, [(a_header(), b"1"), (a_header(), b"2")])

    scene.clock.advance(5000)

    assert [
        (answer.code, answer.opaque, answer.ext_fields["queueOffset"])
        for answer in scene.peer.replies
    ] == [
        (ResponseCode.FLUSH_DISK_TIMEOUT, 101, "0"),
        (ResponseCode.FLUSH_DISK_TIMEOUT, 102, "1"),
    ]
