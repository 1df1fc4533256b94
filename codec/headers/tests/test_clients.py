from codec.headers import clients
from codec.headers.fields import ext_fields_of
from codec.headers.tests.java import check_module


def test_fields_are_javas():
    check_module(clients)


def test_client_id_is_spelled_as_java_does():
    header = clients.UnregisterClientRequestHeader(client_id="1.2.3.4@7")

    assert ext_fields_of(header) == {"clientID": "1.2.3.4@7"}
