"""What a client's own settings change: where a group begins, compression, namespaces, heartbeats."""

import drivers
import pytest
from test_push import bodies, prepare, send_until_both_get, wait_until

BODY_MAX = 4 << 20
ENTRY_REST = 4 << 10
"""Of the 4 MiB that an entry of a DLedger group may have, what it has beside the body at most."""
TYPES = {"LZ4": 1, "ZSTD": 2, "ZLIB": 3}
"""By what a body is compressed: three bits of the flags, from the ninth on."""
PLAIN = {"set.compressMsgBodyOverHowmuch": 1 << 30, "set.maxMessageSize": 2 * BODY_MAX}


@pytest.mark.parametrize(
    ("by", "to", "kind"),
    [("5.3.3", "5.3.3", kind) for kind in TYPES]
    + [("5.3.3", "4.9.8", "ZLIB"), ("4.9.8", "5.3.3", "ZLIB")],
)
def test_a_compressed_body_is_passed_through(shared, topic, group, by, to, kind):
    settings = {"set.compressType": kind} if by == "5.3.3" else {}

    sent = shared(by).do("send", topic=topic, size=100_000, **settings)

    events = shared(to).do("pull", topic=topic, group=group)
    found = [one for one in events if one["event"] == "received"]
    assert bodies(found) == bodies(sent)
    assert found[0]["sysFlag"] >> 8 & 7 == TYPES[kind]
    assert found[0]["storeSize"] < 10_000


@pytest.mark.parametrize("version", ["4.9.8", "5.3.3"])
def test_a_body_may_have_4_mib_and_not_a_byte_more(flavour, shared, topic, group, version):
    driver = shared(version)
    most = BODY_MAX - ENTRY_REST if flavour.is_group else BODY_MAX

    sent = driver.do("send", topic=topic, size=most, **PLAIN)
    with pytest.raises(drivers.DriverError, match="CODE: 13"):
        driver.do("send", topic=topic, size=BODY_MAX + 1, **PLAIN)

    found = driver.do("pull", topic=topic, group=group)
    assert [len(one["body"]) for one in found if one["event"] == "received"] == [most]
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("version", "setting"),
    [("4.9.8", "namespace"), ("5.3.3", "namespace"), ("5.3.3", "namespaceV2")],
)
def test_a_namespace_is_kept(shared, topic, group, version, setting):
    """v1 goes before the names of topic and group; v2 goes beside them, and means nothing here."""
    driver = shared(version)
    within = {f"set.{setting}": "space"}
    sent = bodies(driver.do("send", topic=topic, **within))

    driver.do("push", name=topic, topic=topic, group=group, **within)
    sent |= bodies(driver.do("send", topic=topic, count=8, body="more", **within))

    wait_until(lambda: sent <= bodies(driver.received(topic)), 30, lambda: driver.received(topic))
    driver.do("stop", name=topic)
    assert {one["topic"] for one in driver.received(topic)} == {topic}
    stored_as = f"space%{topic}" if setting == "namespace" else topic
    assert sent == bodies(
        one
        for one in driver.do("pull", topic=stored_as, group=f"{group}-outside")
        if one["event"] == "received"
    )


def test_members_with_the_second_heartbeat_share(shared, own, cluster, mqadmin, topic, group):
    """It says what changed only; so the broker must remember the rest."""
    driver = own("5.3.3", cluster.addresses, rebalance_ms=300_000)
    prepare(shared, topic)
    names = [f"{topic}-{letter}" for letter in "ab"]
    settings = {"set.useHeartbeatV2": "true", "set.heartbeatBrokerInterval": 1_000}
    for name in names:
        driver.do("push", name=name, topic=topic, group=group, **settings)

    send_until_both_get(
        shared, topic, lambda: driver.received(names[0]), lambda: driver.received(names[1])
    )
    connected = mqadmin("consumerConnection", "-g", group)
    progress = mqadmin("consumerProgress", "-g", group, "-s", "true")

    assert all(f"@{name}" in connected for name in names)
    assert topic in connected.lower().partition("subscription")[2]
    assert {line.split()[0] for line in progress.splitlines() if topic in line} >= {topic}
