"""The mutation study: which mutants there are, which tests they are tried by, and what is counted."""

import json
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cosmic_ray import work_item
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.work_item import MutationSpec, WorkItem, WorkResult
from coverage import CoverageData

from tests.conftest import git
from tests.mutation import chosen as chosen_plugin
from tests.mutation import equivalent, mutants, operators, running, score
from tests.mutation.__main__ import project_files
from tests.mutation.covering import Covering

Outcome = work_item.TestOutcome
SOURCE = """\
def smallest(first: int | None, ä: int) -> int | None:
    if first and ä + 1:
        return min(first, ä)
    return first


LIMIT = 3
"""


def source_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file with the source above, named from the folder that the test is moved to."""
    monkeypatch.chdir(tmp_path)
    Path("made.py").write_text(SOURCE)
    return Path("made.py")


@pytest.mark.parametrize("operator", [operators.SwapBuiltIn, operators.DropOperand, operators.DropKeywordArgument])
def test_own_operators_do_what_their_examples_say(operator: type[Operator]) -> None:
    """Each example's code becomes exactly the code that the operator shows for it."""
    for example in operator.examples():
        assert mutate_code(example.pre_mutation_code, operator(), example.occurrence) == example.post_mutation_code


@pytest.mark.parametrize(
    ("operator", "source"),
    [
        (operators.SwapBuiltIn, "self.min = maximum(min)"),
        (operators.DropKeywordArgument, "f(key=x)"),
        (operators.DropOperand, "not a"),
    ],
)
def test_own_operators_leave_other_code(operator: type[Operator], source: str) -> None:
    """A name that is not called, the only argument and a lone operand have no mutant."""
    assert mutate_code(source, operator(), 0) is None


def test_mutants_leave_types_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mutant is in an annotation, whatever letters stand before it; all others are there, in a fixed order."""
    path = source_file(tmp_path, monkeypatch)
    found = mutants.all_mutants([path], tmp_path / "all.sqlite")
    places = {(one.mutations[0].start_pos, one.mutations[0].operator_name.partition("_")[0]) for one in found}

    assert min(line for (line, _), _ in places) == 2
    assert ((3, 15), "parabola/SwapBuiltIn") in places
    assert ((2, 19), "core/ReplaceBinaryOperator") in places
    assert ((7, 8), "core/NumberReplacer") in places
    again = mutants.all_mutants([path], tmp_path / "again.sqlite")
    assert [one.mutations for one in again] == [one.mutations for one in found]


def test_draw_takes_places_not_mutants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draw has one mutant of each place, repeats with its seed, and is the whole where it is asked for more."""
    found = mutants.all_mutants([source_file(tmp_path, monkeypatch)], tmp_path / "all.sqlite")
    drawn = mutants.draw(found, 1000, seed=3)
    places = {(one.mutations[0].start_pos, one.mutations[0].operator_name.partition("_")[0]) for one in found}

    assert len(drawn) == len(places) < len(found)
    assert {one.mutations[0].start_pos for one in drawn} == {start for start, _ in places}
    assert mutants.draw(found, 4, seed=3) == mutants.draw(found, 4, seed=3) != mutants.draw(found, 4, seed=4)


def made_covering(tmp_path: Path, lines: dict[str, list[int]], seconds: dict[str, float]) -> Covering:
    """Return what a run would have shown in which each test ran such lines of the source above."""
    (tmp_path / "made.py").write_text(SOURCE)
    data = CoverageData(str(tmp_path / "coverage"))
    for test, ran in lines.items():
        data.set_context(f"{test}|run" if test else "")
        data.add_lines({str(tmp_path / "made.py"): ran})
    data.write()
    (tmp_path / "seconds.json").write_text(json.dumps(seconds))
    return Covering(tmp_path, tmp_path)


