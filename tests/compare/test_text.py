"""What a comparison says to people, word by word."""

import io
import sys
from typing import Any

import msgspec
import pytest
from rich.console import Console

from parabola.compare.comparison import Comparison
from parabola.compare.outcome import Options
from parabola.compare.sides.by_side import BySide
from parabola.compare.text import headline, markdown, method, notes, print_comparison
from parabola.display import console as display_console
from parabola.display import units
from tests.made_comparisons import FAST, OPEN, SLOW, STEADY, made_case, made_comparison, made_control

CONTROL_NOTE = "control: -0.2 % (-0.9 to +0.5 %) over 11 launches"
replace = msgspec.structs.replace


def printed(comparison: Comparison, colours: bool = False) -> str:
    """Return what is printed of a comparison, in a wide terminal."""
    stream = io.StringIO()
    system: Any = "standard" if colours else None
    console = Console(file=stream, width=150, highlight=False, force_terminal=colours, color_system=system)
    print_comparison(comparison, console)
    return stream.getvalue()


def test_the_headline_counts_by_verdict() -> None:
    """Slower, wrong, faster, the same and inconclusive, in this order, and none of which there is no case."""
    names = ("same", "inconclusive", "slower", "same", "faster", "wrong", "same", "faster")
    cases = [made_case(f"a.py::{number}", name) for number, name in enumerate(names)]

    assert headline(made_comparison(*cases, verdict="wrong")) == (
        "wrong: 1 slower, 1 wrong, 2 faster, 3 same, 1 inconclusive"
    )
    assert headline(made_comparison(*cases[:1], verdict="same")) == "same: 1 same"
    assert headline(made_comparison(verdict="inconclusive")) == "inconclusive: no case was measured"


def test_the_headline_of_a_failure_says_why() -> None:
    """And what was known by then."""
    comparison = made_comparison(made_case(OPEN, "inconclusive"), verdict="failed", why="head hangs: silent for 7 s")

    assert headline(comparison) == "failed: head hangs: silent for 7 s (1 inconclusive)"
    assert headline(replace(comparison, cases=[])) == "failed: head hangs: silent for 7 s (no case was measured)"


@pytest.mark.parametrize(("ratio", "change"), [(1.0312, "+3.1 %"), (0.8, "-20.0 %"), (2.5, "+150.0 %")])
def test_the_headline_of_a_moved_control_says_how_far(ratio: float, change: str) -> None:
    """To whichever side it moved."""
    control = made_control(ratio=ratio, moved=True)
    comparison = made_comparison(made_case(FAST, "faster"), verdict="contaminated", control=control)

    assert headline(comparison) == (
        f"contaminated: the control, which no change can touch, moved by {change} (1 faster)"
    )


def test_notes_that_every_comparison_has() -> None:
    """The control alone, where nothing else is to be said; a dash for what is not known of it."""
    comparison = made_comparison(made_case(STEADY, "same"))
    unknown = made_control(ratio=None, low=0.0, high=None, launches=0)

    assert notes(comparison) == [CONTROL_NOTE]
    assert notes(replace(comparison, control=unknown)) == ["control: – (–) over 0 launches"]


def test_notes_in_their_order() -> None:
    """Cases of one side, skipped ones, errors that differ, what no longer learns, planted work, and disturbances."""
    comparison = made_comparison(
        made_case(STEADY, "same", coefficient_error=BySide(0.25, 0.25)),
        made_case(SLOW, "wrong", coefficient_error=BySide(0.00123456, 12.3456)),
        made_case(OPEN, "inconclusive", coefficient_error=BySide(None, 0.5)),
        made_case(FAST, "faster", coefficient_error=BySide(0.0, None)),
        ended="interrupted",
        disturbed=True,
        only_in_base=["a.py::old[a::b]", "c.py::older"],
        only_in_head=["d/e.py::new"],
        unmeasured=["a.py::skipped", "a.py::left"],
        options=Options("main", slower={SLOW: 0.25, "control": 2.0}),
        missing=["ignored by git: x.so", "empty submodules"],
    )

    assert notes(comparison) == [
        CONTROL_NOTE,
        "only in base: old[a::b], older",
        "only in head: new",
        "not measured, as a side skips it: skipped, left",
        "coefficient error of slow: 0.00123 → 12.3",
        "slow learns in base, and no longer in head",
        "coefficient error of open: none → 0.5",
        "coefficient error of fast|wide: 0 → none",
        "planted in head: 25 % more work in slow",
        "planted in head: 200 % more work in control",
        "ignored by git: x.so",
        "empty submodules",
        "another comparison ran on this machine meanwhile: they disturb each other's times",
        "interrupted: only what was measured until then is here",
    ]


