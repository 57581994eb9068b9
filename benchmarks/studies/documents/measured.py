"""What the committed records say in the pages: tables, a history, a picture, and a page as a browser shows it."""

import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from benchmarks.harness import summary
from benchmarks.studies.documents.pages import ROOT
from parabola import files
from parabola.records import reading
from parabola.records import record as record_of_records
from parabola.records.extra_info import Answer
from parabola.report import parts
from parabola.report import text as report_text
from parabola.report.epoch_times import EpochTime

RECORDS = ROOT / "benchmarks/records"
CHART, SCREENSHOT = ROOT / "docs/epoch_time.svg", ROOT / "docs/report.png"
WIDTH = 160  # how many characters a line of the printed tables may have
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# JavaScript that is true once all charts of a page are drawn.
DRAWN = "[...document.querySelectorAll('.chart')].every(one => one.querySelector('svg.marks'))"


def record_paths() -> list[Path]:
    """Return the paths of the committed records in the order of their names, which is that of their commits."""
    return sorted(RECORDS.rglob("*.json"))


def read() -> list[record_of_records.Record]:
    """Return the committed records. An unreadable one is an error."""
    return [reading.read(path) for path in record_paths()]


def blocks(records: Sequence[record_of_records.Record], sections: Sequence[parts.Section]) -> dict[str, str]:
    """Return the blocks that are made from records, by the name in their marks.

    Args:
        records: the committed records.
        sections: the sections of the report on these records.
    """
    newest = max(records, key=lambda record: record.measured)
    content = json.loads(Path(newest.path).read_text(encoding="utf-8"))
    measured = [(benchmark["extra_info"], benchmark["stats"]["median"]) for benchmark in content["benchmarks"]]
    past = [section for section in sections if section.title.startswith("History")]
    digest = hashlib.sha256(b"".join(Path(record.path).read_bytes() for record in records)).hexdigest()[:12]
    return {
        "excerpt": _fenced(lambda console: summary.print_epoch_times(full_rows(measured), (), console)),
        "summary": _fenced(lambda console: summary.print_suite(measured, content["parabola"]["left_out"], console)),
        "history": _fenced(lambda console: report_text.print_report(past, console)),
        "records": f"![The page, which answers first]({SCREENSHOT.name})\n\n"
        f"<!-- pictures of the records with the hash {digest} -->",
    }


def full_rows(measured: Sequence[tuple[dict[str, Any], float]]) -> list[EpochTime]:
    """Return the epoch times of those settings that every engine was measured at.

    Args:
        measured: for each benchmark its extra_info, and its median in seconds.
    """
    times = [EpochTime(msgspec.convert(info, Answer), median) for info, median in measured if "verdict" in info]
    engines = {time.answer.engine for time in times}
    by_setting = dict[Any, set[str]]()
    for time in times:
        by_setting.setdefault(time.answer.setting, set()).add(time.answer.engine)
    return [time for time in times if by_setting[time.answer.setting] == engines]


def epoch_chart(sections: Sequence[parts.Section]) -> Any:
    """Return the report's picture of times over batch size, with the title and the width that the pages have for it."""
    title = "One training run, executed in four ways: time per epoch of 999 samples"
    return sections[0].pictures[0].panels[0].chart.properties(width=620, title=title)


def take_screenshot(html: str) -> None:
    """Save a picture of the top of a page, as Chromium shows it.

    Raises:
        SystemExit: if Chromium is not installed.
    """
    from playwright.sync_api import sync_playwright

    if not CHROMIUM:
        raise SystemExit("python -m benchmarks.studies.documents: needs Chromium for its screenshot, and finds none")
    with sync_playwright() as playwright, files.draft(SCREENSHOT) as beside:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1000, "height": 1050}, color_scheme="light")
        shown.set_content(html)
        shown.wait_for_function(DRAWN)
        shown.screenshot(path=beside)
        browser.close()


def _fenced(show: Any) -> str:
    """Return what a function prints on a console, as a fenced block of Markdown."""
    console = Console(file=io.StringIO(), width=WIDTH, highlight=False)
    show(console)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    return "\n".join(["```text", *"\n".join(lines).strip("\n").splitlines(), "```"])
