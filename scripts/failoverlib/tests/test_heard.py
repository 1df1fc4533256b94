"""Tests of how a program is listened to."""

from scripts.failoverlib.heard import Heard


class Noted(Heard):
    def __init__(self):
        self.notes = []

    def understand(self, line, words):
        self.notes.append((line, words))


def test_all_lines_but_the_end_are_left_to_who_understands_them():
    one = Noted()

    one.take("acked 1\n")
    assert not one.has_ended
    one.take("end\n")

    assert one.has_ended
    assert one.notes == [("acked 1\n", ["acked", "1"])]