def test_the_noise_that_is_left() -> None:
    """By launch and by round: the median over the cases whose spread is known, and the largest."""
    spreads = ((0.012, 0.0304), (0.034, None), (None, 0.25), (0.0116, 0.09))
    cases = [
        made_case(f"a.py::{at}", "same", launch_spread=by_launch, round_spread=by_round)
        for at, (by_launch, by_round) in enumerate(spreads)
    ]
    by_launch = "1.2 % from launch to launch (at most 3.4 %)"

    assert notes(made_comparison(*cases))[1:] == [
        f"noise that is left: {by_launch}, 9.0 % from round to round (at most 25.0 %)"
    ]
    assert notes(made_comparison(*cases[:2]))[1:] == [
        "noise that is left: 2.3 % from launch to launch (at most 3.4 %), 3.0 % from round to round (at most 3.0 %)"
    ]
    assert notes(made_comparison(cases[2]))[1:] == ["noise that is left: 25.0 % from round to round (at most 25.0 %)"]


@pytest.mark.parametrize("ended", ["decided", "budget", "failed"])
def test_only_an_interruption_is_noted(ended: str) -> None:
    """Of the ways to end; only the side that has cases of its own is named."""
    comparison = made_comparison(ended=ended, only_in_head=["a.py::new"])

    assert notes(comparison) == [CONTROL_NOTE, "only in head: new"]
    assert notes(replace(comparison, only_in_head=[], only_in_base=["a.py::old"])) == [
        CONTROL_NOTE,
        "only in base: old",
    ]


def test_the_method_by_value() -> None:
    """Launches that finished, rounded seconds, the confidence of all together, and the minimum effect of this one."""
    assert method(made_comparison()) == [
        "2 launches (fresh pairs of processes) in 62 s; rounds alternate base, head, head, base on the same cores",
        "intervals: trimmed mean of the launches' log ratios, together 99.5 % after Holm",
        "same: the interval lies within ±2.5 %; slower or faster: it excludes 0, and fresh launches confirm it",
    ]


CASES = [
    made_case(SLOW, "slower"),
    made_case(STEADY, "same", ratio=1.0, low=0.98, high=1.0204, launches=5),
    made_case(FAST, "faster", ratio=0.5, low=0.25, high=0.75, median_seconds=BySide(20.5, 1.0)),
    made_case(OPEN, "inconclusive", launches_needed=7, high=None, low=0.0, launches=3),
    made_case("x.py::y", "inconclusive", launches_needed=None, ratio=None, low=0.0, high=None, launches=0,
              median_seconds=BySide(None, 0.0015)),
    made_case("x.py::z", "inconclusive", launches_needed=1, suspected=True, low=0.9996),
    made_case("x.py::w", "wrong", suspected=True),
]  # fmt: skip


def test_the_comment_on_a_pull_request_word_by_word() -> None:
    """Verdict, sides, table, notes, and machine and method in a fold; nothing in it is taken for Markdown."""
    text = markdown(made_comparison(*CASES, only_in_base=["a.py::b<1>"]))

    assert (
        text
        == """\
### slower: 1 slower, 1 wrong, 1 faster, 1 same, 3 inconclusive

base v1.2\\|old (bbbbbbbbb), head working tree (ddddddddd)

| case | base | head | change | 99 % interval | launches | verdict |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
| slow | 1.23 ms | 250 ns | +12.3 % | +5.1 to +20.0 % | 8 | slower |
| steady[x=1] | 1.23 ms | 250 ns | +0.0 % | -2.0 to +2.0 % | 5 | same |
| fast\\|wide | 20.5 s | 1 s | -50.0 % | -75.0 to -25.0 % | 8 | faster |
| open | 1.23 ms | 250 ns | +12.3 % | – | 3 | inconclusive: about 7 more launches |
| y | – | 1.5 ms | – | – | 0 | inconclusive: many more launches |
| z | 1.23 ms | 250 ns | +12.3 % | -0.0 to +20.0 % | 8 | inconclusive: about 1 more launches would confirm a suspicion |
| w | 1.23 ms | 250 ns | +12.3 % | +5.1 to +20.0 % | 8 | wrong |

- control: -0.2 % (-0.9 to +0.5 %) over 11 launches
- only in base: b&lt;1&gt;
- w learns in base, and no longer in head

<details><summary>Machine and method</summary>

- machine: EPYC &lt;7&gt;, 3 of 16 cores, 31 GiB
- gpu: none; CUDA 12.9
- software: Linux 6.1, Python 3.11.9, tensorflow 2.20, keras 3.10, numpy 2.1, numba 0.61, pytest-benchmark 5.3
- settings: threads default; XLA_FLAGS none
- 2 launches (fresh pairs of processes) in 62 s; rounds alternate base, head, head, base on the same cores
- intervals: trimmed mean of the launches' log ratios, together 99.5 % after Holm
- same: the interval lies within ±2.5 %; slower or faster: it excludes 0, and fresh launches confirm it

</details>
"""
    )


