"""The VIP channel: producers that send to the broker's port minus two."""

import artifacts
import containers
import pytest


@pytest.mark.parametrize("version", ("3.6.2.Final", *artifacts.CLIENTS))
def test_sends_go_through_the_fast_port(lab, cluster, own, topic, group, version):
    host = lab.host(f"client-vip-{version.lower().replace('.', '-')}").get_wrapped_container()
    driver = own(version, cluster.addresses, vip=True, host=host.id)

    sent = driver.do("send", topic=topic, count=10)
    sent += driver.do("send", topic=topic, count=10, mode="async", body="async")

    peers = host.exec_run(["ss", "-tnH", "state", "established"]).output.decode()
    assert f":{containers.FAST_PORT}" in peers
    assert {one["status"] for one in sent} == {"SEND_OK"}
    found = [
        one for one in driver.do("pull", topic=topic, group=group) if one["event"] == "received"
    ]
    assert {one["body"] for one in found} == {one["body"] for one in sent}
