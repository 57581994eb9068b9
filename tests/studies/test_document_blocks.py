"""How blocks and pictures of the pages are made from records: which are read, what stands in a block, and where."""

import copy
import hashlib
import re
import subprocess
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from benchmarks.studies.documents import __main__ as documents
from benchmarks.studies.documents import command_line, drawn, measured, pages
from parabola.display import pictures
from parabola.records import schema
from parabola.report import answer, page
from parabola.report import sections as report_sections
from tests import made_records

NATIVE = "native-cpu-batch_9-learning_rate_0.001"


@pytest.fixture(name="paths")
def _paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Three records in two folders; the second of them, by their names, was measured last."""
    small = [one for one in made_records.suite() if one["param"] in (NATIVE, NATIVE.replace("_9", "_27"))]
    contents = [made_records.record(copy.deepcopy(small), commit=commit) for commit in (0, 4, 3)]
    for content, name in zip(contents, ("a", "b", "c"), strict=True):
        content["parabola"]["left_out"] = [f"{name}: predicted 99 s"]
    made_records.named(contents[1]["benchmarks"], NATIVE)["extra_info"]["verdict"] = "fail"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    found = made_records.write(tmp_path / "two", *contents)
    found[0] = found[0].rename(tmp_path / "one/0009.json")
    (tmp_path / "one/notes.txt").write_text("no record")
    monkeypatch.setattr(measured, "RECORDS", tmp_path)
    return found


def test_records_are_read_by_folder_and_name(paths: list[Path]) -> None:
    """Other files are none; a record that cannot be read is an error."""
    assert measured.record_paths() == paths
    assert [record.path for record in measured.read()] == [str(path) for path in paths]

    paths[1].write_text("{}")
    with pytest.raises(schema.Unreadable):
        measured.read()


def test_the_summary_is_of_the_record_that_was_measured_last(paths: list[Path]) -> None:
    """It is what the suite's session printed, without spaces at ends of lines, in a block of text."""
    found = measured.read()
    summary = measured.blocks(found, report_sections.sections(found))["summary"]

    assert summary.splitlines()[:2] == ["```text", "left out: b: predicted 99 s"]
    assert [" ".join(line.split()) for line in summary.splitlines() if " µs" in line] == [
        *("9 0.001 3.34 µs†", "27 0.001 2.05 µs")
    ]
    assert summary.splitlines()[-2:] == [
        "† a right run (as the reference), at whose end the coefficient error is not below the learning rate",
        "```",
    ]
    assert "\n\n```" not in summary
    assert not re.search(r" $", summary, flags=re.MULTILINE)


def test_the_history_is_the_reports_part_on_the_past_alone(paths: list[Path]) -> None:
    """It is fenced without empty lines at its ends."""
    found = measured.read()

    assert measured.blocks(found, report_sections.sections(found))["history"].splitlines() == [
        *("```text", "History", "3 commits from 2026-01-01 to 2026-01-01, 2 cases."),
        "Changes of level are looked for from 10 commits on.",
        "```",
    ]


def test_the_picture_of_the_page_is_marked_with_a_hash_of_all_records_in_their_order(paths: list[Path]) -> None:
    """A change of one byte in one record changes the mark."""
    found = measured.read()
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()

    assert measured.blocks(found, report_sections.sections(found))["records"] == (
        f"![The page, which answers first](report.png)\n\n<!-- pictures of the records with the hash {digest[:12]} -->"
    )


def test_a_block_is_160_columns_wide() -> None:
    """A rule across the console shows it."""
    assert measured._fenced(lambda console: console.rule()) == f"```text\n{'─' * 160}\n```"


FIRST, SECOND = Path("first.md"), Path("second.md")
TEXTS = {
    FIRST: "a\n<!-- BEGIN: one -->\nold\nolder\n<!-- END: one -->\nb\n",
    SECOND: "<!-- BEGIN: two -->\n<!-- END: two -->\nc\n",
}


def test_blocks_are_replaced_between_their_marks() -> None:
    r"""All else stays as it was, in each page; what looks like a group of a pattern, as \1, is written as it is."""
    assert pages.refresh(TEXTS, {"two": "new", "one": "x\n\\1"}) == {
        FIRST: "a\n<!-- BEGIN: one -->\nx\n\\1\n<!-- END: one -->\nb\n",
        SECOND: "<!-- BEGIN: two -->\nnew\n<!-- END: two -->\nc\n",
    }
    assert pages.refresh(TEXTS, {}) == TEXTS


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        ({FIRST: "none"}, 0),
        ({FIRST: TEXTS[FIRST] * 2}, 2),
        ({FIRST: TEXTS[FIRST], SECOND: TEXTS[FIRST]}, 2),
        ({FIRST: TEXTS[FIRST] * 2, SECOND: TEXTS[FIRST]}, 3),
    ],
)
def test_a_block_that_is_not_there_once_is_refused(texts: dict[Path, str], number: int) -> None:
    """The message says which, and how many there are in all pages together."""
    with pytest.raises(ValueError, match="README") as refused:
        pages.refresh(texts, {"one": "new"})

    said = "README.md and docs/ should have one block between BEGIN: one and END: one."
    assert str(refused.value) == f"{said} Found: {number}"


