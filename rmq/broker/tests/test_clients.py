from rmq.broker.clients import Client
from rmq.remoting.testing import FakeChannel


def test_client_is_shown_by_identity_and_address():
    client = Client(FakeChannel("10.0.0.1:40000"), "c1")

    assert repr(client) == "c1@10.0.0.1:40000"
    assert client.language == "JAVA"
