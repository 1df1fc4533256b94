"""Tests of the declarations in ``rmq.conf.remoting``."""

from rmq.conf.remoting import RemotingClientConfig, RemotingServerConfig
from rmq.conf.settings import settings_of


def test_every_key_of_rocketmq_5_3_3_is_known():
    assert len(settings_of(RemotingServerConfig)) == 18
    assert len(settings_of(RemotingClientConfig)) == 20


def test_defaults_are_rocketmqs():
    assert RemotingServerConfig().bindAddress == "0.0.0.0"
    assert RemotingServerConfig().serverChannelMaxIdleTimeSeconds == 120
    assert RemotingClientConfig().connectTimeoutMillis == 3000


def test_every_setting_says_what_it_means():
    for config in (RemotingServerConfig, RemotingClientConfig):
        assert all(known.meaning for known in settings_of(config))
