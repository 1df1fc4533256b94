"""Tests of the declarations in ``rmq.conf.namesrv``."""

from rmq.conf.namesrv import NamesrvConfig
from rmq.conf.settings import settings_of


def test_every_key_of_rocketmq_5_3_3_is_known():
    assert len(settings_of(NamesrvConfig)) == 22


def test_defaults_are_rocketmqs():
    declared = {known.key: known for known in settings_of(NamesrvConfig)}

    assert (
        declared["scanNotActiveBrokerInterval"].default
        == NamesrvConfig().scanNotActiveBrokerInterval
        == 5000
    )
    assert declared["scanNotActiveBrokerInterval"].kind == "long"


def test_every_default_is_one_that_its_own_check_accepts():
    for known in settings_of(NamesrvConfig):
        text = str(known.default).lower() if known.kind == "boolean" else str(known.default)

        assert known.read(text) == known.default


def test_every_setting_says_what_it_means():
    assert all(known.meaning for known in settings_of(NamesrvConfig))
