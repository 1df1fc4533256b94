"""Broadcast: each member of a group gets every message, and keeps its own offsets with itself."""

import pytest
from test_push import bodies, prepare, wait_until

COUNT = 20
MEMBER = {"set.messageModel": "BROADCASTING"}


@pytest.mark.parametrize("version", ["4.9.8", "5.3.3"])
def test_each_member_gets_all_and_goes_on_by_itself(shared, topic, group, version):
    driver = shared(version)
    sent = prepare(shared, topic)
    names = [f"{topic}-{letter}" for letter in "ab"]

    def all_got(*members):
        wait_until(
            lambda: all(sent <= bodies(driver.received(name)) for name in members),
            30,
            lambda: {name: sorted(bodies(driver.received(name))) for name in members},
        )

    for name in names:
        driver.do("push", name=name, topic=topic, group=group, **MEMBER)
    sent |= bodies(driver.do("send", topic=topic, count=COUNT))
    all_got(*names)
    assert all(len(driver.received(name)) == len(sent) for name in names)

    driver.do("stop", name=names[0])
    before = len(driver.received(names[0]))
    while_away = bodies(driver.do("send", topic=topic, count=COUNT, body="away"))
    sent |= while_away
    driver.do("push", name=names[0], topic=topic, group=group, **MEMBER)
    driver.do("push", name=f"{topic}-c", topic=topic, group=group, **MEMBER)
    all_got(*names, f"{topic}-c")

    assert bodies(driver.received(names[0])[before:]) == while_away
    for name in (*names, f"{topic}-c"):
        driver.do("stop", name=name)
