"""Tests of the declarations in ``rmq.conf.store``."""

from rmq.conf.settings import settings_of
from rmq.conf.store import MessageStoreConfig


def test_every_key_of_rocketmq_5_3_3_is_known():
    assert len(settings_of(MessageStoreConfig)) == 182


def test_defaults_are_rocketmqs():
    declared = {known.key: known for known in settings_of(MessageStoreConfig)}

    assert (
        declared["mappedFileSizeCommitLog"].default
        == MessageStoreConfig().mappedFileSizeCommitLog
        == 1073741824
    )
    assert declared["mappedFileSizeCommitLog"].kind == "int"


def test_every_default_is_one_that_its_own_check_accepts():
    for known in settings_of(MessageStoreConfig):
        text = str(known.default).lower() if known.kind == "boolean" else str(known.default)

        assert known.read(text) == known.default


def test_every_setting_says_what_it_means():
    assert all(known.meaning for known in settings_of(MessageStoreConfig))
