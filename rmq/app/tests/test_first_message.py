"""What a user reads of the first message."""

import io

from rich.console import Console

from rmq.app.first_message import Seen, tell

SEEN = Seen("127.0.0.1:9876", "127.0.0.1:10911", "7F00" * 8, 2, 17, "Hello, [RocketMQ]", 3, 0)


def told(**options):
    text = io.StringIO()
    tell(SEEN, console=Console(file=text, width=100), **options)
    return text.getvalue()


def test_it_says_what_was_sent_and_what_came_back():
    text = told(kept_in="~/store", stays=True)

    assert "FirstTopic, queue 2 of 127.0.0.1:10911" in text
    assert "offset 17" in text
    assert "Hello, [RocketMQ]" in text
    assert "3 ms" in text
    assert "under 1 ms" in text
    assert "~/store" in text


def test_it_says_what_to_point_a_client_at():
    assert 'setNamesrvAddr("127.0.0.1:9876")' in told(kept_in="x", stays=True)


def test_it_says_how_the_server_ends():
    assert "Ctrl-C stops the server." in told(kept_in="x", stays=True)
    assert "Ctrl-C" not in told(kept_in="x", stays=False)


def test_it_writes_to_standard_output_by_itself(capsys):
    tell(SEEN, kept_in="x", stays=False)

    assert "a message went through" in capsys.readouterr().out
