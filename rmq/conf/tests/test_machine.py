"""Tests of the defaults that follow from the machine."""

import pytest

from rmq.conf import machine
from rmq.conf.settings import Machine

SMALL = Machine(processors=2)
LARGE = Machine(
    host_name="node-7",
    address="10.0.0.7",
    home="/home/rmq",
    processors=64,
    environment={"ROCKETMQ_HOME": "/opt/rmq", "NAMESRV_ADDR": "ns:9876"},
)


@pytest.mark.parametrize(
    ("default", "small", "large"),
    [
        (machine.HOST_NAME, "localhost", "node-7"),
        (machine.ADDRESS, "127.0.0.1", "10.0.0.7"),
        (machine.ROCKETMQ_HOME, "", "/opt/rmq"),
        (machine.NAMESRV_ADDR, "", "ns:9876"),
        (machine.EVERY_PROCESSOR, 2, 64),
        (machine.UP_TO_4_THREADS, 2, 4),
        (machine.UP_TO_32_THREADS, 2, 32),
        (machine.MANY_THREADS, 20, 144),
        (machine.QUERY_THREADS, 10, 72),
        (machine.TRANSACTION_THREADS, 12, 256),
        (machine.home("store"), "~/store", "/home/rmq/store"),
    ],
)
def test_a_default_follows_the_machine(default, small, large):
    text, rule = default

    assert text
    assert rule(SMALL) == small
    assert rule(LARGE) == large
