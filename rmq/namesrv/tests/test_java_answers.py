"""A conversation recorded with Apache's NameServer 5.3.3, held again with ours.

Each line of java_answers.jsonl is a request and Java's answer, in the order in which they were
made. Lists are compared without their order, which in Java is that of hash tables. Left out are
requests where we differ on purpose: broken ones, which Java answers with a stack trace.
"""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from codec import fastjson
from codec.codes import CURRENT_VERSION, RequestCode
from codec.headers.fields import decode_header, ext_fields_of
from rmq.base.errors import CommandError
from rmq.namesrv.tests.scene import MemoryChannel, Scene

LINES = (Path(__file__).parent / "java_answers.jsonl").read_text().splitlines()


def unordered(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted(map(unordered, value), key=repr)
    return value


def meaning(body: bytes) -> object:
    return unordered(fastjson.loads(body)) if body else None


def our_answer(scene: Scene, asked: dict[str, Any], channel: MemoryChannel) -> dict[str, Any]:
    code = RequestCode(asked["code"])
    fields = asked.get("fields", {})
    body = b64decode(asked["compressed"]) if "compressed" in asked else asked.get("body", "")
    try:
        answer = scene.ask(
            code,
            decode_header(scene.handlers[code].header, fields),
            body.encode() if isinstance(body, str) else body,
            version=asked.get("version", CURRENT_VERSION),
            channel=channel,
            extra=fields,
        )
    except CommandError as refused:
        return {"code": refused.code, "remark": refused.remark}
    scene.clock.advance(0)
    told: dict[str, Any] = {"code": answer.code, "body": answer.body}
    if answer.header is not None:
        told["fields"] = ext_fields_of(answer.header)
    return told


def test_we_answer_as_apaches_name_server_did() -> None:
    scene = Scene()
    channel = MemoryChannel()

    for line in LINES:
        asked = json.loads(line)
        java, ours = asked["answer"], our_answer(scene, asked, channel)

        assert ours["code"] == java["code"], asked["what"]
        assert ours.get("remark") == java.get("remark"), asked["what"]
        assert ours.get("fields", {}) == java.get("fields", {}), asked["what"]
        java_body = java.get("body", "").encode()
        assert meaning(ours.get("body", b"")) == meaning(java_body), asked["what"]
        if asked["code"] == RequestCode.GET_ROUTEINFO_BY_TOPIC and java_body.count(b"perm") == 1:
            assert ours["body"] == java_body, asked["what"]


def test_the_conversation_touches_nearly_every_code() -> None:
    answered = {json.loads(line)["code"] for line in LINES}

    assert set(Scene().handlers) - answered == {
        RequestCode.GET_NAMESRV_CONFIG,
        RequestCode.GET_BROKER_MEMBER_GROUP,
    }
