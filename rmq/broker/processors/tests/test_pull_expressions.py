import pytest

from codec.bodies.heartbeat import SubscriptionData
from codec.bodies.topics import TopicConfig
from codec.codes import ResponseCode
from rmq.broker.processors.tests.pulls import SUSPEND, a_scene, bodies, join, pull, refusal
from rmq.store.messages import PutMessage


def sql(text="a > 1", version=5, **fields):
    return SubscriptionData(
        topic="T", sub_string=text, sub_version=version, expression_type="SQL92", **fields
    )


def put_numbers(scene, *numbers, topic="T", more=b""):
    for number in numbers:
        scene.store.put(PutMessage(topic, 0, b"%d" % number, b"a\x01%d\x02" % number + more))


def test_expression_of_the_request_filters():
    scene = a_scene(enablePropertyFilter=True)
    put_numbers(scene, 1, 2, 0, 3)

    answer = pull(scene, subscription="a > 1", expression_type="SQL92")

    assert bodies(answer) == [b"2", b"3"]
    assert answer.ext_fields["nextBeginOffset"] == "4"


@pytest.mark.parametrize(
    ("text", "kind", "cause"),
    [
        ("a >", "SQL92", "character 4: expected a name, a value, or '(', found the end"),
        (None, "SQL92", "character 1: expected a name, a value, or '(', found the end"),
        ("a > 1", "SQL93", "character 1: expression type 'SQL93', expected TAG or SQL92"),
    ],
)
def test_expression_of_the_request_that_cannot_be_used_is_refused(text, kind, cause):
    scene = a_scene(enablePropertyFilter=True)

    answer = pull(scene, subscription=text, expression_type=kind)

    assert refusal(answer) == (
        ResponseCode.SUBSCRIPTION_PARSE_FAILED,
        None,
        f"parse the consumer's subscription failed, {cause}",
    )


def test_expression_of_the_heartbeat_filters():
    scene = a_scene(enablePropertyFilter=True)
    put_numbers(scene, 1, 2, 0, 3)
    join(scene, sql())

    assert bodies(pull(scene, sys_flag=0)) == [b"2", b"3"]


def test_nothing_that_the_expression_wants_lets_the_client_go_on_at_once():
    scene = a_scene(enablePropertyFilter=True)
    put_numbers(scene, 0, 1)
    join(scene, sql())

    answer = pull(scene, sys_flag=SUSPEND)

    assert (answer.code, answer.remark) == (
        ResponseCode.PULL_RETRY_IMMEDIATELY,
        "NO_MATCHED_MESSAGE",
    )
    assert answer.ext_fields["nextBeginOffset"] == "2"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a >", "character 4: expected a name, a value, or '(', found the end"),
        ("a > 1", "No heartbeat with it came yet"),
    ],
)
def test_expression_that_was_not_registered_is_refused_with_the_cause(text, cause):
    scene = a_scene(enablePropertyFilter=True)
    join(scene, sql("a >"))
    scene.consumers.get("g").subscriptions["T"] = sql(text)

    answer = pull(scene, sys_flag=0)

    assert answer.code == ResponseCode.FILTER_DATA_NOT_EXIST
    assert answer.remark.endswith(f"Your expression may be wrong! {cause}")


def test_older_expression_than_the_clients_is_refused():
    scene = a_scene(enablePropertyFilter=True)
    join(scene, sql(version=4))
    scene.consumers.get("g").subscriptions["T"] = sql(version=5)

    answer = pull(scene, sys_flag=0)

    assert refusal(answer) == (
        ResponseCode.FILTER_DATA_NOT_LATEST,
        None,
        "the consumer's consumer filter data not latest",
    )


def test_filter_class_with_an_expression_takes_all():
    scene = a_scene(enablePropertyFilter=True)
    put_numbers(scene, 1, 2)
    join(scene, sql(class_filter_mode=True))

    assert bodies(pull(scene, sys_flag=0)) == [b"1", b"2"]


@pytest.mark.parametrize(("as_at_first", "expected"), [(True, [b"2"]), (False, [b"1", b"2"])])
def test_retries_may_be_judged_as_they_were_at_first(as_at_first, expected):
    scene = a_scene(enablePropertyFilter=True, filterSupportRetry=as_at_first)
    topic = "%RETRY%g"
    scene.topics.update(TopicConfig(topic_name=topic))
    put_numbers(scene, 1, 2, topic=topic, more=b"RETRY_TOPIC\x01T\x02")
    join(scene, sql())

    answer = pull(scene, topic=topic, subscription="a > 0", expression_type="SQL92")

    assert bodies(answer) == expected


def test_held_pull_is_answered_by_a_message_that_the_expression_wants():
    scene = a_scene(enablePropertyFilter=True)
    put_numbers(scene, 0)
    join(scene, sql())
    assert pull(scene, sys_flag=SUSPEND, queue_offset=1) is None

    put_numbers(scene, 1)
    scene.clock.advance(0)
    assert scene.peer.replies == []
    put_numbers(scene, 2)
    scene.clock.advance(0)

    (answer,) = scene.peer.replies
    assert bodies(answer) == [b"2"]


def test_held_pull_is_answered_by_a_message_of_which_nothing_is_known():
    scene = a_scene(enablePropertyFilter=True)
    put_numbers(scene, 0)
    join(scene, sql())
    pull(scene, sys_flag=SUSPEND, queue_offset=1)

    scene.waiting.arrived("T", 0, 2)

    assert len(scene.peer.replies) == 1
