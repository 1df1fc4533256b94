from pathlib import Path

import pytest

from codec.errors import CodecError
from rmq.controller import events
from rmq.controller.events import (
    AlterSyncStateSetEvent,
    ApplyBrokerIdEvent,
    ElectMasterEvent,
    build_event,
    parse_event,
)

ROWS = [
    line.split("\t")
    for line in Path(__file__).with_name("java_events.tsv").read_text().splitlines()[1:]
]


@pytest.mark.parametrize(("name", "digits"), ROWS)
def test_what_java_wrote_is_read_and_written_letter_for_letter(name, digits):
    entry = bytes.fromhex(digits)

    event = parse_event(entry)

    assert isinstance(event, getattr(events, name))
    assert build_event(event) == entry


def test_an_id_is_read_with_all_it_says():
    event = parse_event(
        b'\0\x02{"brokerAddress":"h:1","brokerName":"a","clusterName":"c",'
        b'"newBrokerId":2,"registerCheckCode":"h:1;17"}'
    )

    assert event == ApplyBrokerIdEvent(
        broker_address="h:1",
        broker_name="a",
        cluster_name="c",
        new_broker_id=2,
        register_check_code="h:1;17",
    )


def test_java_escapes_brackets_and_controls_with_capital_digits():
    event = ElectMasterEvent(broker_name="a(b)<\x0b\x7f\u2028\\u000b>")

    text = build_event(event)[2:]

    assert text == (
        b'{"brokerName":"a\\u0028b\\u0029\\u003C\\u000B\\u007F\\u2028\\\\u000b\\u003E",'
        b'"eventType":"ELECT_MASTER_EVENT","newMasterElected":false}'
    )
    assert parse_event(b"\0\x03" + text) == event


@pytest.mark.parametrize(
    "entry", [b"\0", b"\0\x04{}", b"\0\x07{}", b"\xff\xff", b"\0\x01", b"\0\x01[", b"\0\x01{}"]
)
def test_what_is_no_event_is_refused(entry):
    with pytest.raises(CodecError):
        parse_event(entry)


def test_a_set_without_members_has_none():
    assert parse_event(b'\0\x01{"brokerName":"a"}') == AlterSyncStateSetEvent(broker_name="a")
