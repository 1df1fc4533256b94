from codec.headers import broker_admin
from codec.headers.tests.java import check_module


def test_fields_are_javas():
    check_module(broker_admin)