def test_all_is_written_anew(paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart is the first picture of now, 620 wide; the page of the same report is photographed."""
    found = measured.read()
    sections = report_sections.sections(found)
    names = [*measured.blocks(found, sections), *command_line.blocks()]
    texts = [f"{name}\n<!-- BEGIN: {name} -->\n<!-- END: {name} -->\n" for name in names]
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("".join(texts[:2]), encoding="utf-8")
    (tmp_path / "docs/page.md").write_text("".join(texts[2:]), encoding="utf-8")
    (tmp_path / "CONTRIBUTING.md").write_text("no block", encoding="utf-8")
    saved, taken = list[tuple[Any, Path]](), list[str]()
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(measured, "CHART", tmp_path / "chart.svg")
    monkeypatch.setattr(pictures, "save", lambda chart, path: saved.append((chart.to_dict(validate=False), path)))
    monkeypatch.setattr(page, "_libraries", lambda: "LIBRARY")
    monkeypatch.setattr(measured, "take_screenshot", taken.append)
    before = pages.read()
    documents.main()
    (chart, path), (html,) = *saved, taken
    blocks = {**measured.blocks(found, sections), **command_line.blocks()}

    assert list(before) == [tmp_path / name for name in ("README.md", "CONTRIBUTING.md", "docs/page.md")]
    assert pages.read() == pages.refresh(before, blocks) != before
    assert path == tmp_path / "chart.svg"
    assert chart["width"] == 620
    assert chart["title"] == "One training run, executed in four ways: time per epoch of 999 samples"
    assert chart["layer"] == sections[0].pictures[0].panels[0].chart.to_dict(validate=False)["layer"]
    assert html == page.page(sections, answer.opening(found))


def test_the_excerpt_has_the_settings_that_every_engine_was_measured_at() -> None:
    """Of two batch sizes of two engines and one of a single engine, the latter is left out."""
    pairs = [("native", 9, 2e-6), ("compiled", 9, 3e-6), ("native", 27, 1e-6), ("compiled", 999, 4e-6)]
    pairs.append(("native", 999, 5e-6))
    infos = [
        (
            {
                "engine": engine,
                "device": "cpu",
                "batch_size": size,
                "learning_rate": 0.1,
                "samples": 999,
                "verdict": "pass",
            },
            median,
        )
        for engine, size, median in pairs
    ]
    times = measured.full_rows([*infos, ({"engine": "fit", "device": "cpu", "batch_size": 27}, 1.0)])

    assert [(time.answer.engine, time.answer.batch_size, time.seconds_per_epoch) for time in times] == [
        pair for pair in pairs if pair[1] != 27
    ]


def test_the_options_of_a_command_by_hand() -> None:
    """A row has what is typed, the help and the default; a switch has no value, and an argument no flag."""

    def command(
        revision: Annotated[str, typer.Argument(help="What to measure.")],
        as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
        batch_size: Annotated[int | None, typer.Option(help="1 or more.")] = None,
        budget: Annotated[str, typer.Option(metavar="TIME", help="At most.")] = "5m",
        low: Annotated[float, typer.Option(help="The lower end.")] = 0.0,
        context: str = "",
    ) -> None:
        """Measure it.

        And more.
        """

    assert command_line.command_table("measure", command).splitlines() == [
        "## parabola measure",
        "",
        "Measure it.",
        "",
        "| option | meaning | default |",
        "|---|---|---|",
        "| `REVISION` | What to measure. |  |",
        "| `--json` | As JSON. |  |",
        "| `--batch-size NUMBER` | 1 or more. |  |",
        "| `--budget TIME` | At most. | `5m` |",
        "| `--low NUMBER` | The lower end. | `0.0` |",
    ]


def test_without_a_browser_no_picture_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with one line."""
    monkeypatch.setattr(measured, "CHROMIUM", None)
    with pytest.raises(SystemExit) as ended:
        measured.take_screenshot("<p>")

    assert (
        ended.value.code == "python -m benchmarks.studies.documents: needs Chromium for its screenshot, and finds none"
    )


def test_every_picture_of_the_handbook_has_the_command_that_draws_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is drawn into docs/, by the command of a page or from the committed records; a failure is told."""
    ran = list[list[str]]()
    codes = iter((0, 1, 4))

    def run(command: list[str], **_: Any) -> Any:
        ran.append(command[3:])
        return subprocess.CompletedProcess(command, next(codes))

    monkeypatch.setattr(subprocess, "run", run)
    text = "parabola train --plot a.svg\n`parabola x --plot no.svg`\nparabola map --plot b.svg -- -k 'c d'\n"
    assert drawn.commands({Path("e"): "python -m a.b --plot e.svg\n"}) == {"e.svg": ["a.b", "--plot", "e.svg"]}
    drawn.draw({Path("a"): text})

    docs = pages.ROOT / "docs"
    assert ran[0] == ["train", "--plot", str(docs / "a.svg")]
    assert ran[1][:2] == ["map", "--json"]
    assert ran[1][3:] == ["--plot", str(docs / "b.svg"), "--", "-k", "c d"]
    with pytest.raises(subprocess.CalledProcessError):
        drawn.draw({Path("c"): "parabola compare main --plot c.svg\n"})
    assert {*drawn.commands(pages.read()), measured.CHART.name} == {path.name for path in docs.glob("*.svg")}
