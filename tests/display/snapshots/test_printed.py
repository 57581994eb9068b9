"""What commands print on narrow and wide terminals and in a pipe, to the character."""

import re

import pytest

from tests.display.snapshots.printed import FOLDER, WIDTHS, snapshots


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    """What is printed now."""
    return snapshots()


@pytest.mark.parametrize("name", [f"{what}_{width}.txt" for what in ("report", "compare") for width in WIDTHS])
def test_what_is_printed_is_the_snapshot(name: str, printed: dict[str, str]) -> None:
    """Where a change is meant, `python -m tests.display.snapshots` writes it anew."""
    assert printed[name] == (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("width", ["80", "140"])
@pytest.mark.parametrize("what", ["report", "compare"])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_broken(
    what: str, width: str, printed: dict[str, str]
) -> None:
    """What the pipe shows of verdicts and intervals stands in lines of the terminal, too."""
    text = printed[f"{what}_{width}.txt"]
    whole = r"[+-][\d.]+ to [+-][\d.]+ %|[\d.]+ [mµ]?s – [\d.]+ [mµ]?s|\d+ of \d+"
    figures = [re.findall(whole, printed[f"{what}_{name}.txt"]) for name in (width, "pipe")]
    words = [text for line in text.splitlines() if len(line) > int(width) for text in line.split()]

    assert figures[0] == figures[1]
    assert len(figures[0]) > 3
    assert all(len(word) > int(width) - 20 for word in words)