def test_tests_of_a_line_begin_with_those_that_run_it(tmp_path: Path) -> None:
    """First come the tests that run the statement, the fastest first; then the others of its function, and no more."""
    lines = {"": [1, 7], "a.py::slow": [2, 3], "a.py::fast": [2, 3], "b.py::beside": [2, 4], "c.py::import": [7]}
    covering = made_covering(
        tmp_path, lines, {"a.py::slow": 2.0, "a.py::fast": 1.0, "b.py::beside": 0.1, "c.py::import": 0.0}
    )

    assert covering.tests(Path("made.py"), 3) == ["a.py::fast", "a.py::slow", "b.py::beside"]
    assert covering.tests(Path("made.py"), 4) == ["b.py::beside", "a.py::fast", "a.py::slow"]
    assert covering.tests(Path("made.py"), 7) == ["c.py::import", "b.py::beside", "a.py::fast", "a.py::slow"]


def test_tests_that_read_the_source_are_always_among_them(tmp_path: Path) -> None:
    """They run no line of the project, and so would be in no answer."""
    seconds = {"a.py::test": 1.0, "tests/test_structure.py::test_frozen": 2.0}
    covering = made_covering(tmp_path, {"a.py::test": [3]}, seconds)

    assert covering.tests(Path("made.py"), 3) == ["a.py::test", "tests/test_structure.py::test_frozen"]


def test_a_function_that_no_test_is_seen_to_run_is_tried_by_all_of_its_file(tmp_path: Path) -> None:
    """Compiled code is not seen, so that its mutants are tried by whatever runs the rest of the file."""
    covering = made_covering(tmp_path, {"c.py::import": [7]}, {"c.py::import": 0.0})

    assert covering.tests(Path("made.py"), 3) == ["c.py::import"]


def test_a_file_that_runs_when_tests_are_collected_is_tried_by_those_that_import_it(tmp_path: Path) -> None:
    """No test is seen to run it; the tests of the files that import the module, in either form, are taken."""
    seconds = {f"{name}.py::test": 1.0 for name in ("whole", "part", "other")}
    (tmp_path / "whole.py").write_text("from made import LIMIT\n")
    (tmp_path / "part.py").write_text("import os\nfrom made import smallest, LIMIT\n")
    (tmp_path / "other.py").write_text("from made_too import LIMIT\n")
    covering = made_covering(tmp_path, {"": [1, 7]}, seconds)

    assert {*covering.tests(Path("made.py"), 7)} == {"whole.py::test", "part.py::test"}


def test_list_of_equivalent_mutants_is_true() -> None:
    """Each entry names a line that its file has, another one that differs, and a reason in a sentence."""
    for entry in equivalent.read():
        assert entry.line in [
            line.strip() for line in (Path(__file__).parents[1] / entry.file).read_text().splitlines()
        ]
        assert entry.change != entry.line
        assert entry.reason.endswith(".")


def result_of(before: str, after: str, outcome: work_item.TestOutcome) -> WorkResult:
    diff = f"--- mutation diff ---\n--- a/made.py\n+++ b/made.py\n@@ -1 +1 @@\n-  {before}\n+  {after}\n"
    return WorkResult(work_item.WorkerOutcome.NORMAL, "", outcome, diff)


