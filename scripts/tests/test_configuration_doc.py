"""Tests of the document about settings."""

from rmq.conf.settings import LONG_MAX, Setting
from scripts import configuration_doc


def test_every_setting_has_its_place():
    text = configuration_doc.text()

    assert "| `listenPort` | int | `0` | 0 to 65535 |" in text
    assert "Accepted, not used yet: " in text
    assert "| `brokerName` | String | the host's name |" in text


def test_limits_say_only_what_the_type_does_not():
    def limits(**facts):
        return configuration_doc.limits(Setting("k", 1, "m", **facts))

    assert limits() == ""
    assert limits(minimum=1) == "from 1"
    assert limits(minimum=1, maximum=LONG_MAX) == "from 1"
    assert limits(maximum=9) == "to 9"
    assert limits(minimum=1, maximum=9) == "1 to 9"
    assert limits(choices=("A", "B")) == "`A`, `B`"
