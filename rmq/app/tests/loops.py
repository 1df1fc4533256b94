"""Servers on a loop in memory: to ask them, and to stop them."""

from codec.command import Command
from rmq.base.manual import ManualClock
from rmq.net.client import RemotingClient


def ask(reactor, port, code, body=b"", **fields):
    """The answer of a server of ours."""
    client = RemotingClient(reactor, ManualClock())
    answers = []
    command = Command(code=code, ext_fields=fields, body=body)
    client.call(f"127.0.0.1:{port}", command, 3000).addBoth(answers.append)
    reactor.spin(0.1)
    client.stop()
    return answers[0]


def stop(reactor, server):
    """Let a server stop, and see that it did."""
    stopped = []
    server.stop().addBoth(stopped.append)
    reactor.spin(0.5)
    assert stopped == [None]
