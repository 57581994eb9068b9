"""The terminal: its width and its bars."""

import io
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from parabola.display import console as display_console
from tests.screens import as_screen


def test_a_terminal_is_as_wide_as_it_is_and_a_pipe_wide_enough_for_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has 200 columns, whatever the environment says; numbers are not coloured."""
    screen = as_screen(monkeypatch)
    console = display_console.wide_console()
    assert console.width == 71
    console.print("12 µs")
    assert screen.getvalue() == "12 µs\n"

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert display_console.wide_console().width == 200


def test_a_pipe_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, the function is None, and every item still comes."""
    with display_console.progress_bar("{task.completed}", 3.0) as bar:
        assert bar is None
    assert list(display_console.tracked("abc", "letters")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_what_is_done_and_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form may have the text; the bar is drawn on standard error alone and is wiped out at the end."""
    screen, other = as_screen(monkeypatch), io.StringIO()
    monkeypatch.setattr(sys, "stdout", other)
    with display_console.progress_bar("{task.completed} of {task.total}, [b] {task.fields[text]}!", 4.0) as bar:
        assert bar is not None
        bar(1.0, "reading")
        bar(3.0)
        bar(2.5, "writing")
    said = screen.getvalue()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said)

    assert re.search(r"━ 2\.5 of 4\.0, \[b\] writing! [-:\d]+ left", plain)
    assert said.rstrip("\n").endswith("\x1b[2K")
    assert other.getvalue() == ""


def test_a_bar_over_items_counts_those_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """While an item is worked on, the items before it are done."""
    screen, told = as_screen(monkeypatch), list[Any]()
    with_bar = display_console.progress_bar

    def listening(form: str, total: float) -> Any:
        told.append((form, total))
        return with_bar(form, total)

    monkeypatch.setattr(display_console, "progress_bar", listening)
    items: Iterator[str] = display_console.tracked(["a", "b", "c"], "letters")

    assert list(items) == ["a", "b", "c"]
    assert told == [("{task.completed} of {task.total} letters,", 3)]
    assert "2 of 3 letters," in screen.getvalue()


def test_prose_is_wrapped_at_words_on_a_terminal_and_stays_a_line_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """No word is broken that fits, and nothing is lost."""
    line = "one case of [two] " + "is slower than it was " * 6
    screen = as_screen(monkeypatch)
    display_console.say(display_console.wide_console(), line.strip())
    told = screen.getvalue().splitlines()

    assert len(told) == 3
    assert max(map(len, told)) <= 71
    assert " ".join(told).split() == line.split()
    monkeypatch.setattr(sys, "stdout", pipe := io.StringIO())
    display_console.say(display_console.wide_console(), line.strip())
    assert pipe.getvalue() == f"{line.strip()}\n"


def test_the_time_left_is_shown_beside_a_long_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 71 columns a case's long name is cut, and what is decided and how long it takes stay."""
    screen = as_screen(monkeypatch)
    with display_console.progress_bar("{task.fields[text]},", 4.0) as bar:
        assert bar is not None
        bar(1.0, f"launch 3, 4 of 12 cases decided: {'bench_' * 20}")
    told = screen.getvalue()

    assert "launch 3, 4 of 12 cases decided: b…," in told
    assert re.search(r"b…, \S*-:--:--\S* left", told)
