from codec.headers import send
from codec.headers.fields import ext_fields_of
from codec.headers.tests.java import check_module


def test_fields_are_javas():
    check_module(send)


def test_both_forms_of_sending_read_alike():
    common = {"producer_group": "g", "topic": "t", "default_topic": "TBW102", "queue_id": 1}
    common |= {"default_topic_queue_nums": 4, "sys_flag": 0, "born_timestamp": 5, "flag": 0}
    first = send.SendMessageRequestHeader(**common, bname="b")
    second = send.SendMessageRequestHeaderV2(**common, broker_name="b")

    for name in (*common, "properties", "reconsume_times", "unit_mode", "max_reconsume_times"):
        assert getattr(first, name) == getattr(second, name)
    assert first.broker_name == second.broker_name == "b"
    assert first.batch is second.batch is None


def test_the_second_form_is_written_in_letters():
    header = send.SendMessageRequestHeaderV2(
        producer_group="g",
        topic="t",
        default_topic="TBW102",
        default_topic_queue_nums=4,
        queue_id=3,
        sys_flag=0,
        born_timestamp=7,
        flag=0,
        batch=True,
        broker_name="b",
    )

    text = "a=g b=t c=TBW102 d=4 e=3 f=0 g=7 h=0 m=true n=b"
    assert ext_fields_of(header) == dict(pair.split("=") for pair in text.split())
