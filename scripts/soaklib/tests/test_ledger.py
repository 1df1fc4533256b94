"""Tests of the soak's ledger."""

from scripts.soaklib.ledger import Ledger, Violation


def test_a_violation_says_what_and_where():
    lost = Violation("lost", "KEY-1", "T", 2, 17, "and why")

    assert str(lost) == "lost: KEY-1 topic=T queue=2 offset=17 and why"
    assert str(Violation("stop failed", "exit status 1")) == "stop failed: exit status 1"


def test_a_place_that_shows_another_message_is_noted():
    ledger = Ledger()

    for key in ("T-1", "T-1", "T-2"):
        ledger.sight("group", "T", (0, 5), key)

    assert ledger.violations == [Violation("changed", "T-2", "T", 0, 5, "it was T-1")]
