"""Attributes of topics and groups: which there are, and how a request may alter them.

A request names each with a sign: ``+message.type`` sets, ``-message.type`` removes.
Source: AttributeUtil.java, TopicAttributes.java, 5.3.3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from codec.codes import ResponseCode
from rmq.base.errors import CommandError

RESERVE_TIME_MAX = 2**63 - 1
"""Greatest ``reserve.time``: Java's Long.MAX_VALUE."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: may it change after creation, what is wrong with a value (None: nothing)."""

    changeable: bool
    fault: Callable[[str], str | None]


def _one_of(*values: str) -> Callable[[str], str | None]:
    allowed = ", ".join(values)
    return lambda value: None if value in values else f"value is not in set: [{allowed}]"


def _reserve_time_fault(value: str) -> str | None:
    try:
        number = int(value)
    except ValueError:
        return f'For input string: "{value}"'
    if -1 <= number <= RESERVE_TIME_MAX:
        return None
    return f"value is not in range(-1, {RESERVE_TIME_MAX})"


TOPIC_ATTRIBUTES: Mapping[str, Attribute] = {
    "queue.type": Attribute(False, _one_of("BatchCQ", "SimpleCQ")),
    "cleanup.policy": Attribute(False, _one_of("DELETE", "COMPACTION")),
    "message.type": Attribute(
        True, _one_of("UNSPECIFIED", "NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED")
    ),
    "reserve.time": Attribute(True, _reserve_time_fault),
}
"""What a topic can have."""

GROUP_ATTRIBUTES: Mapping[str, Attribute] = {}
"""What a consumer group can have: nothing yet. Source: SubscriptionGroupAttributes.java, 5.3.3."""


def parse_alterations(text: str) -> dict[str, str]:
    """Alterations by signed key from ``+key=value,-key``; none from the empty text.

    Source: AttributeParser.java, parseToMap(), 5.3.3.

    :raises CommandError: SYSTEM_ERROR with Java's words, the text is not of that form.
    """
    alterations: dict[str, str] = {}
    for part in text.split(",") if text else ():
        key, has_value, value = part.partition("=")
        sign, kind = ("+", "add/alter") if has_value else ("-", "delete")
        if sign not in key or (has_value and not value):
            fault = f"{kind} attribute format is wrong: {part}"
            raise CommandError(ResponseCode.SYSTEM_ERROR, fault)
        if key in alterations:
            raise CommandError(ResponseCode.SYSTEM_ERROR, f"key duplication: {key}")
        alterations[key] = value
    return alterations


def altered(
    known: Mapping[str, Attribute],
    current: Mapping[str, str] | None,
    alterations: Mapping[str, str],
) -> dict[str, str]:
    """The attributes after ``alterations``; ``current`` is None if topic or group is just created.

    Source: AttributeUtil.java, alterCurrentAttributes(), 5.3.3.

    :raises CommandError: SYSTEM_ERROR with Java's words, an alteration is not allowed.
    """
    final = dict(current or {})
    seen: set[str] = set()
    for signed, value in alterations.items():
        sign, key = signed[:1], signed[1:]
        fault = _key_fault(key, seen) or _fault(known, current, sign, key, value)
        if fault is not None:
            raise CommandError(ResponseCode.SYSTEM_ERROR, fault)
        seen.add(key)
        if sign == "+":
            final[key] = value
        else:
            del final[key]
    return final


def _key_fault(key: str, seen: set[str]) -> str | None:
    if not key or "+" in key or "-" in key:
        return "kv string format wrong."
    if key in seen:
        return f"alter duplication key. key: {key}"
    return None


def _fault(
    known: Mapping[str, Attribute],
    current: Mapping[str, str] | None,
    sign: str,
    key: str,
    value: str,
) -> str | None:
    created = current is None
    if created and sign != "+":
        return f"only add attribute is supported while creating topic. key: {key}"
    if sign not in ("+", "-"):
        return f"wrong format key: {key}"
    if current is not None and sign == "-" and key not in current:
        return f"attempt to delete a nonexistent key: {key}"
    attribute = known.get(key)
    if attribute is None:
        return f"unsupported key: {key}"
    if not created and not attribute.changeable:
        return f"attempt to update an unchangeable attribute. key: {key}"
    return attribute.fault(value) if sign == "+" else None
