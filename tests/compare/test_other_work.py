"""Cases that measure other work on the two sides: what of their files counts, and what does not."""

import ast
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.harness.other_work import other_work
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout

Differ = Callable[..., dict[str, str]]
ONE, TWO, METHOD = "t/test_a.py::test_one", "t/test_a.py::test_two[x::y]", "t/test_a.py::TestThing::test_three[1]"
SUITE = '''
"""Tests."""
import thing

SIZE = 7  # of what is measured
def make(size):
    """Make it."""
    return thing.make(size)
def test_one(benchmark):
    benchmark(thing.work, make(SIZE))
def test_two(benchmark, x):
    benchmark(thing.walk)
class Base:
    size = 3
class TestThing(Base):
    rounds = 5
    def test_three(self, benchmark, x):
        benchmark(thing.run, self.helped())
    def helped(self):
        return self.rounds
    def test_four(self):
        assert thing
def test_of_no_time():
    assert thing.right()
class TestOther:
    limit = 9
    def test_five(self):
        assert thing
'''
ALL = {ONE, TWO, METHOD}


@pytest.fixture(name="differ")
def _differ(tmp_path: Path) -> Differ:
    """Return what says of each case of such files, by side and path, why it measures other work."""

    def told(base: dict[str, str], head: dict[str, str], cases: set[str] = ALL, within: str = "") -> dict[str, str]:
        sides, files = list[Checkout](), list[dict[str, list[str]]]()
        for name, texts in (("base", base), ("head", head)):
            top = tmp_path / name
            shutil.rmtree(top, ignore_errors=True)
            for path, text in texts.items():
                (top / path).parent.mkdir(parents=True, exist_ok=True)
                (top / path).write_bytes(text.encode("latin-1"))
            sides.append(Checkout(name, name, "", "", top, top / within))
            conftests = [str(top / path) for path in texts if path.endswith("conftest.py")]
            files.append(
                {case: [str(top / case.split("::")[0]), *conftests, "/usr/lib/x.py"] for case in sorted(cases)}
            )
        return {case: said.why for case, said in other_work(BySide(*files), *sides).items()}

    return told


@pytest.mark.parametrize(
    ("old", "new", "others"),
    [
        ("", "", set()),
        ("# of what is measured", "# of the work", set()),
        ('"""Tests."""', "'''Other words.'''", set()),
        ('"""Make it."""', '"Make"; "it"', set()),
        ("make(SIZE))", "make(\n        SIZE,\n    ))", set()),
        ("assert thing.right()", "assert thing.right() == 1", set()),
        ("limit = 9", "limit = 10", set()),
        ("def test_five(self):\n        assert thing", "def test_six(self):\n        pass", set()),
        ("class TestOther:", "def test_new(benchmark):\n    benchmark(thing.new)\nclass TestOther:", set()),
        ("    def test_four(self):\n        assert thing\n", "", set()),
        ("SIZE = 7", "SIZE = 8", ALL),
        ("return thing.make(size)", "return thing.make(2 * size)", ALL),
        ("import thing", "import thing as other", ALL),
        ("    size = 3", "    size = 4", ALL),
        ("make(SIZE))", "make(2 * SIZE))", {ONE}),
        ("def test_one", "@thing.often\ndef test_one", {ONE}),
        ("thing.walk", "thing.run", {TWO}),
        ("thing.run", "thing.runs", {METHOD}),
        ("rounds = 5", "rounds = 6", {METHOD}),
        ("return self.rounds", "return 2 * self.rounds", {METHOD}),
        ("TestThing(Base)", "TestThing", {METHOD}),
        ("benchmark(thing.walk)", "test_one(benchmark)", {TWO}),
        (
            "def test_of_no_time",
            "@pytest.mark.x\n@mark.x(1)\n@pytest.mark.skipif(thing, reason='')\ndef test_of",
            set(),
        ),
        ("class TestOther:", "@pytest.mark.slow\nclass TestOther:", set()),
        ("def test_five", "@pytest.fixture(autouse=True)\n    def test_five", set()),  # for its own class alone
        ("def test_of_no_time", "@pytest.fixture(autouse=True)\ndef test_of_no_time", ALL),
        ("def test_of_no_time", "@thing.register\ndef test_of_no_time", ALL),
        ("def test_of_no_time", "@pytest.mark.slow\n@register\ndef test_of_no_time", ALL),
        ("def test_of_no_time", "@thing.mark.x\ndef test_of_no_time", ALL),
        ("def test_of_no_time", "@pytest.mark.x(1).register\ndef test_of_no_time", ALL),
        ("class TestOther:", "@thing.register\nclass TestOther:", ALL),
        ("class Base:", "class Base:\n    @pytest.fixture(autouse=True)\n    def test_ready(self): pass", ALL),
        ("def test_four", "@pytest.fixture(autouse=True)\n    def test_four", {METHOD}),
        ("class TestThing(", "@thing.often\nclass TestThing(", {METHOD}),  # it is measured, and so a test
    ],
)
def test_what_of_a_cases_own_file_counts(old: str, new: str, others: set[str], differ: Differ) -> None:
    """Statements do that are not of other tests; words and layout do not."""
    assert old in SUITE

    assert differ({"t/test_a.py": SUITE}, {"t/test_a.py": SUITE.replace(old, new)}).keys() == others