def test_score_counts_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equivalent mutants leave the whole; what survives is shown, apart from what is caught end to end."""
    known = '[[equivalent]]\nfile = "b.py"\nline = "x = 1"\nchange = "x = 2"\nreason = "Nobody reads it."\n'
    (tmp_path / "equivalent.toml").write_text(known)
    listed = equivalent.read(tmp_path / "equivalent.toml")
    monkeypatch.setattr(equivalent, "read", lambda: listed)
    rows = {
        "1": ("a.py", result_of("a < b", "a <= b", Outcome.KILLED)),
        "2": ("b.py", result_of("x = 1", "x = 2", Outcome.SURVIVED)),
        "3": ("b.py", result_of("x = 1", "x = 0", Outcome.SURVIVED)),
        "4": ("b.py", result_of("y or z", "y", Outcome.SURVIVED)),
        "5": ("b.py", result_of("y or z", "z", Outcome.KILLED)),
    }
    session = tmp_path / "session.sqlite"
    place = {"operator_name": "core/AddNot", "occurrence": 0, "start_pos": (1, 0), "end_pos": (1, 1)}
    mutants.keep([WorkItem.single(name, MutationSpec(file, **place)) for name, (file, _) in rows.items()], session)
    for mutant in score.pending(session):
        score.note(session, mutant, rows[mutant.job_id][1])
    lines = score.lines(session, {"4"})

    assert {mutant.job_id for mutant in score.survivors(session)} == {"3", "4"}
    assert lines[2:7] == [
        "| a.py | 1 | 0 | 1 | 0 |",
        "| b.py | 4 | 1 | 1 | 1 |",
        "| in all | 5 | 1 | 2 | 1 |",
        "",
        "caught by the everyday tests: 2 of 4, 50.0 % (15.0–85.0)",
    ]
    assert lines[7] == "caught by these or the end-to-end tests: 3 of 4, 75.0 % (30.1–95.4)"
    assert [line for line in lines if line.startswith("\n")] == [
        "\nequivalent, Nobody reads it.",
        "\nsurvived (core/AddNot)",
        "\ncaught end to end only (core/AddNot)",
    ]


def test_copy_is_the_working_tree(tmp_path: Path) -> None:
    """A copy has what is changed, new or deleted and not committed, and nothing that is ignored."""
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "--quiet")
    for name, text in {"kept.py": "1", "changed.py": "1", "gone.py": "1", ".gitignore": "*.log"}.items():
        (root / name).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    (root / "changed.py").write_text("2")
    (root / "gone.py").unlink()
    (root / "new").mkdir()
    (root / "new/file.py").write_text("3")
    (root / "some.log").write_text("4")
    copy = running.copy_project(root, tmp_path / "copy")

    files = {str(path.relative_to(copy)): path.read_text() for path in copy.rglob("*.*") if ".git/" not in f"{path}/"}
    assert files == {"kept.py": "1", "changed.py": "2", "new/file.py": "3", ".gitignore": "*.log"}


def test_a_copy_is_restored_whatever_a_mutant_did_to_it(tmp_path: Path) -> None:
    """Changed, new and removed files are as they were; and a copy whose repository is gone is made anew."""
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "--quiet")
    (root / "kept.py").write_text("1")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    (root / "kept.py").write_text("2")
    copy = running.copy_project(root, tmp_path / "copy")
    for leave in (lambda: (copy / "kept.py").write_text("3"), (copy / "kept.py").unlink, lambda: shutil.rmtree(copy)):
        leave()
        if copy.exists():
            (copy / "new.py").write_text("4")
        running.restore(root, copy)

        assert {path.name: path.read_text() for path in copy.glob("*.py")} == {"kept.py": "2"}


def test_study_is_over_the_package_and_the_suite() -> None:
    """The files that are studied hold both halves of the package and the suite's helpers, but no test and no study."""
    files = [str(path) for path in project_files()]

    assert {"conftest.py", "parabola/training/target.py", "benchmarks/bench_epoch_time.py"} <= {*files}
    assert not [file for file in files if "test_" in file or "studies" in file]


def test_chosen_tests_keep_their_order_and_what_is_gone_is_passed_over(tmp_path: Path) -> None:
    """Of tests that a mutant has renamed the others run; and all of them, where it has renamed every one."""
    names = ["a.py::first", "a.py::second[1]", "b.py::third"]
    for chosen, kept in ((["b.py::third", "a.py::gone", "a.py::first"], [2, 0]), (["a.py::gone"], [0, 1, 2])):
        (tmp_path / "names").write_text("".join(f"{name}\n" for name in chosen))
        items = [SimpleNamespace(nodeid=name) for name in names]
        config = SimpleNamespace(getoption={"--chosen": tmp_path / "names"}.__getitem__)
        left: list[Any] = list(items)
        chosen_plugin.pytest_collection_modifyitems(cast(Any, config), left)

        assert left == [items[at] for at in kept]


