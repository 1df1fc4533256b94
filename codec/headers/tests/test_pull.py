from codec.headers import pull
from codec.headers.tests.java import check_module


def test_fields_are_javas():
    check_module(pull)
