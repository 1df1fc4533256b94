"""Tests of the declarations in ``rmq.conf.controller``."""

from rmq.conf.controller import ControllerConfig
from rmq.conf.settings import settings_of


def test_every_key_of_rocketmq_5_3_3_is_known_but_those_of_jraft():
    assert len(settings_of(ControllerConfig)) == 27


def test_every_default_is_one_that_its_own_check_accepts():
    for known in settings_of(ControllerConfig):
        text = str(known.default).lower() if known.kind == "boolean" else str(known.default)

        assert known.read(text) == known.default
