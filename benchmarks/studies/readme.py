"""The README's tables and pictures, from the committed records and the code: python -m benchmarks.studies.readme"""

import hashlib
import io
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.harness import summary
from parabola import files
from parabola.display import pictures
from parabola.exit_codes import ExitCode
from parabola.records import reading
from parabola.records import record as record_of_records
from parabola.report import page, parts
from parabola.report import sections as report_sections
from parabola.report import text as report_text

ROOT = Path(__file__).parents[2]
README, RECORDS = ROOT / "README.md", ROOT / "benchmarks/records"
CHART, SCREENSHOT = ROOT / "docs/epoch_time.svg", ROOT / "docs/report.png"
WIDTH = 160  # how many characters a line of the printed tables may have
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# JavaScript that is true once all charts of a page are drawn.
DRAWN = "[...document.querySelectorAll('.chart')].every(one => one.querySelector('svg.marks'))"


def main() -> None:
    """Write the README's generated blocks and its pictures anew."""
    records = read()
    sections = report_sections.sections(records)
    pictures.save(epoch_chart(sections), CHART)
    take_screenshot(page.page(sections, "parabola"))
    files.write_text(refresh(README.read_text(encoding="utf-8"), blocks(records, sections)), README)


def record_paths() -> list[Path]:
    """Return the paths of the committed records in the order of their names, which is that of their commits."""
    return sorted(RECORDS.rglob("*.json"))


def read() -> list[record_of_records.Record]:
    """Return the committed records. An unreadable one is an error."""
    return [reading.read(path) for path in record_paths()]


def blocks(records: Sequence[record_of_records.Record], sections: Sequence[parts.Section]) -> dict[str, str]:
    """Return the generated blocks of the README, by the name in their marks.

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
        "exit-codes": exit_codes(),
        "summary": _fenced(lambda console: summary.print_suite(measured, content["parabola"]["left_out"], console)),
        "history": _fenced(lambda console: report_text.print_report(past, console)),
        "records": f"![The page, with times over batch size](docs/{SCREENSHOT.name})\n\n"
        f"<!-- pictures of the records with the hash {digest} -->",
    }


def exit_codes() -> str:
    """Return the table of exit codes in Markdown, a row for each line of their enum."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["| exit code | of `python -m parabola` |", "|---|---|", *rows])


def refresh(text: str, new: Mapping[str, str]) -> str:
    """Return the README with its generated blocks replaced.

    Args:
        text: the README as it is.
        new: the text of each block, by the name in its marks.

    Raises:
        ValueError: if the README does not have the marks of a block just once.
    """
    for name, block in new.items():
        marks = rf"(<!-- BEGIN: {name} -->\n).*?(<!-- END: {name} -->)"
        pieces = re.split(marks, text, flags=re.DOTALL)
        times = len(pieces) // 3
        if times != 1:
            raise ValueError(f"README.md should have one block between BEGIN: {name} and END: {name}. Found: {times}")
        text = f"{pieces[0]}{pieces[1]}{block}\n{pieces[2]}{pieces[3]}"
    return text


def epoch_chart(sections: Sequence[parts.Section]) -> Any:
    """Return the report's picture of times over batch size, in the width that the README has for it."""
    return sections[0].pictures[0].chart.properties(width=620)


def take_screenshot(html: str) -> None:
    """Save a picture of the top of a page, as Chromium shows it.

    Raises:
        SystemExit: if Chromium is not installed.
    """
    from playwright.sync_api import sync_playwright

    if not CHROMIUM:
        raise SystemExit("python -m benchmarks.studies.readme: needs Chromium for its screenshot, and finds none")
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


if __name__ == "__main__":
    main()
