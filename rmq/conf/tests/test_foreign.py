"""Tests of the keys of parts that are not in this server."""

from rmq.conf.foreign import FOREIGN_KEYS
from rmq.conf.settings import settings_of
from rmq.conf.startup import BROKER_CONFIGS, NAMESRV_CONFIGS


def test_keys_of_authentication_and_of_the_controller_are_known():
    assert {"authenticationEnabled", "controllerDLegerGroup", "jRaftGroupId"} <= FOREIGN_KEYS


def test_no_foreign_key_is_declared_as_ours():
    declared = {
        known.key for config in {*BROKER_CONFIGS, *NAMESRV_CONFIGS} for known in settings_of(config)
    }

    assert not declared & FOREIGN_KEYS
