"""Two checkouts measured in turn: whose turn it is, where imports come from, and sides that fail."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Repository
from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.launch import Launch
from parabola.compare.sides.projects import own_names
from parabola.compare.sides.start import Setup
from tests.conftest import FEW_PLUGINS

Project = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("few_plugins")

LOGGING = """
import json, os, time
side = os.path.basename(os.path.dirname(os.path.abspath(__file__)))
def work(case):
    start, cpu = time.monotonic(), time.process_time()
    while time.monotonic() < start + 0.004:
        pass
    with open(os.environ["ROUNDS_LOG"], "a") as log:
        log.write(json.dumps([case, side, start, time.monotonic(), cpu, time.process_time()]) + "\\n")
def test_plain(benchmark):
    benchmark(work, "plain")
def test_pedantic(benchmark):
    benchmark.pedantic(work, args=("pedantic",), rounds=ROUNDS, warmup_rounds=1)
def test_setup(benchmark):
    benchmark.pedantic(work, setup=lambda: (("setup",), {}), rounds=6)
def test_iterations(benchmark):
    benchmark.pedantic(work, args=("iterations",), rounds=4, iterations=3)
"""


@contextmanager
def a_setup(folder: Path, **changes: Any) -> Iterator[Setup]:
    """Check out the first commit and the working tree."""
    repository = Repository.find(folder)
    with repository.checkouts("main", None) as (base, head, scratch):
        names = BySide(own_names(base), own_names(head))
        yield Setup(base, head, scratch, **{"elsewhere": repository.top.resolve(), "own_names": names, **changes})


def launch(folder: Path, number: int = 0, cases: list[str] | None = None, **changes: Any) -> Launch:
    with a_setup(folder, **changes) as setup:
        made = Launch(setup, number, [min(os.sched_getaffinity(0))], cases)
        made.run()
    return made


@pytest.mark.end_to_end
@pytest.mark.parametrize("number", [0, 1])
def test_rounds_take_turns(number: int, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order base, head, head, base, …, never two at a time, in every mode; who waits uses no CPU."""
    log = tmp_path / "rounds"
    monkeypatch.setenv("ROUNDS_LOG", str(log))
    folder = project(test_it=LOGGING.replace("=ROUNDS,", "=10,"))
    made = launch(folder, number)
    rounds = [json.loads(line) for line in log.read_text().splitlines()]
    first, second = ("base", "head") if number == 0 else ("head", "base")

    assert made.finished
    assert [case.split("_")[-1] for case in made.measured] == ["control", "plain", "pedantic", "setup", "iterations"]
    for (_, _, _, end, *_), (_, _, start, *_) in pairwise(rounds):
        assert end <= start
    sides = {case: [one[1] for one in rounds if one[0] == case] for case in ("pedantic", "setup", "iterations")}
    assert sides["pedantic"] == [first, second, second, first] * 5 + [first, second]
    assert sides["setup"] == [first, second, second, first] * 3
    assert sides["iterations"] == [side for side in [first, second, second, first] * 2 for _ in range(3)]
    for side in ("base", "head"):
        own = [one for one in rounds if one[:2] == ["pedantic", side]]
        waited = sum(after[2] - before[3] for before, after in pairwise(own))
        worked = sum(after[4] - before[5] for before, after in pairwise(own))
        assert waited > 0.03
        assert worked < waited / 3
        assert len(getattr(made.measured["test_it.py::test_pedantic"].seconds, side)) == 10
        triples = [one for one in rounds if one[:2] == ["iterations", side]]
        spans = [last[3] - first[2] for first, last in zip(triples[::3], triples[2::3], strict=True)]
        for per_call, span in zip(
            getattr(made.measured["test_it.py::test_iterations"].seconds, side), spans, strict=True
        ):
            assert span / 3 <= per_call < span
        assert 0.004 <= min(getattr(made.measured["test_it.py::test_plain"].seconds, side)) < 0.04


