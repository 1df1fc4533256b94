import pytest

from rmq.base.errors import ConfigError
from rmq.conf.broker import BrokerConfig
from rmq.conf.profiles import FAST_BROKER, FAST_STORE, is_fast
from rmq.conf.settings import Machine, settings_of
from rmq.conf.startup import broker_settings
from rmq.conf.store import MessageStoreConfig


def test_only_fast_is_fast():
    assert is_fast({"failoverProfile": " fast "})
    assert not is_fast({"failoverProfile": "default"})
    assert not is_fast({})


def test_a_fast_broker_has_shorter_times_except_those_given():
    settings = broker_settings(
        {"failoverProfile": "fast", "brokerHeartbeatInterval": "700"}, Machine()
    )

    assert settings.broker.brokerHeartbeatInterval == 700
    assert settings.broker.controllerHeartBeatTimeoutMills == 1_500
    assert settings.store.haMaxTimeSlaveNotCatchup == 1_500
    assert settings.rmq.failoverProfile == "fast"


def test_a_plain_broker_has_rocketmq_s_times():
    settings = broker_settings({}, Machine())

    assert settings.broker == broker_settings({"failoverProfile": "default"}, Machine()).broker
    assert settings.broker.controllerHeartBeatTimeoutMills == 10_000


def test_an_unknown_profile_is_refused():
    with pytest.raises(ConfigError, match="expected one of default, fast"):
        broker_settings({"failoverProfile": "faster"}, Machine())


@pytest.mark.parametrize(
    ("config", "times"), [(BrokerConfig, FAST_BROKER), (MessageStoreConfig, FAST_STORE)]
)
def test_a_profile_only_shortens(config, times):
    defaults = {known.key: known.default for known in settings_of(config)}

    assert all(times[key] < defaults[key] for key in times)
