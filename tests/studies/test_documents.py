"""Every example in README.md and the handbook is run; a long one at a smaller size, through the same code."""

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.harness.pinned_seeds import CELLS, cell_name
from benchmarks.studies import change_points, false_alarms, many_records, pass_rates
from benchmarks.studies.documents import command_line, measured, pages
from benchmarks.studies.pinned_seeds import sort_seeds
from benchmarks.studies.trials import __main__ as trials
from benchmarks.studies.trials.styles import suite_of
from benchmarks.test_coefficients import PINNED
from parabola.commands.app import app
from parabola.compare import session
from parabola.compare.outcome import Options, Outcome
from parabola.report import sections as report_sections
from tests.conftest import users_environment
from tests.made_comparisons import STEADY, made_launch, made_outcome

ROOT = Path(__file__).parents[2]
HANDBOOK = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *HANDBOOK]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
TRIED_APART = (  # by tests that make the files and commits first that are shown or named there
    *("docs/verification.md", "docs/your-own-suite.md"),
    "docs/bisect.md",  # in tests/commands/test_bisect.py
    "docs/new-versions.md",  # in tests/studies/test_new_versions.py
    "docs/cluster.md",  # in tests/ensemble/test_cluster_processes.py
)
BLOCKS = [
    block
    for path in PAGES
    if str(path.relative_to(ROOT)) not in TRIED_APART
    for block in re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
]
COMMANDS = list(dict.fromkeys(line for language, block in BLOCKS if language == "sh" for line in block.splitlines()))
GPU = [command for command in COMMANDS if re.search("freeze|wheels|--small", command)]  # in test_gpu_rehearsal.py
COMMANDS = [command for command in COMMANDS if command not in GPU]
BY_CI = [command for command in COMMANDS if re.match(r"python3 -m venv|pip install -e|pytest -n auto", command)]
COMMANDS = [command for command in COMMANDS if command not in BY_CI]
# With a backend of their own, or several devices, in processes of their own.
APART = [
    command for command in COMMANDS if re.search(r" --(backend|strategy) |^pytest -n |benchmarks.studies.gpu", command)
]
COMMANDS = [command for command in COMMANDS if command not in APART]
TRAIN = [command for command in COMMANDS if command.startswith("parabola train")]
MAPS = [command for command in COMMANDS if command.startswith("parabola map")]
TABLES = ["python -m benchmarks.studies.pass_rates", "python -m benchmarks.studies.false_alarms"]
PEERS = [command for command in COMMANDS if command.startswith("python -m benchmarks.studies.compare_peers")]
COMPARE = [command for command in COMMANDS if command.startswith("parabola compare")]
TRIALS = [command for command in COMMANDS if command.startswith("python -m benchmarks.studies.trials")]
REPORT = [command for command in COMMANDS if command.startswith("parabola report")]
ARRIVALS, CHANGES, REPORTS, GATE, LOOKING, MANY, REFRESH, KEEP, GROWTH, MEMBERS = (
    "python -m benchmarks.studies.time_to_accuracy",  # in tests/studies/test_time_to_accuracy.py
    "python -m benchmarks.studies.change_points",
    "python -m benchmarks.studies.reports_of_nothing --reports 400",  # in tests/studies/test_reports_of_nothing.py
    "python -m benchmarks.studies.gate_of_nothing --histories 20",  # in tests/studies/test_gate_of_nothing.py
    "python -m benchmarks.studies.looking",  # in tests/studies/test_looking.py
    "python -m benchmarks.studies.many_records",
    "python -m benchmarks.studies.documents",
    "parabola keep record.json records --folder records",  # in tests/records/test_keeping.py
    "python -m benchmarks.studies.scale --plot scale.svg",  # in tests/studies/test_scale.py
    "python -m benchmarks.studies.scale.parts_of_members",  # in tests/studies/test_scale.py
)
BACKENDS = "python -m benchmarks.studies.compare_backends"  # in tests/machine/test_backends.py
PYTEST = [command for command in COMMANDS if re.match(r"(XLA_FLAGS=\S+ )?pytest ", command)]
SMALLER = "--engine native --batch-size 111 --samples 999 --rounds 1 -k epoch_time"