@pytest.mark.end_to_end
def test_what_only_one_side_has_is_left_out(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases of one side are listed; one that skips is not measured; more rounds than the other's have no partner."""
    monkeypatch.setenv("ROUNDS_LOG", str(tmp_path / "rounds"))
    folder = project(test_it=LOGGING.replace("=ROUNDS,", "=10,"))
    changed = LOGGING.replace("=ROUNDS,", "=4,").replace("test_setup", "test_other")
    (folder / "test_it.py").write_text(
        changed.replace("    benchmark(work", "    __import__('pytest').skip()\n    (work")
    )
    made = launch(folder)

    assert made.only == BySide(["test_it.py::test_setup"], ["test_it.py::test_other"])
    assert [case.split("_")[-1] for case in made.measured] == ["control", "pedantic", "iterations"]
    seconds = made.measured["test_it.py::test_pedantic"].seconds
    assert (len(seconds.base), len(seconds.head)) == (10, 4)


@pytest.mark.end_to_end
def test_a_case_that_is_skipped_within_a_round(project: Project) -> None:
    """It is not measured, no failure, and the cases after it are measured; as is one whose test measures nothing."""
    again = "def test_more(benchmark):\n    benchmark.pedantic(thing.work, rounds=2)\n"
    folder = project(test_it=f"import thing\ndef test_first(benchmark):\n    benchmark(thing.work)\n{again}")
    text = (folder / "test_it.py").read_text().replace("benchmark(thing.work)", "benchmark(skips)")
    (folder / "test_it.py").write_text(
        "import itertools, pytest\ncalls = itertools.count()\n"
        "def skips():\n    if next(calls) > 20:\n        pytest.skip()\n    thing.work()\n" + text
    )
    made = launch(folder)

    assert made.plan == ["control", "test_it.py::test_first", "test_it.py::test_more"]
    assert list(made.measured) == ["control", "test_it.py::test_more"]
    assert made.finished


@pytest.mark.end_to_end
def test_imports_come_from_the_sides_own_tree(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the repository's own folder is on the path; as it is with an editable installation."""
    folder = project()
    thing = folder / "src/thing.py"
    thing.write_text(thing.read_text().replace("first", "second"))
    (folder / "pyproject.toml").write_text("")  # head relies on the path alone
    monkeypatch.syspath_prepend(str(folder / "src"))
    monkeypatch.setenv("PYTHONPATH", str(folder / "src"))
    made = launch(folder)

    information = made.measured["test_it.py::test_pedantic"].extra_info
    assert (information.base["name"], information.head["name"]) == ("first", "second")


@pytest.mark.end_to_end
def test_imports_from_elsewhere_are_found_out(project: Project) -> None:
    """A side that puts the repository itself on its path is not what it claims to be."""
    folder = project()
    (folder / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(folder / 'src')!r})\nimport thing\n")

    with pytest.raises(SideFailed, match=rf"head imported thing from {folder}/src/thing.py, not from its own tree"):
        launch(folder)


FAULTS = {
    "is killed": ("os.kill(os.getpid(), 9)", "head was killed by SIGKILL"),
    "exits": ("os._exit(3)", "head ended with exit code 3: "),
    "hangs": ("time.sleep(60)", "head hangs: silent for 5 s"),
}


@pytest.mark.end_to_end
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("where", ["in a round", "after the rounds"])
def test_a_side_that_fails(fault: str, where: str, project: Project) -> None:
    """It is said which and where; the other is stopped, nothing is left, and what was finished is kept."""
    folder = project()
    does, says = FAULTS[fault]
    test_it = folder / "test_it.py"
    text = f"import os, time\ndef fault():\n    {does}\n" + test_it.read_text()
    text = text.replace("(thing.work,", "(fault,") if where == "in a round" else text + "    fault()\n"
    test_it.write_text(text)
    with a_setup(folder, limit_seconds=5.0) as setup:
        made = Launch(setup, 0, [], None)
        made.run()

    assert [*made.failed] == ["test_it.py::test_pedantic"]
    assert str(made.failed["test_it.py::test_pedantic"]).startswith(says)
    assert list(made.measured) == ["control"]
    assert not made.finished
    for side in made.sides:
        with pytest.raises(ProcessLookupError):
            os.killpg(side.process.pid, 0)


ODD = """
import os, pytest, thing
@pytest.fixture
def broken():
    yield
    raise OSError("teardown")
def test_first(benchmark):
    benchmark.pedantic(thing.work, rounds=2)
    benchmark.extra_info.update({("a", 1): 2, "loop": benchmark, "side": os.environ["PARABOLA_SIDE"]})
    benchmark.extra_info["launch"] = os.environ["PARABOLA_LAUNCH"]
def test_skips(benchmark):
    benchmark.pedantic(lambda: pytest.skip("no"), rounds=2)
def test_fails_in_plain(benchmark):
    benchmark(lambda: 1 / 0)
def test_xfails(benchmark):
    benchmark.pedantic(lambda: pytest.xfail("no"), rounds=2)
@pytest.mark.xfail
def test_is_marked(benchmark):
    benchmark.pedantic(lambda: 1 / 0, rounds=2)
def test_forks_and_returns(benchmark):
    benchmark.pedantic(lambda: os.fork() and os.wait(), rounds=2)
def test_forks_and_raises(benchmark):
    benchmark.pedantic(lambda: os.wait() if os.fork() else 1 / 0, rounds=2)
@pytest.mark.benchmark(timer=lambda: 1.0)
def test_takes_no_time(benchmark):
    benchmark.pedantic(thing.work, rounds=2)
def test_fails_late(benchmark, broken):
    benchmark.pedantic(thing.work, rounds=2)
def test_fails_in_setup(missing, benchmark):
    benchmark.pedantic(thing.work, rounds=2)
def test_is_used_twice(benchmark):
    benchmark.pedantic(thing.work, rounds=2)
    benchmark(thing.work)
def test_last(benchmark):
    benchmark.pedantic(thing.work, rounds=2)
"""


@pytest.mark.end_to_end
def test_odd_benchmarks(project: Project) -> None:
    """Whatever a benchmark does within itself, the others are measured, and what failed has its reason."""
    made = launch(project(test_it=ODD), number=7, pytest_options=("-x",))
    measured = ["control", *(f"test_it.py::test_{name}" for name in ("first", "forks_and_returns", "forks_and_raises"))]
    info = made.measured["test_it.py::test_first"].extra_info

    assert list(made.measured) == [*measured, "test_it.py::test_last"]
    assert info.base == {"('a', 1)": 2, "loop": info.base["loop"], "side": "base", "launch": "7"}
    assert info.head["side"] == "head"
    failed = {case.removeprefix("test_it.py::test_"): str(failure) for case, failure in made.failed.items()}
    assert "Fixture can only be used once" in failed.pop("is_used_twice")
    assert failed == {
        "fails_in_plain": "both sides failed: ZeroDivisionError: division by zero",
        "takes_no_time": "base had a round of 0 s: no ratio follows from it",
        "fails_late": "both sides failed: OSError: teardown",
        "fails_in_setup": "both sides failed: fixture 'missing' not found",
    }
    assert any("1 / 0" in line for line in made.failed["test_it.py::test_fails_in_plain"].output)
    assert made.finished


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("options", "says", "usage"),
    [
        (("--bogus",), r"ended with exit code 4, .*unrecognized arguments: --bogus", True),
        (("-n", "2"), "cannot be compared with numprocesses", True),
        (("-k", "nothing"), r"has no benchmarks \(main\)|has no benchmarks \(working tree\)", False),
    ],
)
def test_options_that_pytest_refuses(
    options: tuple[str, ...], says: str, usage: bool, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own words, in one line."""
    for name in FEW_PLUGINS:  # one option is pytest-xdist's
        monkeypatch.delenv(name)
    folder = project()
    with pytest.raises(SideFailed, match=says) as failure:
        launch(folder, pytest_options=options)

    assert failure.value.usage == usage
    assert "\n" not in str(failure.value)


@pytest.mark.end_to_end
def test_options_that_one_side_refuses(project: Project) -> None:
    """Are no bad input: base has no such file yet."""
    folder = project()
    (folder / "test_new.py").write_text((folder / "test_it.py").read_text())
    with pytest.raises(
        SideFailed, match=r"base ended with exit code 4, starting: ERROR: file or directory not found"
    ) as failure:
        launch(folder, pytest_options=("test_new.py",))

    assert not failure.value.usage


@pytest.mark.end_to_end
def test_no_case_in_common(project: Project) -> None:
    """There is nothing to compare."""
    folder = project()
    (folder / "test_it.py").rename(folder / "test_new.py")
    with pytest.raises(SideFailed, match="base and head have no benchmark in common"):
        launch(folder)


@pytest.mark.end_to_end
def test_an_installed_copy_is_found_out(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A side that imports a package of its own tree from where packages are installed measures neither commit."""
    folder = project()
    installed = Path(sys.prefix) / f"parabola_test_{os.getpid()}"
    (folder / "python" / installed.name).mkdir(parents=True)
    (folder / "python" / installed.name / "__init__.py").touch()
    (folder / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(sys.prefix)!r})\nimport {installed.name}\n"
    )
    installed.mkdir()
    try:
        (installed / "__init__.py").touch()
        with pytest.raises(SideFailed, match=f"head imported {installed.name} from {installed}/__init__.py"):
            launch(folder)
    finally:
        shutil.rmtree(installed)


