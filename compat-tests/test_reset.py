"""What operators ask of live consumers by the stock mqadmin: consume again, skip, tell, try one."""

import re
import time

import artifacts
import containers
import pytest
from test_push import bodies, wait_until
from together import each, name_of

VERSIONS = ("4.9.8", "5.3.3")
assert set(VERSIONS) <= set(artifacts.CLIENTS)
COUNT = 24
COMMIT_MAX_S = 30
RESET_MAX_S = 60
"""A client that is told by a pull leaves its queue for 10 s, then begins anew."""


@pytest.fixture(scope="module")
def run(lab):
    """Run one mqadmin command against some name servers; gives what it printed."""
    host = lab.host("reset-mqadmin").get_wrapped_container()

    def command(addresses, name, *words):
        line = " ".join([containers.MQADMIN, name, "-n", addresses, *words])
        done = host.exec_run(["sh", "-c", f"timeout 40 {line} 2>&1"])
        said = re.sub(r"(?m)^[\d:,]+ \|-.*\n", "", done.output.decode())
        assert done.exit_code == 0, said
        return said

    return command


@pytest.fixture(scope="module")
def pushing(lab, flavour):
    """A cluster whose broker tells clients of resets at once, as all did before 5.0."""
    namesrv = lab.namesrv(flavour, "reset-ns")
    broker = lab.broker(flavour, "reset-broker", [namesrv], useServerSideResetOffset="false")
    return containers.Cluster([namesrv], [broker]).ready()


@pytest.fixture(params=["recorded", "pushed"])
def either(request, cluster, pushing):
    """A cluster of each way to reset."""
    return cluster if request.param == "recorded" else pushing


def consuming(driver, topic, group):
    """Send messages and consume them; gives the consumer's name and the bodies."""
    name = f"{topic}-push"
    sent = bodies(driver.do("send", topic=topic, count=COUNT))
    driver.do("push", name=name, topic=topic, group=group)
    wait_until(
        lambda: sent <= bodies(driver.received(name)), 30, lambda: len(driver.received(name))
    )
    return name, sent


def reset(run, cluster, group, topic, begun_ms):
    """Let a group go back; not before it has committed all, Go 10 s after its start."""
    broker, queues = cluster.brokers[0], range(4)
    wait_until(
        lambda: sum(containers.consumed(broker, topic, group, queues).values()) >= COUNT,
        COMMIT_MAX_S,
        lambda: containers.consumed(broker, topic, group, queues),
    )
    said = run(
        cluster.addresses, "resetOffsetByTime", "-g", group, "-t", topic, "-s", str(begun_ms)
    )
    assert "Exception" not in said, said
    return said


def client_id(run, addresses, group):
    """The only member of a group, as operators see it."""
    said = run(addresses, "consumerConnection", "-g", group)
    return re.search(r"(?m)^(\S+@\S+)\s", said).group(1)


def test_a_live_group_consumes_again(run, own, either, topic, group):
    def again(version):
        called, members = f"{topic}-{name_of(version)}", f"{group}-{name_of(version)}"
        driver = own(version, either.addresses, rebalance_ms=2_000)
        begun_ms = int(time.time() * 1000)
        name, sent = consuming(driver, called, members)

        said = reset(run, either, members, called, begun_ms)

        wait_until(
            lambda: len(driver.received(name)) >= 2 * len(sent),
            RESET_MAX_S,
            lambda: f"{len(driver.received(name))} received; mqadmin: {said}",
        )
        assert bodies(driver.received(name)[len(sent) :]) == sent

    each([*VERSIONS, artifacts.GO], again)


def test_a_group_that_is_away_skips_all(run, own, cluster, topic, group):
    def skips(version):
        called, members = f"{topic}-{name_of(version)}", f"{group}-{name_of(version)}"
        driver = own(version, cluster.addresses, rebalance_ms=2_000)
        name, _ = consuming(driver, called, members)
        driver.do("stop", name=name)
        driver.do("send", topic=called, count=COUNT, body="skipped")

        said = run(cluster.addresses, "skipAccumulatedMessage", "-g", members, "-t", called)
        driver.do("send", topic=called, count=COUNT, body="later")
        driver.do("push", name=f"{name}-again", topic=called, group=members)

        wanted = {f"later-{i}" for i in range(COUNT)}
        wait_until(
            lambda: wanted <= bodies(driver.received(f"{name}-again")),
            RESET_MAX_S,
            lambda: f"{driver.received(f'{name}-again')}; mqadmin: {said}",
        )
        assert bodies(driver.received(f"{name}-again")) == wanted

    each(VERSIONS, skips)


def test_a_consumer_tells_of_itself(run, own, cluster, topic, group):
    def tells(version):
        called, members = f"{topic}-{name_of(version)}", f"{group}-{name_of(version)}"
        driver = own(version, cluster.addresses, rebalance_ms=2_000)
        consuming(driver, called, members)
        identity = client_id(run, cluster.addresses, members)

        said = run(cluster.addresses, "consumerStatus", "-g", members, "-i", identity, "-s")

        assert "#Consumer Properties#" in said
        assert called in said

    each([*VERSIONS, artifacts.GO], tells)


def test_a_message_is_consumed_once_more_on_demand(run, own, cluster, topic, group):
    def once_more(version):
        called, members = f"{topic}-{name_of(version)}", f"{group}-{name_of(version)}"
        driver = own(version, cluster.addresses, rebalance_ms=2_000)
        name, _ = consuming(driver, called, members)
        identity = client_id(run, cluster.addresses, members)
        one = driver.do("send", topic=called, body="again")[0]
        wait_until(lambda: "again-0" in bodies(driver.received(name)), 20, lambda: "not received")

        said = run(
            cluster.addresses,
            "queryMsgById",
            *("-t", called, "-i", one["offsetMsgId"], "-g", members, "-d", identity),
        )

        again = [event for event in driver.received(name) if event["body"] == "again-0"]
        assert len(again) == 2, said
        assert "CR_SUCCESS" in said

    each(VERSIONS, once_more)