def run(command: list[str], folder: Path) -> str:
    environment = users_environment()
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_every_command_is_of_a_kind_that_is_run() -> None:
    """Those that install, and the tests, are run by .ci/run, which takes them from here; the rest below."""
    assert BY_CI == [
        "python3 -m venv .venv && . .venv/bin/activate",
        "pip install -e . && pytest --benchmark-only",
        "pip install -e '.[dev,jax,torch]' && pytest -n auto",
        "pytest -n auto -m end_to_end -k backends",
    ]
    assert len(GPU) == 4
    records = [*REPORT, ARRIVALS, CHANGES, REPORTS, GATE, LOOKING, MANY, REFRESH, KEEP, GROWTH, MEMBERS, BACKENDS]
    assert sorted(COMMANDS) == sorted(PEERS + TRAIN + MAPS + TABLES + PYTEST + COMPARE + TRIALS + records)


@pytest.mark.end_to_end
@pytest.mark.parametrize("command", TRAIN)
def test_train_examples(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written; the picture that is named is there afterwards."""
    monkeypatch.chdir(tmp_path)
    options = shlex.split(command)[1:]
    answer = CliRunner().invoke(app, options)

    assert answer.exit_code == 0, answer.output
    assert os.listdir(tmp_path) == options[options.index("--plot") + 1 :][:1] if "--plot" in options else True


@pytest.mark.end_to_end
@pytest.mark.parametrize("command", APART)
def test_examples_of_backends_and_several_devices(command: str, tmp_path: Path) -> None:
    """At a smaller size, and with the CPU where a GPU is written."""
    backend = re.search(r"--backend (\w+)", command)
    if backend and find_spec(backend[1]) is None:
        pytest.skip(f"backend {backend[1]} is not installed: pip install -e '.[{backend[1]}]'")
    here = re.sub(r"gpu:all|gpu$", "cpu", command).replace("benchmarks/records/gpu", f"{tmp_path}/records")
    words = shlex.split(here.replace("-n 8", "-n 2"))
    smaller = {
        "map": ["--seeds=4", "--batch-sizes=999", "--learning-rates=0.1", "--epochs=9", f"--json={tmp_path}/map.json"],
        "benchmarks.studies.gpu": ["--device=cpu", "--minutes=0"],
        "--benchmark-only": [*shlex.split(SMALLER), f"--benchmark-json={tmp_path}/record.json"],
        "-n": ["-k", "same_bits and native"],
    }
    more = [option for word, options in smaller.items() if word in words for option in options]
    variables = [word for word in words if re.match("[A-Z_]+=", word)]
    words = words[len(variables) :]
    python = [sys.executable, *words[1:]] if words[0] == "python" else [sys.executable, "-m", *words]
    said = run(["env", *variables, *python, *more], ROOT)

    assert re.search(r"Median time per epoch|coefficient error|pass rate|which share|the time is up|\d+ passed", said)


@pytest.mark.end_to_end
@pytest.mark.parametrize("command", MAPS)
def test_map_examples(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 12 seeds, 60 epochs and few cells; the files that are named are there afterwards."""
    monkeypatch.chdir(tmp_path)
    smaller = ["--seeds", "12", "--epochs", "60", "--batch-sizes", "111", "--learning-rates", "0.1"]
    given = re.sub(r" --(batch-sizes|learning-rates)[ =]\S+", "", command)  # else the smaller ones would be added
    answer = CliRunner().invoke(app, [*shlex.split(given)[1:], *smaller])

    assert answer.exit_code == 0, answer.output
    named = re.findall(r"--(?:plot|json) (\S+)", command)
    assert sorted(os.listdir()) == sorted(named if "--json" in command else [*named, "learning_map.json"])


@pytest.mark.end_to_end
def test_recommended_settings_teach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 99 % of seeds end with an error below 0.001: of 400, none fails, as in the handbook's 4,000."""
    monkeypatch.chdir(tmp_path)
    (command,) = [command for command in MAPS if "--init sign-aware" in command]
    assert CliRunner().invoke(app, [*shlex.split(command)[1:], "--seeds", "400"]).exit_code == 0
    (cell,) = json.loads(Path("recommended.json").read_text())["cells"]

    assert cell["passes"] == cell["seeds"] == 400


def test_pass_rates_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """From the committed baseline, of which nothing is missing; the handbook has what it prints."""
    pass_rates.main()

    assert capsys.readouterr().out.strip() in TEXT


@pytest.mark.end_to_end
def test_false_alarms_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a pool of 800 seeds in one cell, in two parts, and 50 suites; the second time nothing is trained."""
    monkeypatch.setattr(false_alarms, "CELLS", ((111, 0.1),))
    monkeypatch.setattr(false_alarms, "PART_SEEDS", 400)
    false_alarms.main(pool=tmp_path, seeds=800, suites=50)
    said = capsys.readouterr().out

    assert re.search(r"\| batch size 111, learning rate 0.1 \| +9\d\.\d \(\d\d\.\d–\d\d\.\d\) % \| 0\.0056 % \|", said)
    assert re.search(r"\| +5 % \| +[0-8] of 50: ", said)
    monkeypatch.setattr("parabola.ensemble.learning_map.Ensemble", lambda *_, **__: pytest.fail("trained again"))
    false_alarms.main(pool=tmp_path, seeds=800, suites=50)
    assert capsys.readouterr().out == said


@pytest.mark.end_to_end
@pytest.mark.parametrize("command", PYTEST)
def test_pytest_examples(command: str) -> None:
    """As written, but for one more engine and batch size, each collects the case that these choose, and others."""
    *variables, program = re.split(r" ?(?=pytest )", command)
    words = [*shlex.split(" ".join(variables)), sys.executable, "-m", *shlex.split(f"{program} {SMALLER}")]
    said = run(["env", *words, "--collect-only"], ROOT)

    assert "<Function bench_epoch_time[native-cpu-batch_111-learning_rate_0.001" in said


@pytest.mark.end_to_end
def test_pytest_examples_for_real(tmp_path: Path) -> None:
    """The options of all of them in one command, at a smaller size: both engines at one batch size, one round."""
    variables = dict.fromkeys(word for command in PYTEST for word in command.split() if re.match("[A-Z_]+=", word))
    written = [re.findall(r" (--\w[\w-]*(?:[ =][^-\s]\S*)?)", command.partition("pytest")[2]) for command in PYTEST]
    options = dict.fromkeys(option for options in written for option in options)
    cases = "--learning-rate 0.001 -k 'epoch_time and batch_111'"
    smaller = [*options, SMALLER, cases, f"--benchmark-storage={tmp_path}/store"]
    words = shlex.split(" ".join(smaller).replace("record.json", f"{tmp_path}/record.json"))
    said = run(["env", *variables, sys.executable, "-m", "pytest", *words], ROOT)

    assert "Median time per epoch" in said
    assert (tmp_path / "record.json").exists()
    assert len([*(tmp_path / "store").rglob("*.json")]) == 1


@pytest.mark.parametrize("command", COMPARE)
def test_compare_examples(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written, with a launch that was made up: pytest gets the options behind --, and the files named are there."""
    asked = list[Options]()

    def compare(options: Options, *_: Any) -> Outcome:
        asked.append(options)
        return made_outcome([made_launch(0, [STEADY])], ended="budget")

    monkeypatch.setattr(session, "compare", compare)
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, shlex.split(command)[1:])
    named = re.findall(r"\S+\.(?:json|md|svg)", command)

    assert answer.exit_code == 0, answer.output
    assert "control: " in answer.output
    assert [[*options.pytest_options] for options in asked] == [command.partition(" -- ")[2].split()]
    assert sorted(os.listdir(tmp_path)) == sorted(named)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("kind", "budget"), [("--self-test", "15s"), ("--metric", "15s"), ("whole suite", "25s"), ("some cases", "20s")]
)
def test_compare_examples_for_real(kind: str, budget: str, tmp_path: Path) -> None:
    """Against HEAD, for some seconds, with the options of all examples of a kind in one command: the whole suite at one
    batch size, or one case of `native`.

    The files that are named are there afterwards. Our own cases are in seconds per epoch, with their answers.
    """
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    kinds = {"whole suite": "^[^-]*$", "some cases": "^((?!--self-test|--metric).)* -- "}
    alike = [one for one in COMPARE if re.search(kinds.get(kind, kind), one)]
    ours = dict.fromkeys(found for one in alike for found in re.findall(r"--\w+ [^-\s]\S*", one.partition(" -- ")[0]))
    suites = dict.fromkeys(one.partition(" -- ")[2].replace("--engine compiled ", "") for one in alike)
    paths = [re.sub(r"(\S+\.(?:json|md|svg))", rf"{tmp_path}/\1", option) for option in ours]
    options = " ".join([*paths, "--self-test" if "--self" in kind else "", f"--budget {budget} --"])
    case = "--engine native --batch-size 1 --learning-rate 0.001" if kind != "whole suite" else "--batch-size 111"
    case = f"{max(suites, key=len)} {case} --epochs 10"
    command = shlex.split(f"-m parabola compare HEAD {options} {case}")
    answer = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert answer.returncode in (0, 1, 4), answer.stdout + answer.stderr  # with so few rounds it may be anything
    assert "control: " in answer.stdout
    named = {Path(name).name for one in alike for name in re.findall(r"\S+\.(?:json|md|svg)", one)}
    assert {*os.listdir(tmp_path)} == named
    if kind == "some cases":
        (measured,) = json.loads((tmp_path / "comparison.json").read_text())["cases"]
        assert 1e-7 < measured["median_seconds"]["head"] < 1e-3
        assert measured["coefficient_error"]["base"] == measured["coefficient_error"]["head"] > 0