@pytest.mark.end_to_end
def test_a_suite_that_cannot_be_collected(project: Project) -> None:
    """Its error is passed on."""
    folder = project()
    (folder / "test_it.py").write_text("import nowhere")

    with pytest.raises(SideFailed, match=r"head failed in test_it.py: .*No module named 'nowhere'"):
        launch(folder)


@pytest.mark.end_to_end
def test_a_planted_slowdown_is_real_work(project: Project) -> None:
    """Three times the work in head takes about four times as long there."""
    made = launch(project(), slower={"pedantic": 3.0})
    seconds = made.measured["test_it.py::test_pedantic"].seconds

    assert 2.5 < min(seconds.head) / min(seconds.base) < 6


@pytest.mark.end_to_end
def test_a_slowdown_is_planted_in_one_case(project: Project) -> None:
    """A name that no case has is refused."""
    with pytest.raises(SideFailed, match="plants in one case, but 0 have 'nosuch' in their name"):
        launch(project(), slower={"nosuch": 0.1})


@pytest.mark.end_to_end
def test_only_the_cases_asked_for_run(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the control, always."""
    monkeypatch.setenv("ROUNDS_LOG", str(tmp_path / "rounds"))
    made = launch(project(test_it=LOGGING.replace("=ROUNDS,", "=10,")), cases=["test_it.py::test_setup"])

    assert list(made.measured) == ["control", "test_it.py::test_setup"]


@pytest.mark.end_to_end
def test_the_plugin_ends_when_the_conductor_is_gone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is left when the conductor is killed: here, when its ends of the lines are closed."""

    def hang_up() -> None:
        for side in made.sides:
            side.connection.close()

    folder = project()
    with a_setup(folder) as setup:
        made = Launch(setup, 0, [], None)
        monkeypatch.setattr(made, "_agree_on_cases", hang_up)
        monkeypatch.setattr(made, "_conduct", lambda: [side.process.wait(timeout=20) for side in made.sides])
        made.run()

        assert [side.process.returncode for side in made.sides] == [70, 70]
