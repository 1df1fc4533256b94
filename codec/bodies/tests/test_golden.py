"""Every body class against what Java wrote for it."""

import importlib
import pkgutil
from typing import Any

import msgspec
import pytest

from codec import bodies, fastjson
from codec.bodies import decode_body, encode_body
from codec.bodies.groups import SubscriptionGroupConfig, SubscriptionGroupWrapper
from codec.bodies.offsets import ConsumerOffsetSerializeWrapper, DelayOffsetSerializeWrapper
from codec.bodies.tests.recorded import GOLDEN, recorded
from codec.bodies.topics import TopicConfigSerializeWrapper

OTHER_TEXT = {"TopicConfigAndQueueMapping", "SubscriptionGroupWrapper"}
"""Written with other order or one key more than Java's class has."""


def body_classes() -> Any:
    modules = [
        importlib.import_module(f"codec.bodies.{module.name}")
        for module in pkgutil.iter_modules(bodies.__path__)
        if module.name != "tests"
    ]
    return {
        name: item
        for module in modules
        for name, item in vars(module).items()
        if isinstance(item, type) and issubclass(item, msgspec.Struct)
    }


CLASSES = body_classes()
NAMES = sorted(path.stem for path in GOLDEN.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_no_key_of_java_is_lost(name: Any) -> None:
    body = decode_body(CLASSES[name], recorded(name))

    written, wanted = fastjson.loads(fastjson.dumps_bare(body)), fastjson.loads(recorded(name))
    assert {key: written[key] for key in wanted} == wanted


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OTHER_TEXT])
def test_the_bare_form_is_java_letter_for_letter(name: Any) -> None:
    body = decode_body(CLASSES[name], recorded(name))

    assert fastjson.dumps_bare(body).decode() == recorded(name).decode()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_back(name: Any) -> None:
    body = decode_body(CLASSES[name], recorded(name))

    assert decode_body(CLASSES[name], encode_body(body)) == body


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (TopicConfigSerializeWrapper, "topics"),
        (ConsumerOffsetSerializeWrapper, "consumerOffset"),
        (SubscriptionGroupWrapper, "subscriptionGroup"),
        (SubscriptionGroupConfig, "SubscriptionGroupConfig"),
        (DelayOffsetSerializeWrapper, "delayOffset"),
    ],
)
def test_files_are_java_letter_for_letter(cls: Any, name: Any) -> None:
    text = (GOLDEN / "files" / f"{name}.json").read_text()

    assert fastjson.dumps_pretty(decode_body(cls, text.encode())) == text


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        ("ConsumerOffsetSerializeWrapper", "consumerOffset"),
        ("SubscriptionGroupWrapper", "subscriptionGroup"),
        ("DelayOffsetSerializeWrapper", "delayOffset"),
        ("TopicQueueMappingSerializeWrapper", "topicQueueMapping"),
        ("MessageRequestModeSerializeWrapper", "messageRequestMode"),
        ("TimerMetricsSerializeWrapper", "timermetrics"),
    ],
)
def test_compact_files_are_java_letter_for_letter(cls: Any, name: Any) -> None:
    text = (GOLDEN / "files" / f"{name}.compact.json").read_text()

    assert fastjson.dumps_bare(decode_body(CLASSES[cls], text.encode())).decode() == text


def test_plain_values_are_written_pretty_as_java_does() -> None:
    text = (GOLDEN / "files" / "consumerOrderInfo.json").read_text()

    assert fastjson.dumps_pretty(fastjson.loads(text.encode())) == text


def test_filters_of_consumers_are_written_pretty_as_java_does() -> None:
    text = (GOLDEN / "files" / "consumerFilter.json").read_text()
    body = decode_body(CLASSES["ConsumerFilterSerializeWrapper"], text.encode())

    assert fastjson.dumps_pretty(body) == text
