"""Write the generated blocks and pictures of README.md and docs/: python -m benchmarks.studies.documents

With --pictures also those pictures that take minutes, of the commands that the handbook has beside them.
"""

import sys

from benchmarks.studies.documents import command_line, drawn, measured, pages
from parabola import files
from parabola.display import pictures
from parabola.report import answer, page
from parabola.report import sections as report_sections


def main() -> None:
    """Read the committed records, and write every block and picture that follows from them or from the code."""
    records = measured.read()
    sections = report_sections.sections(records)
    pictures.save(measured.epoch_chart(sections), measured.CHART)
    measured.take_screenshot(page.page(sections, answer.opening(records)))
    texts = pages.read()
    if "--pictures" in sys.argv[1:]:
        drawn.draw(texts)
    for path, text in pages.refresh(texts, {**measured.blocks(records, sections), **command_line.blocks()}).items():
        if text != texts[path]:
            files.write_text(text, path)


if __name__ == "__main__":
    main()
