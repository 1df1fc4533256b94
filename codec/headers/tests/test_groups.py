from codec.headers import groups
from codec.headers.tests.java import check_module


def test_fields_are_javas():
    check_module(groups)
