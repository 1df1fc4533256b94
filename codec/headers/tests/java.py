"""What Java declares of every header: the table of fields, and samples made of it."""

import inspect
from pathlib import Path
from types import ModuleType

import msgspec

from codec.headers.fields import (
    RequestHeader,
    ResponseHeader,
    decode_header,
    ext_fields_of,
    plan_of,
)

_HERE = Path(__file__).parent
_SAMPLES = {
    "String": "text \u4e2d",
    "BoundaryType": "upper",
    "Integer": "-2147483648",
    "int": "2147483647",
    "Long": "-9223372036854775808",
    "long": "9223372036854775807",
    "Boolean": "true",
    "boolean": "true",
}


def table(name: str) -> list[list[str]]:
    """Rows of a table of this folder, without its head."""
    lines = (_HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


def fields_in_java() -> dict[str, list[list[str]]]:
    """For each Java class its fields: name, type, req or opt."""
    return {
        name: [field.split(":") for field in fields.split(", ") if field]
        for name, fields in table("fields.tsv")
    }


def header_classes(module: ModuleType) -> list[type[msgspec.Struct]]:
    """The header classes a module itself declares."""
    return [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, RequestHeader | ResponseHeader)
        and member.__module__ == module.__name__
    ]


def check_module(module: ModuleType) -> None:
    """Assert that a module's classes have Java's fields and need no more than Java needs."""
    classes = header_classes(module)
    assert classes
    for header_class in classes:
        check_class(header_class)


def check_class(header_class: type[msgspec.Struct]) -> None:
    """Assert the same of one class."""
    declared = fields_in_java()[header_class.__name__]
    sample = {name: _SAMPLES[kind] for name, kind, _ in declared}

    header = decode_header(header_class, sample)

    assert ext_fields_of(header) == sample
    kinds = {"String": str, "BoundaryType": str, "Boolean": bool, "boolean": bool}
    plan = {field.wire_name: field for field in plan_of(header_class)}
    for name, kind, need in declared:
        assert plan[name].kind is kinds.get(kind, int), (header_class, name)
        if kind[0].islower() or need == "opt":
            assert not plan[name].required, (header_class, name)
        if plan[name].required:
            assert need == "req", (header_class, name)
