"""How the README's blocks and pictures are made from records: which are read, what stands in a block, and where."""

import copy
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.studies import readme
from parabola.display import pictures
from parabola.records import schema
from parabola.report import page
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
    monkeypatch.setattr(readme, "RECORDS", tmp_path)
    return found


def test_records_are_read_by_folder_and_name(paths: list[Path]) -> None:
    """Other files are none; a record that cannot be read is an error."""
    assert readme.record_paths() == paths
    assert [record.path for record in readme.read()] == [str(path) for path in paths]

    paths[1].write_text("{}")
    with pytest.raises(schema.Unreadable):
        readme.read()


def test_the_summary_is_of_the_record_that_was_measured_last(paths: list[Path]) -> None:
    """It is what the suite's session printed, without spaces at ends of lines, in a block of text."""
    found = readme.read()
    summary = readme.blocks(found, report_sections.sections(found))["summary"]

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
    found = readme.read()

    assert readme.blocks(found, report_sections.sections(found))["history"].splitlines() == [
        *("```text", "History", "3 commits from 2026-01-01 to 2026-01-01, 2 cases."),
        "Changes of level are looked for from 10 commits on.",
        "```",
    ]


def test_the_picture_of_the_page_is_marked_with_a_hash_of_all_records_in_their_order(paths: list[Path]) -> None:
    """A change of one byte in one record changes the mark."""
    found = readme.read()
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()

    assert readme.blocks(found, report_sections.sections(found))["records"] == (
        "![The page, with times over batch size](docs/report.png)\n\n"
        f"<!-- pictures of the records with the hash {digest[:12]} -->"
    )


def test_a_block_is_160_columns_wide() -> None:
    """A rule across the console shows it."""
    assert readme._fenced(lambda console: console.rule()) == f"```text\n{'─' * 160}\n```"


BLOCKS = "a\n<!-- BEGIN: one -->\nold\nolder\n<!-- END: one -->\nb\n<!-- BEGIN: two -->\n<!-- END: two -->\nc\n"


def test_blocks_are_replaced_between_their_marks() -> None:
    r"""All else stays as it was; what looks like a group of a pattern, as \1, is written as it is."""
    assert readme.refresh(BLOCKS, {"two": "new", "one": "x\n\\1"}) == (
        "a\n<!-- BEGIN: one -->\nx\n\\1\n<!-- END: one -->\nb\n<!-- BEGIN: two -->\nnew\n<!-- END: two -->\nc\n"
    )
    assert readme.refresh(BLOCKS, {}) == BLOCKS


@pytest.mark.parametrize(("text", "number"), [(BLOCKS.replace("one", "1"), 0), (BLOCKS * 2, 2), (BLOCKS * 3, 3)])
def test_a_block_that_is_not_there_once_is_refused(text: str, number: int) -> None:
    """The message says which, and how many there are."""
    with pytest.raises(ValueError, match="README") as refused:
        readme.refresh(text, {"one": "new"})

    said = "README.md should have one block between BEGIN: one and END: one."
    assert str(refused.value) == f"{said} Found: {number}"


def test_all_is_written_anew(paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart is the first picture of now, 620 wide; the page of the same report is photographed."""
    text = "".join(
        f"{name}\n<!-- BEGIN: {name} -->\n<!-- END: {name} -->\n"
        for name in ("records", "summary", "history", "exit-codes")
    )
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    saved, taken = list[tuple[Any, Path]](), list[str]()
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    monkeypatch.setattr(readme, "CHART", tmp_path / "chart.svg")
    monkeypatch.setattr(pictures, "save", lambda chart, path: saved.append((chart.to_dict(validate=False), path)))
    monkeypatch.setattr(page, "_libraries", lambda: "LIBRARY")
    monkeypatch.setattr(readme, "take_screenshot", taken.append)
    readme.main()
    found = readme.read()
    sections = report_sections.sections(found)
    (chart, path), (html,) = *saved, taken

    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme.refresh(text, readme.blocks(found, sections))
    assert path == tmp_path / "chart.svg"
    assert chart["width"] == 620
    assert chart["layer"] == sections[0].pictures[0].chart.to_dict(validate=False)["layer"]
    assert html == page.page(sections, "parabola")


def test_without_a_browser_no_picture_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with one line."""
    monkeypatch.setattr(readme, "CHROMIUM", None)
    with pytest.raises(SystemExit) as ended:
        readme.take_screenshot("<p>")

    assert ended.value.code == "python -m benchmarks.studies.readme: needs Chromium for its screenshot, and finds none"
