"""Tests of the document about the protocol."""

from typing import NamedTuple

import msgspec

from codec.codes import RequestCode
from codec.headers.fields import Int32, Int64
from scripts import protocol_doc
from scripts.sources import Handler


class Asked(msgspec.Struct, kw_only=True, rename="camel"):
    queue_id: Int32
    queue_offset: Int64 | None = None
    reply: bool = False
    topic: str


class Empty(msgspec.Struct):
    pass


class Headers(NamedTuple):
    request: type[msgspec.Struct] | None
    response: type[msgspec.Struct] | None


HEADERS = {
    RequestCode.PULL_MESSAGE: Headers(Asked, Empty),
    RequestCode.GET_MAX_OFFSET: Headers(Asked, None),
}
HANDLER = Handler("broker", "PULL_MESSAGE", "rmq/broker/pull.py", 1, "PullProcessor.pull")


def test_a_request_names_its_headers_and_who_answers():
    text = protocol_doc.text(HEADERS, [HANDLER])

    assert "| 11 | PULL_MESSAGE | [Asked](#asked) |  | Broker: `PullProcessor.pull` |" in text
    assert "| 30 | GET_MAX_OFFSET | [Asked](#asked) |  |  |" in text
    assert "| 34 | HEART_BEAT |  |  |  |" in text


def test_a_header_shows_its_fields_once():
    text = protocol_doc.text(HEADERS, [])

    assert text.count("### Asked") == 1
    assert "### Empty" not in text
    assert (
        "`queueId` (int), `queueOffset` (long, optional), `reply` (boolean, optional), "
        "`topic` (String)"
    ) in text


def test_codes_of_responses_and_languages_are_listed():
    text = protocol_doc.text({}, [])

    assert "| 17 | TOPIC_NOT_EXIST |" in text
    assert "| 0 | JAVA |" in text
