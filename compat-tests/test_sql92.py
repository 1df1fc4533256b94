"""SQL92 filters: the broker sends what the expression wants, and says what is wrong with others."""

import json

import containers
import drivers
import pytest
from test_push import bodies, wait_until

VERSIONS = ("4.9.8", "5.3.3")
NUMBERS = (3, 5, 6, 70)


@pytest.fixture(scope="module")
def sql(lab, flavour):
    """Give the driver of a version on a broker that allows expressions."""
    namesrv = lab.namesrv(flavour, "sql-ns")
    broker = lab.broker(flavour, "sql-broker", [namesrv], enablePropertyFilter="true")
    cluster = containers.Cluster([namesrv], [broker]).ready()
    pool = {}

    def driver(version):
        if version not in pool:
            started = drivers.start(lab, version, cluster.addresses, rebalance_ms=300_000)
            pool[version] = started.ready()
        return pool[version]

    driver.broker = broker
    yield driver
    for one in pool.values():
        one.close()


def send_numbers(driver, topic, mark):
    """Send two messages for each number, one tagged red and one blue; without property one more."""
    for number in NUMBERS:
        driver.do(
            "send", topic=topic, count=2, body=f"{mark}-{number}", tags="red,blue", property=number
        )
    driver.do("send", topic=topic, body=f"{mark}-none", tags="red")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("compat > 5 AND TAGS = 'red'", {"6-0", "70-0"}),
        (
            "compat between 5 and 6 or compat in ('3')",
            {"3-0", "3-1", "5-0", "5-1", "6-0", "6-1"},
        ),
        ("compat IS NULL OR compat ENDSWITH '0'", {"none-0", "70-0", "70-1"}),
    ],
)
def test_a_push_gets_what_its_expression_wants(sql, topic, group, version, expression, wanted):
    driver = sql(version)
    send_numbers(driver, topic, "before")
    name = f"{topic}-push"

    driver.do("push", name=name, topic=topic, group=group, sql=expression)
    expected = {f"before-{one}" for one in wanted}
    wait_until(
        lambda: expected <= bodies(driver.received(name)),
        30,
        lambda: expected - bodies(driver.received(name)),
    )
    send_numbers(driver, topic, "after")  # these wake held pulls
    expected |= {f"after-{one}" for one in wanted}
    wait_until(
        lambda: expected <= bodies(driver.received(name)),
        30,
        lambda: expected - bodies(driver.received(name)),
    )

    assert bodies(driver.received(name)) == expected
    assert len(driver.received(name)) == len(expected)
    driver.do("stop", name=name)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("expression", ["compat >", "compat > 'x'", "compat BETWEEN 6 AND 5"])
def test_a_consumer_with_a_wrong_expression_does_not_start(sql, topic, group, version, expression):
    sql(version).do("send", topic=topic)

    with pytest.raises(
        drivers.DriverError, match="23|Invalid MessageSelector|expected|wrong order"
    ):
        sql(version).do("push", name=f"{topic}-p", topic=topic, group=group, sql=expression)


def test_a_broker_that_does_not_allow_expressions_says_so(shared, topic, group):
    shared("5.3.3").do("send", topic=topic)

    with pytest.raises(drivers.DriverError, match="does not support consumer to filter message"):
        shared("5.3.3").do("push", name=f"{topic}-p", topic=topic, group=group, sql="compat > 5")


def test_filters_are_kept_as_apache_keeps_them(sql, topic, group):
    driver = sql("5.3.3")
    driver.do("send", topic=topic)
    name = f"{topic}-push"
    driver.do("push", name=name, topic=topic, group=group, sql="compat > 5")

    def kept():
        text = sql.broker.files("/store/config").get("consumerFilter.json", b"{}")
        topics = json.loads(text).get("filterDataByTopic", {})
        return topics.get(topic, {}).get("groupFilterData", {}).get(group)

    wait_until(kept, 30, lambda: "no consumerFilter.json with the group")
    data = kept()
    driver.do("stop", name=name)
    assert (data["expression"], data["expressionType"]) == ("compat > 5", "SQL92")
    assert (data["dead"], data["deadTime"]) == (False, 0)
    assert data["bloomFilterData"]["bitNum"] == 112
    assert len(data["bloomFilterData"]["bitPos"]) == 3
