"""`python -m parabola report`, in this process: what it reads, prints, writes and refuses, and how it exits."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from parabola.commands.app import app
from parabola.display import console
from parabola.records import reading
from parabola.report import page, parts
from parabola.report import sections as report_sections
from parabola.report import text as report_text
from parabola.report.answer import opening
from tests import made_records

CASE = "compiled-cpu-batch_9-learning_rate_0.001"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, with a page whose drawing library is a word."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(page, "_libraries", lambda: "LIBRARY")
    return tmp_path


def content(commit: int = 0, **changed: Any) -> dict[str, Any]:
    """Return a record with one case, of which nothing is drawn."""
    return made_records.record([made_records.named(made_records.suite(), CASE)], commit=commit, **changed)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def text_of(sections: list[parts.Section]) -> str:
    """Return what a console of 200 columns shows of a report."""
    stream = io.StringIO()
    report_text.print_report(sections, Console(file=stream, width=200, highlight=False))
    return stream.getvalue()


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_records_are_reported_on_stdout_and_in_the_files_that_are_named(folder: Path) -> None:
    """The page, the Markdown and the terminal show the same report; the page's title is a question."""
    paths = made_records.write(folder, content(0), content(2), content(1, machine={"kernel": "7.0"}))
    read = [reading.read(Path(path.name)) for path in paths]
    sections = report_sections.sections(read)
    answer = run("0001_made.json", "000[23]*.json", "--html", "Page.HTML", "--markdown", "said.md")

    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout == text_of(sections)
    assert Path("said.md").read_text(encoding="utf-8") == report_text.markdown(sections)
    assert Path("Page.HTML").read_text(encoding="utf-8") == page.page(sections, opening(read))
    assert len(listing(folder)) == 5


def test_without_a_file_to_write_nothing_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No page is drawn; names of machines are those that the sources give."""
    monkeypatch.setattr(page, "page", lambda *_: pytest.fail("drawn"))
    made_records.write(folder, content(0), content(1, machine={"kernel": "7.0"}))
    before = listing(folder)
    answer = run("old=0001_made.json", "new=0002_made.json")

    assert answer.exit_code == 0
    assert [
        line for line in answer.stdout.splitlines() if line.startswith(("Now", "History")) or "against" in line
    ] == [*("Now: new", "Now: old", "old against new", "History: new", "History: old")]
    assert listing(folder) == before


def test_without_a_source_the_newest_record_under_benchmarks_is_reported_alone(folder: Path) -> None:
    """Other folders do not count."""
    (folder / ".benchmarks/Linux").mkdir(parents=True)
    made_records.write(folder, content(3))
    made_records.write(folder / ".benchmarks/Linux", content(1))

    assert run().stdout.splitlines()[1].startswith(f"Commit {made_records.commit_id(1)[:9]}, measured ")


def test_what_is_no_record_is_told_on_stderr_and_the_rest_reported(folder: Path) -> None:
    """Reasons come in the order of the files."""
    (path,) = made_records.write(folder, content())
    (folder / "0000.json").write_text("{}")
    (folder / "0009.json").write_text("")
    answer = run("0000.json", "0001_made.json", "0009.json")

    assert answer.exit_code == 0
    assert answer.stderr == "skipped 0000.json: not a record of pytest-benchmark\nskipped 0009.json: empty\n"
    assert answer.stdout == text_of(report_sections.sections([reading.read(Path(path.name))]))


def test_without_any_record_nothing_is_written_and_it_exits_6(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reason is told, and then how many files there were; no page is drawn."""
    monkeypatch.setattr(page, "page", lambda *_: pytest.fail("drawn"))
    (folder / "a.json").write_text("{}")
    (folder / "b.json").write_text("[")
    answer = run(".", "--html", "page.html", "--markdown", "said.md")

    assert (answer.exit_code, answer.stdout) == (6, "")
    first, second, last = answer.stderr.splitlines()
    assert first == "skipped a.json: not a record of pytest-benchmark"
    assert second.startswith("skipped b.json: not JSON, or cut off (")
    assert last == "python -m parabola: none of 2 files is a record that can be read"
    assert sorted(listing(folder)) == ["a.json", "b.json"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--html", "a.md"), "unknown format '.md' of a.md; known: .html"),
        (("--markdown", "a.html"), "unknown format '.html' of a.html; known: .md"),
        (("--html", "no/a.html"), "cannot write no/a.html: No such file or directory"),
        (("gone.json",), "no record there: a JSON file, a folder of them or a glob. Received: 'gone.json'"),
        (
            ("x=0001_made.json", "x=0002_made.json"),
            "a name is for one machine. Received: 'x' for two, which differ: gpu: none, not G",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exits_2(arguments: tuple[str, ...], says: str, folder: Path) -> None:
    """Nothing is printed besides, and nothing written."""
    made_records.write(folder, content(), content(machine={"gpu": "G"}))
    before = listing(folder)
    answer = run("0001_made.json", *arguments) if "--" in arguments[0] else run(*arguments)

    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == f"python -m parabola: {says}\n"
    assert listing(folder) == before


@pytest.mark.parametrize(("option", "name"), [("--html", "record.html"), ("--markdown", "record.md")])
def test_no_record_is_overwritten_however_its_path_is_written(option: str, name: str, folder: Path) -> None:
    """It is told with the path as it was given; every record counts, not the first alone."""
    first, second = made_records.write(folder, content(0), content(1))
    second.rename(folder / name)
    (folder / "sub").mkdir()
    before = listing(folder)
    answer = run(first.name, name, option, f"sub/../{name}")

    assert answer.exit_code == 2
    said = f"a record would be overwritten: choose another file than sub/../{name}"
    assert answer.stderr == f"python -m parabola: {said}\n"
    assert listing(folder) == before


@pytest.mark.parametrize(("more", "drawing"), [((), False), (("--html", "a.html"), True)])
def test_a_bar_tells_how_far_a_report_is(
    more: tuple[str, ...], drawing: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading, looking for changes and drawing are a third each."""
    made_records.write(folder, content(0), content(1), content(2))
    told = list[Any]()

    @contextmanager
    def bar(form: str, total: float) -> Iterator[Callable[..., None]]:
        told.append((form, total))
        yield lambda done, text="": told.append((done, text))

    monkeypatch.setattr(console, "progress_bar", bar)
    (folder / "0000.json").write_text("{}")
    answer = run(".", *more)

    assert answer.exit_code == 0
    assert told == [
        ("{task.fields[text]},", 3.0),
        *((0.25, "1 of 4 records read"), (0.5, "2 of 4 records read"), (0.75, "3 of 4 records read")),
        *((1.0, "4 of 4 records read"), (1.0, "looking for changes"), (2.0, "drawing")),
    ]
    assert Path("a.html").exists() == drawing


def test_help_says_what_is_read_and_written() -> None:
    """Sources, options and their meaning stand there."""
    said = " ".join(run("--help").stdout.split())

    for words in (
        "report [OPTIONS] ",
        "[NAME=]RECORD…",  # between more brackets in newer versions of Typer
        "What do records say? Now, one device against another, and over commits.",
        "Without any, the newest under .benchmarks/ is read.",
        "Files, folders or globs; NAME is what to call its machine.",
        "--html FILE One page that works offline.",
        "--markdown FILE A job's summary.",
    ):
        assert words in said
