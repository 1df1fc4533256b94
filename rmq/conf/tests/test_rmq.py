"""Tests of the declarations in ``rmq.conf.rmq``."""

from rmq.conf.rmq import RmqConfig
from rmq.conf.settings import settings_of
from rmq.conf.startup import BROKER_CONFIGS


def test_a_plain_broker_announces_its_own_address_and_keeps_its_store():
    assert RmqConfig() == RmqConfig(advertise="", inMemory=False, unfinishedFrameTimeoutMs=30_000)


def test_no_key_of_ours_is_a_key_of_rocketmqs():
    theirs = {known.key for config in BROKER_CONFIGS[:-1] for known in settings_of(config)}

    assert not theirs & {known.key for known in settings_of(RmqConfig)}