def test_command_of_the_chosen_tests(tmp_path: Path) -> None:
    """Files are named once, in the order of their first test; without tests all are collected, and none is run."""
    command = running.everyday_command(["b.py::x[ 1]", "a.py::y", "b.py::z"], tmp_path / "names")

    assert command.endswith(f"-p tests.mutation.chosen --chosen={tmp_path / 'names'} b.py a.py")
    assert (tmp_path / "names").read_text() == "b.py::x[ 1]\na.py::y\nb.py::z\n"
    assert " -x " in command
    assert "--collect-only" in running.everyday_command([], tmp_path / "names")


PLACES = {"swapped": ("parabola/SwapBuiltIn", 0, (3, 15)), "limit": ("core/NumberReplacer", 1, (7, 8))}
MUTANTS = [
    WorkItem.single(name, MutationSpec("made.py", operator, occurrence, start, (start[0], 99)))
    for name, (operator, occurrence, start) in PLACES.items()
]
NOTICES = "def test_it():\n    assert made.smallest(2, 1) == 1\n"


def made_project(root: Path, tests: str) -> Path:
    """Write a project of one module and one file of tests into a new repository; return its folder."""
    (root / "tests/mutation").mkdir(parents=True)
    shutil.copy(str(chosen_plugin.__file__), root / "tests/mutation/chosen.py")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["end_to_end"]\n')
    (root / "conftest.py").write_text('def pytest_addoption(parser):\n    parser.addoption("--once")\n')
    (root / ".gitignore").write_text(".*/\n__pycache__/\n")
    (root / "made.py").write_text(SOURCE)
    (root / "tests/test_made.py").write_text(f"import made, pytest\n\n{tests}")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    return root


@pytest.mark.end_to_end
def test_study_of_a_file(tmp_path: Path) -> None:
    """A mutant that a test notices is caught, one that none notices survives, and one that no test runs does, too.

    Copies lie within the project, as they do by default.
    """
    root = made_project(tmp_path / "root", NOTICES)
    covering = made_covering(tmp_path, {"tests/test_made.py::test_it": [2, 3]}, {"tests/test_made.py::test_it": 0.1})
    copies = [running.copy_project(root, root / f".mutation/copy{number}") for number in range(2)]
    covering.copy = tmp_path
    session = tmp_path / "session.sqlite"
    mutants.keep(MUTANTS, session)
    running.hold_unchanged(score.pending(session), covering, copies[0])
    for mutant, result in running.try_all(score.pending(session), covering, root, copies):
        score.note(session, mutant, result)

    assert [mutant.job_id for mutant in score.survivors(session)] == ["limit"]
    assert subprocess.run(["git", "status", "--short"], cwd=copies[0], capture_output=True).stdout == b""


@pytest.mark.end_to_end
def test_a_study_by_tests_that_always_fail_ends_before_it_begins(tmp_path: Path) -> None:
    """They would catch every mutant. A study without a mutant that a test runs has nothing that could fail."""
    root = made_project(tmp_path / "root", "def test_it():\n    assert False, 'as ever'\n")
    covering = made_covering(tmp_path, {"tests/test_made.py::test_it": [2, 3]}, {"tests/test_made.py::test_it": 0.1})
    copy = running.copy_project(root, root / ".mutation/copy0")
    covering.copy = tmp_path

    with pytest.raises(SystemExit, match=r"(?s)^these tests fail without any change, .* as ever"):
        running.hold_unchanged(MUTANTS, covering, copy)
    running.hold_unchanged([], covering, copy)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("tests", "caught"),
    [
        (f"@pytest.mark.end_to_end\n{NOTICES}", {"swapped"}),
        ("@pytest.mark.end_to_end\ndef test_it():\n    assert False\n", set()),
    ],
    ids=["a test that notices", "a test that always fails"],
)
def test_what_is_caught_end_to_end(tests: str, caught: set[str], tmp_path: Path) -> None:
    """A mutant with which a test fails that passes without it: a test that always fails catches none."""
    root = made_project(tmp_path / "root", tests)
    copy = running.copy_project(root, root / ".mutation/copy0")

    assert {mutant.job_id for mutant in MUTANTS if running.caught_end_to_end(mutant, root, copy, 60)} == caught