def test_a_comment_without_a_case_has_no_table() -> None:
    """As when a side failed before the first; the reason is escaped, too."""
    text = markdown(made_comparison(verdict="failed", why="a|b <c>"))

    assert text.startswith("### failed: a\\|b &lt;c&gt; (no case was measured)\n\nbase v1.2\\|old (bbbbbbbbb), head ")
    assert "(ddddddddd)\n\n\n- control: " in text
    assert "| case |" not in text


def test_what_is_printed_word_by_word() -> None:
    """Title, table, notes, an empty line and the verdict last; brackets are no markup of Rich."""
    comparison = made_comparison(*CASES[:2], CASES[3], only_in_head=["a.py::new[/red]"], verdict="slower")
    lines = [line.rstrip() for line in printed(comparison).splitlines()]

    assert lines[0].strip() == "base v1.2|old (bbbbbbbbb), head working tree (ddddddddd)"
    assert " ".join(lines[2].split()) == "case base head change 99 % interval launches verdict"
    rows = [" ".join(line.split()) for line in lines]
    assert "slow 1.23 ms 250 ns +12.3 % +5.1 to +20.0 % 8 slower" in rows
    assert "steady[x=1] 1.23 ms 250 ns +0.0 % -2.0 to +2.0 % 5 same" in rows
    assert "open 1.23 ms 250 ns +12.3 % – 3 inconclusive: about 7 more launches" in rows
    assert lines[-4:] == [
        CONTROL_NOTE, "only in head: new[/red]", "", "slower: 1 slower, 1 same, 1 inconclusive",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        ("same", "32"), ("faster", "32"), ("inconclusive", "33"), ("slower", "31"), ("wrong", "31"), ("failed", "31"),
        ("contaminated", "31"),
    ],
)  # fmt: skip
def test_the_colour_of_the_last_line(verdict: str, code: str) -> None:
    """Green is good, yellow is not known, and everything else is red."""
    comparison = made_comparison(made_case(STEADY, "same"), verdict=verdict, why="it hangs")

    assert printed(comparison, colours=True).endswith(f"\n\n\x1b[{code}m{headline(comparison)}\x1b[0m\n")


def test_the_colour_of_each_verdict() -> None:
    """Of the verdict's cell alone: red for slower and wrong, which is bold, green for faster, yellow for unknown."""
    text = printed(made_comparison(*CASES), colours=True)

    for cell in ("\x1b[31mslower", "\x1b[1;31mwrong", "\x1b[32mfaster", "\x1b[33minconclusive: about 7"):
        assert cell in text
    assert "same" in text
    assert "msame" not in text


def test_long_names_are_not_cut_in_notes() -> None:
    """A line of many names stays one line, whatever the terminal's width."""
    comparison = made_comparison(
        only_in_base=[f"a.py::case_{number}" for number in range(60)], verdict="failed", why="w" * 300
    )

    assert printed(comparison).splitlines()[-3:] == [notes(comparison)[1], "", headline(comparison)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1234.0, "1.23e+03 s"), (1.0, "1 s"), (0.9996, "1 s"), (0.9994, "999 ms"), (0.0312, "31.2 ms"),
        (1e-3, "1 ms"), (9.996e-4, "1 ms"), (9.994e-4, "999 µs"), (1e-6, "1 µs"), (9.996e-7, "1 µs"),
        (9.994e-7, "999 ns"), (3.14e-10, "0.314 ns"), (0.0, "0 ns"),
    ],
)  # fmt: skip
def test_a_duration_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    """Three digits, rounded before the unit is chosen."""
    assert units.duration(seconds) == text


@pytest.mark.parametrize(("watched", "width"), [(True, 97), (False, 200)])
def test_a_wide_console(watched: bool, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as wide as the terminal; where nobody watches, wide enough for all; numbers have no colour."""
    stream = io.StringIO()
    stream.isatty = lambda: watched  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", "97")
    monkeypatch.setenv("TERM", "xterm")
    console = display_console.wide_console()
    console.print("7 launches")

    assert console.width == width
    assert stream.getvalue() == "7 launches\n"
