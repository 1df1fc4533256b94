from contextlib import suppress

from rmq.remoting.together import Together


class AConnection:
    def __init__(self):
        self.written = []

    def write_now(self, encoded):
        self.written.append(encoded)


def test_what_is_kept_is_written_at_the_end_once_for_each_connection():
    together, one, two = Together(), AConnection(), AConnection()

    with together:
        assert together.is_on
        together.keep(one, b"a")
        together.keep(two, b"x")
        together.keep(one, b"b")
        assert one.written == two.written == []

    assert not together.is_on
    assert one.written == [b"ab"]
    assert two.written == [b"x"]
    with together:
        pass
    assert one.written == [b"ab"]


def test_inside_itself_it_does_nothing():
    together, one = Together(), AConnection()

    with together:
        with together:
            together.keep(one, b"a")
        assert one.written == []
        together.keep(one, b"b")

    assert one.written == [b"ab"]


def test_what_was_kept_is_written_also_if_something_fails():
    together, one = Together(), AConnection()

    with suppress(ValueError), together:
        together.keep(one, b"a")
        raise ValueError

    assert one.written == [b"a"]
    assert not together.is_on