@pytest.mark.parametrize("command", TRIALS)
def test_trials_examples(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written, but for one comparison and a smaller number drawn, with a launch that was made up."""

    outcome = made_outcome([made_launch(0, [STEADY])], ended="budget")
    monkeypatch.setattr(trials, "suite_of", lambda *given: replace(suite_of(*given), cases=(STEADY,)))
    monkeypatch.setattr(trials, "compare", lambda *_: outcome)
    monkeypatch.chdir(tmp_path)
    options = shlex.split(re.sub(r"--resampled \S+", "--resampled 20", command))[3:]
    made = typer.Typer()
    made.command()(trials.run)
    answer = CliRunner().invoke(made, [*options, "--comparisons", "1"])

    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("1 comparisons of a tree with itself, ")
    assert ("planted slowdowns found: " in answer.stdout) == ("--slowdown" in command)
    assert ("drawn from these launches" in answer.stdout) == ("--resampled" in command)


@pytest.mark.end_to_end
def test_a_trials_example_for_real(tmp_path: Path) -> None:
    """One comparison, of some seconds, of `native` at few epochs; run again it only counts."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    (command,) = [one for one in TRIALS if "--slowdown 0.1" in one]
    options = shlex.split(re.sub(r"--(budget|folder|comparisons) \S+", "", command))[1:]
    smaller = ["--comparisons", "1", "--engine", "native", "--budget", "8", "--epochs", "10", "--rounds", "4"]
    said = run([sys.executable, *options, *smaller, "--resampled", "20", "--folder", str(tmp_path)], ROOT)

    assert said.startswith("1 comparisons of a tree with itself, ")
    assert "planted slowdowns found: " in said
    assert "drawn from these launches" in said
    assert run([sys.executable, *options, *smaller, "--resampled", "20", "--folder", str(tmp_path)], ROOT) == said


@pytest.mark.end_to_end
@pytest.mark.parametrize("command", REPORT)
def test_report_examples(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As written, on the committed records; the files that are named are there afterwards."""
    monkeypatch.chdir(tmp_path)
    machine = next((ROOT / "benchmarks/records").iterdir())
    for place in (".benchmarks/Linux", "benchmarks/records/one", "records", "cpu_machine", "gpu_machine"):
        shutil.copytree(machine, place)
    shutil.copytree(ROOT / "benchmarks/full_grid", "benchmarks/full_grid")
    if "--as" in command:
        shutil.copy(sorted(machine.glob("*.json"))[-1], ".benchmarks/Linux/record.json")
        command = command.partition(" >")[0].replace("record.json", ".benchmarks/Linux/record.json")
    answer = CliRunner().invoke(app, shlex.split(command)[1:])

    assert answer.exit_code == 0, answer.output
    assert "--as" in command or "Median time per epoch" in answer.output
    assert "--as" not in command or len(json.loads(answer.stdout)) > 20
    named = re.findall(r"--(?:html|markdown) (\S+)", command)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == sorted(named)


def test_change_points_command_prints_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """With 50 series a row; the handbook's tables have the same rows and headings."""
    change_points.main(number=50)
    printed = capsys.readouterr().out
    tables = [re.sub(r"\d+\.\d %|-{2,}", "…", text) for text in (printed, TEXT)]

    assert all(line in tables[1].splitlines() for line in tables[0].splitlines())


@pytest.mark.end_to_end
def test_many_records_command(capsys: pytest.CaptureFixture[str]) -> None:
    """With 30 records."""
    many_records.main(number=30)

    assert re.fullmatch(r"30 records: page, Markdown and terminal in \d+\.\d s\n", capsys.readouterr().out)


def test_tables_and_pictures_are_those_of_the_committed_records() -> None:
    """`python -m benchmarks.studies.documents` would change nothing."""
    found = measured.read()
    sections = report_sections.sections(found)
    chart = measured.epoch_chart(sections)
    drawn = io.StringIO()
    chart.save(drawn, format="svg")
    pictures = drawn.getvalue(), measured.CHART.read_text()
    labels = [sorted(re.findall(r'aria-label="([^"]*)"', picture)) for picture in pictures]
    texts = pages.read()

    assert found
    assert pages.refresh(texts, {**measured.blocks(found, sections), **command_line.blocks()}) == texts
    assert labels[0] == labels[1]
    assert sum(label.startswith("batch size") for label in labels[0]) == 16  # a point of the picture each


def test_the_history_workflow_runs_the_handbooks_commands() -> None:
    """All four, in their order."""
    workflow = (ROOT / ".github/workflows/history.yml").read_text()
    runs = re.findall(r"run: (pytest .*|parabola .*)", workflow)

    assert len(runs) == 4
    assert "\n".join(runs) in TEXT


@pytest.mark.end_to_end
@pytest.mark.parametrize("command", [max(PEERS, key=len)])
def test_compare_peers_examples(command: str) -> None:
    """The one with all options; one turn at one batch size, without JAX, to which both come down."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler here")
    options = shlex.split(re.sub(r"--turns \d+|--jax-python \w+", "", command))[1:]
    said = run([sys.executable, *options, "--turns", "1", "--batch-size", "27"], ROOT)

    assert re.search(r"\| compiled : limit.c +\| \d", said)


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "python"])
def test_python_examples(block: str) -> None:
    """As written."""
    exec(compile(block, "handbook", "exec"), {})


def test_pinned_seeds_command_finds_what_is_committed() -> None:
    """For one cell, in which nothing is near the edge."""
    cell = next(cell for cell in CELLS if cell_name(cell) == "one_neuron-batch_111-learning_rate_0.001")

    assert sort_seeds(cell) == PINNED[cell_name(cell)]


def test_files_that_the_pages_name_are_there() -> None:
    """A path of the project between backquotes leads to a file, as does each link of README.md."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\(([\w./-]+)\)", readme)
    named += re.findall(r"`((?:benchmarks|parabola|\.github)/[\w./]+\w/?)`", TEXT)

    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_is_one_page() -> None:
    """It has 150 lines at most, and its lines are 120 characters wide outside of tables, pictures and blocks."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    prose = re.sub(r"^(```.*?^```|[|!\[].*?)$", "", readme, flags=re.MULTILINE | re.DOTALL)

    assert len(readme.splitlines()) <= 150
    assert [line for line in prose.splitlines() if len(line) > 130] == []


@pytest.mark.parametrize("path", HANDBOOK, ids=lambda path: path.stem)
def test_a_page_opens_with_its_question_and_ends_with_where_to_go(path: Path) -> None:
    """The first line is the question that the page answers, the last one leads on."""
    first, *_, last = path.read_text(encoding="utf-8").splitlines()

    assert re.fullmatch(r"# .+\?", first)
    assert re.match(r"Next: \[.+\]\(.+\.md(#.+)?\)", last)


def test_every_picture_has_a_text_for_those_who_do_not_see_it() -> None:
    """The alternative text says what the picture shows, not what it is called."""
    pictures = re.findall(r"!\[(.*?)\]\(", TEXT)

    assert len(pictures) >= 6
    assert [text for text in pictures if len(text.split()) < 5] == []


def test_the_tests_that_the_page_on_security_names_are_there() -> None:
    """Each of what is not trusted has a test, which is found under that name."""
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+)`", page)
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }

    assert len(named) >= 10
    assert [name for name in named if name not in known] == []