@pytest.mark.parametrize(
    "kind", ["@pytest.fixture(autouse=True)\ndef test_{}", "@register\nclass Test{}:\n def test_x"]
)
@pytest.mark.parametrize("name", ["ready", "one"])
def test_what_a_decorator_hooks_into_all_tests(kind: str, name: str, differ: Differ) -> None:
    """It counts though it has a test's name, even that of a case of another file; what is in such a class does, too."""
    suite = f"def test_two(benchmark):\n  benchmark(3)\n{kind.format(name)}():\n    return "
    base, cases = {"a.py": suite + "1", "b.py": suite + "1"}, {"a.py::test_two", "b.py::test_one", "b.py::Testone"}

    assert differ(base, {**base, "a.py": suite + "2"}, cases).keys() == {"a.py::test_two"}
    assert differ(base, {**base, "a.py": suite + "1 # one"}, cases).keys() == set()


def test_names_by_which_another_configuration_knows_tests(differ: Differ) -> None:
    """What is a case is a test, whatever its name; a function of such a name that another mentions belongs to both."""
    suite = "def bench_one(benchmark):\n    {}\ndef bench_two(benchmark):\n    {}\n"
    cases = {f"b.py::bench_{name}" for name in ("one", "two")}
    base = {"b.py": suite.format("benchmark(1)", "benchmark(2)")}

    assert differ(base, {"b.py": suite.format("benchmark(3)", "benchmark(2)")}, cases).keys() == {"b.py::bench_one"}
    assert differ(base, {"b.py": suite.format("benchmark(1)", "bench_one(3)")}, cases).keys() == {"b.py::bench_two"}
    base = {"b.py": suite.format("benchmark(1)", "bench_one(3)")}
    assert differ(base, {"b.py": suite.format("benchmark(2)", "bench_one(3)")}, cases).keys() == cases


@pytest.mark.parametrize(
    ("base", "head", "same"),
    [
        ("LIMIT = 3", "LIMIT = 3  # odd", True),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("def test_data(): return 3", "def test_data(): return 4", False),  # all of it counts, whatever its names
        ("", "# nothing", True),
        ("x = (", "x = (", True),  # no Python, or one that cannot be read here: byte by byte
        ("x = (", "x = ( ", False),
        ("x = (", "x = ()", False),
        ("a\0b", "a\0c", False),
        ("x = '\\d'", "x = '\\d' ", True),
        ("# coding: latin-1\nx = '\xe4'", "# coding: latin-1\nx  = '\xe4'", True),
        ("x = '\xe4'", "x  = '\xe4'", False),
        (f"x = {'(' * 500}1{')' * 500}", f"x  = {'(' * 500}1{')' * 500}", False),
    ],
)
def test_a_conftest_above(base: str, head: str, same: bool, differ: Differ, recwarn: pytest.WarningsRecorder) -> None:
    """It counts as a whole, for every case below it; what warns whoever wrote it warns nobody here."""
    found = differ({"t/test_a.py": SUITE, "conftest.py": base}, {"t/test_a.py": SUITE, "conftest.py": head})

    assert found.keys() == (set() if same else ALL)
    assert not recwarn.list


