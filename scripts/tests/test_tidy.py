"""Tests of the rules of style."""

import pytest

from scripts import tidy
from scripts.sources import SourceFile
from scripts.tidy import Allowance, House


def house(**kinds):
    files = [SourceFile(path, text) for path, text in kinds.pop("files").items()]
    return House(files, **kinds)


def function(lines, indent=""):
    return "\n".join([f"{indent}def f():", *[f"{indent}    x = 1"] * (lines - 1)]) + "\n"


def test_a_file_of_600_lines_is_short_enough():
    assert list(tidy.lengths(house(files={"rmq/a.py": "x = 1\n" * 600}))) == []


def test_a_file_of_601_lines_is_too_long():
    found = list(tidy.lengths(house(files={"rmq/a.py": "x = 1\n" * 601})))

    assert found == ["rmq/a.py: 601 lines, at most 600; split it by meaning"]


def test_a_function_of_60_lines_is_short_enough():
    assert list(tidy.lengths(house(files={"rmq/a.py": function(60)}))) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (function(61), "f"),
        ("class C:\n" + function(61, "    "), "C.f"),
        ("def g():\n" + function(61, "    "), "g.f"),
        ("if True:\n" + function(61, "    "), "f"),
        (function(61).replace("def", "async def"), "f"),
    ],
)
def test_a_function_of_61_lines_is_too_long(text, name):
    found = list(tidy.lengths(house(files={"rmq/a.py": text})))

    assert f"rmq/a.py:{name}: 61 lines, at most 60; split it by meaning" in found


def test_a_docstring_does_not_count():
    text = 'def f():\n    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * 59

    assert list(tidy.lengths(house(files={"rmq/a.py": text}))) == []


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (610, None),
        (620, "rmq/a.py: 620 lines, allowed 610; it may only shrink"),
        (605, "rmq/a.py: 605 lines, allowed 610; lower its allowance"),
        (600, "rmq/a.py: 600 lines; remove its allowance"),
    ],
)
def test_an_allowance_is_a_ratchet(lines, complaint):
    judged = house(
        files={"rmq/a.py": "x = 1\n" * lines}, allowances={"rmq/a.py": Allowance(610, "a table")}
    )

    assert list(tidy.lengths(judged)) == ([complaint] if complaint else [])


def test_an_allowance_for_nothing_goes():
    judged = house(files={}, allowances={"rmq/a.py": Allowance(610, "a table")})

    assert list(tidy.lengths(judged)) == ["rmq/a.py: not there; remove its allowance"]


def test_a_module_without_its_own_test_is_named():
    judged = house(
        files={
            "rmq/a.py": "",
            "rmq/b.py": "",
            "rmq/__init__.py": "",
            "rmq/tests/test_b.py": "",
            "compat-tests/c.py": "",
        }
    )

    assert list(tidy.mirrored_tests(judged)) == [
        "rmq/a.py: no test of its own; expected rmq/tests/test_a.py"
    ]


def test_an_exception_from_a_test_ends_with_its_reason():
    judged = house(
        files={"rmq/a.py": "", "rmq/b.py": "", "rmq/tests/test_b.py": ""},
        unmirrored={"rmq/a.py": "why", "rmq/b.py": "why", "rmq/c.py": "why"},
    )

    assert list(tidy.mirrored_tests(judged)) == [
        "rmq/b.py: has its test now; remove it from UNMIRRORED",
        "rmq/c.py: not there; remove it from UNMIRRORED",
    ]


def test_marks_of_unfinished_work_are_found():
    word = "TO" + "DO"
    judged = house(files={"docs/a.md": f"fine\n{word} later\n", "docs/b.md": "METHODOLOGY"})

    assert list(tidy.finished(judged)) == [
        f"docs/a.md:2: '{word}' is a mark of unfinished work; do it, or open an issue"
    ]


@pytest.mark.parametrize(
    "host",
    [
        "py" + "pi.org",
        "files.python" + "hosted.org",
        "repo1.mav" + "en.org",
        "proxy.gol" + "ang.org",
    ],
)
def test_hosts_of_registries_are_found(host):
    assert len(list(tidy.no_registries(house(files={"Dockerfile": f"https://{host}/x"})))) == 1


def test_names_that_only_look_like_registries_pass():
    judged = house(files={"pom.xml": "http://maven.apache.org/POM", "go.sum": "golang.org/x/net"})

    assert list(tidy.no_registries(judged)) == []


@pytest.mark.parametrize("path", ["/wo" + "rk/main", "/t" + "mp/x", "../sha" + "red/x"])
def test_paths_of_one_machine_are_found(path):
    assert len(list(tidy.no_machine_paths(house(files={"scripts/a": f"cd {path}"})))) == 1


def test_drivers_may_name_paths_in_their_containers():
    judged = house(files={"compat-tests/a.py": "/t" + "mp/x", "scripts/b": "$HOME/t" + "mp/x"})

    assert list(tidy.no_machine_paths(judged)) == []


def processor(name, code):
    return f"class {name}:\n    @handles(RequestCode.{code}, H)\n    def answer(self): ...\n"


def test_two_answers_to_one_code_in_a_role_are_refused():
    judged = house(
        files={
            "rmq/broker/a.py": processor("A", "PULL_MESSAGE"),
            "rmq/broker/b.py": processor("B", "PULL_MESSAGE"),
            "rmq/namesrv/c.py": processor("C", "PULL_MESSAGE"),
        }
    )

    assert list(tidy.one_handler_a_code(judged)) == [
        "rmq/broker/b.py:3: B.answer answers PULL_MESSAGE, which A.answer answers already"
    ]


def test_a_setting_says_whether_anything_reads_it():
    declared = (
        "class C:\n"
        "    readOne: int = setting(1, 'm')\n"
        "    deafOne: int = setting(1, 'm')\n"
        "    quietOne: int = setting(1, 'm', honoured=False)\n"
        "    wantedOne: int = accepted(1, 'm')\n"
        "    unusedOne: int = accepted(1, 'm')\n"
        "    plain: int = 1\n"
    )
    judged = house(
        files={
            "rmq/conf/c.py": declared,
            "rmq/conf/loading.py": "c.deafOne",
            "rmq/broker/a.py": "c.readOne + c.wantedOne",
            "rmq/broker/tests/test_a.py": "c.unusedOne",
        }
    )

    assert list(tidy.honest_settings(judged)) == [
        "rmq/conf/c.py: nothing reads deafOne; declare it with accepted or honoured=False",
        "rmq/conf/c.py: wantedOne is read; declare it with setting",
    ]


def test_all_rules_are_asked():
    judged = house(files={"rmq/a.py": "x = 1\n" * 601})

    assert len(tidy.complaints(judged)) == 2


def test_the_number_of_complaints_decides(capsys, monkeypatch):
    monkeypatch.setattr(tidy, "read_files", lambda: [SourceFile("rmq/a.py", "")])
    monkeypatch.setattr(tidy, "UNMIRRORED", {})
    assert tidy.main() == 1
    assert "1 complaints" in capsys.readouterr().out

    monkeypatch.setattr(tidy, "read_files", list)
    assert tidy.main() == 0