def test_a_conftest_of_one_side_alone(differ: Differ) -> None:
    """It is a difference, unless it says nothing."""
    without, with_one = {"t/test_a.py": SUITE}, {"t/test_a.py": SUITE, "t/conftest.py": "X = 1"}

    assert differ(without, with_one).keys() == ALL
    assert differ(with_one, without).keys() == ALL
    assert differ(without, {**with_one, "t/conftest.py": "# none"}) == {}


def test_the_reason_names_the_files_and_what_to_type(differ: Differ) -> None:
    """As they are seen from the folder that pytest runs in: the case's own file first, and only those that differ."""
    base = {"t/test_a.py": SUITE, "conftest.py": "X = 1", "t/conftest.py": "Y = 1"}
    head = {**base, "t/test_a.py": SUITE.replace("7", "8"), "conftest.py": "X = 2"}

    assert differ(base, head, {ONE}, "t") == {
        ONE: "base and head differ in test_a.py, ../conftest.py; "
        "--harness test_a.py --harness ../conftest.py lays head's over base"
    }
    spaced = {"a b/test_a.py": SUITE}
    (why,) = differ(spaced, {"a b/test_a.py": SUITE.replace("7", "8")}, {"a b/test_a.py::test_one"}).values()
    assert why == "base and head differ in a b/test_a.py; --harness 'a b/test_a.py' lays head's over base"


def test_a_case_of_one_side_is_none(tmp_path: Path) -> None:
    """It is listed as what only that side has; nor is anything said of files that lie elsewhere."""
    sides = [Checkout(name, name, "", "", tmp_path / name, tmp_path / name) for name in ("base", "head")]
    (tmp_path / "head").mkdir()
    (tmp_path / "head/a.py").write_text("x = 1")
    files = {"a.py::new": [str(tmp_path / "head/a.py")], "b.py::there": ["/usr/lib/b.py"]}

    assert other_work(BySide({"a.py::old": [], "b.py::there": ["/usr/lib/c.py"]}, files), *sides) == {}


def test_only_what_has_other_bytes_is_parsed(differ: Differ, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a suite of many cases hardly a file is edited; and Python's parser takes longer than all else here."""
    parsed = list[bytes]()
    parse = ast.parse

    def counted(content: bytes, *others: Any, **named: Any) -> Any:
        parsed.append(content)
        return parse(content, *others, **named)

    monkeypatch.setattr(ast, "parse", counted)
    base = {"t/test_a.py": SUITE, "conftest.py": "X = 1", "t/conftest.py": "x = ("}

    assert differ(base, base) == {}
    assert parsed == []
    assert differ(base, {**base, "conftest.py": "X = 2"}).keys() == ALL
    assert parsed == [b"X = 1", b"X = 2"]


@pytest.mark.parametrize("side", ["base", "head"])
def test_a_file_that_cannot_be_read(side: str, differ: Differ, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as one that differs, whoever it belongs to, and ends nothing."""
    read = Path.read_bytes

    def fails(path: Path) -> bytes:
        if path.parts[-2:] == (side, "conftest.py"):
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fails)
    files = {"t/test_a.py": SUITE, "conftest.py": "X = 1"}

    assert differ(files, files) == dict.fromkeys(
        ALL, "base and head differ in conftest.py; --harness conftest.py lays head's over base"
    )
