"""What a comparison says to people, word by word."""

import io
import sys
from typing import Any

import msgspec
import pytest
from rich.console import Console

from parabola.compare.comparison import Comparison
from parabola.compare.environments.differences import Difference, Environment
from parabola.compare.outcome import Options
from parabola.compare.sides.by_side import BySide
from parabola.compare.text import headline, markdown, method, notes, print_comparison
from parabola.compare.verdicts import Verdict
from parabola.display import console as display_console
from parabola.display import units
from tests.made_comparisons import FAST, OPEN, SLOW, STEADY, made_case, made_comparison, made_control

CONTROL_NOTE = "control: -0.2 % (-0.9 to +0.5 %) over 11 launches"
COLUMNS_NOTE = (
    "base: median over launches; change and interval: head against base within launches; head: base with that change"
)
replace = msgspec.structs.replace


def printed(comparison: Comparison, colours: bool = False) -> str:
    """Return what is printed of a comparison, in a wide terminal."""
    stream = io.StringIO()
    system: Any = "standard" if colours else None
    console = Console(file=stream, width=150, highlight=False, force_terminal=colours, color_system=system)
    print_comparison(comparison, console)
    return stream.getvalue()


def test_the_headline_counts_by_verdict() -> None:
    """Slower, wrong, faster, the same, inconclusive and not measured, in this order, and none that no case has."""
    names = ("same", "inconclusive", "slower", "same", "not measured", "faster", "wrong", "same", "faster")
    cases = [made_case(f"a.py::{number}", name) for number, name in enumerate(names)]

    assert headline(made_comparison(*cases, verdict="wrong")) == (
        "wrong: 1 slower, 1 wrong, 2 faster, 3 same, 1 inconclusive, 1 not measured"
    )
    assert headline(made_comparison(*cases[:1], verdict="same")) == "same: 1 same"
    assert headline(made_comparison(verdict="inconclusive")) == "inconclusive: no case was measured"


def test_the_headline_of_a_failure_says_why() -> None:
    """And what was known by then."""
    why = "head hangs: silent for 7 s"
    comparison = made_comparison(made_case(OPEN, "inconclusive"), verdict="failed", ended="failed", why=why)

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


def test_the_headline_of_a_budget_that_ended_within_the_first_launch() -> None:
    """Says so."""
    why = "the budget ended within the first launch, which takes about 90 s"
    comparison = made_comparison(made_case(OPEN, "inconclusive"), verdict="inconclusive", ended="budget", why=why)

    assert headline(comparison) == f"inconclusive: {why} (1 inconclusive)"


@pytest.mark.parametrize("verdict", ["wrong", "slower"])
def test_the_headline_of_what_goes_first_says_what_else_there_is(verdict: str) -> None:
    """A control that moved and a side that failed are in the same line, as they are reasons to look again."""
    case, control = made_case(SLOW, verdict), made_control(ratio=1.5, moved=True)
    comparison = made_comparison(case, verdict=verdict, ended="failed", why="head hangs", control=control)

    moved = "the control, which no change can touch, moved by +50.0 %"
    assert headline(comparison) == f"{verdict}: 1 {verdict}; {moved}; head hangs"


def test_notes_that_every_comparison_has() -> None:
    """What the columns are, and the control, where nothing else is to be said; a dash for what is not known of it."""
    comparison = made_comparison(made_case(STEADY, "same"))
    unknown = made_control(ratio=None, low=0.0, high=None, launches=0)

    assert notes(comparison) == [COLUMNS_NOTE, CONTROL_NOTE]
    assert notes(replace(comparison, control=unknown)) == [COLUMNS_NOTE, "control: – (–) over 0 launches"]


def test_notes_in_their_order() -> None:
    """Cases of one side, skipped ones, errors that differ, what fails and why, planted work, and disturbances."""
    comparison = made_comparison(
        made_case(STEADY, "same", coefficient_error=BySide(0.25, 0.25)),
        made_case(SLOW, "wrong", coefficient_error=BySide(0.00123456, 12.3456), reason="head failed: no"),
        made_case(OPEN, "inconclusive", coefficient_error=BySide(None, 0.5)),
        made_case(FAST, "faster", coefficient_error=BySide(0.0, None)),
        made_case("a.py::lost", "not measured", reason="base failed: odd"),
        ended="interrupted",
        disturbed=True,
        only_in_base=["a.py::old[a::b]", "c.py::older"],
        only_in_head=["d/e.py::new"],
        unmeasured=["a.py::skipped", "a.py::left"],
        options=Options("main", slower={SLOW: 0.25, "control": 2.0}, harness=("tests", "conftest.py")),
        missing=["ignored by git: x.so", "empty submodules"],
    )

    assert notes(comparison) == [
        COLUMNS_NOTE,
        CONTROL_NOTE,
        "only in base: old[a::b], older",
        "only in head: new",
        "not measured, as a side skips it: skipped, left",
        "coefficient error of slow: 0.00123 → 12.3",
        "coefficient error of open: none → 0.5",
        "coefficient error of fast|wide: 0 → none",
        "slow is wrong: head failed: no",
        "lost is not measured: base failed: odd",
        "head's harness was laid over base: tests, conftest.py",
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

    assert notes(made_comparison(*cases))[2:] == [
        f"noise that is left: {by_launch}, 9.0 % from round to round (at most 25.0 %)"
    ]
    assert notes(made_comparison(*cases[:2]))[2:] == [
        "noise that is left: 2.3 % from launch to launch (at most 3.4 %), 3.0 % from round to round (at most 3.0 %)"
    ]
    assert notes(made_comparison(cases[2]))[2:] == ["noise that is left: 25.0 % from round to round (at most 25.0 %)"]


def test_cases_of_one_reason_share_a_note() -> None:
    """As where a fixture fails that all of them have."""
    why = {"b.py::one": "no", "b.py::two": "odd", "b.py::three": "no"}
    cases = [made_case(name, "not measured", reason=reason) for name, reason in why.items()]
    wrong = made_case("b.py::four", "wrong", reason="no")
    others = [made_case(f"b.py::{name}", "measures other work", reason="odd") for name in ("five", "six")]

    assert notes(made_comparison(*cases, wrong, *others))[2:] == [
        "one, three are not measured: no",
        "two is not measured: odd",
        "four is wrong: no",
        "five, six: measures other work: odd",
    ]


@pytest.mark.parametrize("ended", ["decided", "budget", "failed"])
def test_only_an_interruption_is_noted(ended: str) -> None:
    """Of the ways to end; only the side that has cases of its own is named."""
    comparison = made_comparison(ended=ended, only_in_head=["a.py::new"])

    assert notes(comparison) == [CONTROL_NOTE, "only in head: new"]
    assert notes(replace(comparison, only_in_head=[], only_in_base=["a.py::old"])) == [
        CONTROL_NOTE,
        "only in base: old",
    ]


def test_a_control_that_is_not_sure_is_told() -> None:
    """As then no case is called the same; where it moved, the headline says so."""
    doubted = made_comparison(control=replace(made_control(), verdict=Verdict.INCONCLUSIVE))
    moved = made_comparison(control=replace(made_control(), verdict=Verdict.SLOWER))
    unmeasured = made_comparison(control=replace(made_control(), verdict=Verdict.INCONCLUSIVE, launches=0))

    assert notes(doubted) == [CONTROL_NOTE, "the control is not known to be the same, so no case is called the same"]
    assert notes(moved) == [CONTROL_NOTE]
    assert notes(unmeasured) == [CONTROL_NOTE.replace("11", "0")]


def test_the_method_by_value() -> None:
    """Launches that finished, rounded seconds, the confidences, and the minimum effect of this one."""
    assert method(made_comparison()) == [
        "2 launches (fresh pairs of processes) in 62 s; rounds alternate base, head, head, base on the same cores",
        "change: trimmed mean of the launches' log ratios; intervals: 99.5 % each, however often one looks",
        "same: the interval lies within ±2.5 %; slower or faster: it excludes 0; 99.5 % for all verdicts",
    ]


CASES = [
    made_case(SLOW, "slower"),
    made_case(STEADY, "same", ratio=1.0, low=0.98, high=1.0204, launches=5),
    made_case(FAST, "faster", ratio=0.5, low=0.25, high=0.75, median_seconds=BySide(20.5, 1.0)),
    made_case(OPEN, "inconclusive", launches_needed=7, high=None, low=0.0, launches=3),
    made_case("x.py::y", "inconclusive", launches_needed=None, ratio=None, low=0.0, high=None, launches=0,
              median_seconds=BySide(None, 0.0015)),
    made_case("x.py::z", "inconclusive", launches_needed=1, suspected=True, low=0.9996,
              median_seconds=BySide(1.23, 0.5)),
    made_case("x.py::w", "wrong", suspected=True, reason="head failed: no"),
    made_case("x.py::v", "not measured", reason="base failed: odd", ratio=None, low=0.0, high=None, launches=0,
              median_seconds=BySide(None, None)),
]  # fmt: skip


def test_the_comment_on_a_pull_request_word_by_word() -> None:
    """Verdict, sides, table, notes, and machine and method in a fold; nothing in it is taken for Markdown."""
    text = markdown(made_comparison(*CASES, only_in_base=["a.py::b<1>"]))

    assert (
        text
        == """\
### slower: 1 slower, 1 wrong, 1 faster, 1 same, 3 inconclusive, 1 not measured

base v1.2\\|old (bbbbbbbbb), head working tree (ddddddddd)

| case | base | head | change | 99 % interval | launches | verdict |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
| slow | 1.23 ms | 1.39 ms | +12.3 % | +5.1 to +20.0 % | 8 | slower |
| steady\\[x=1\\] | 1.23 ms | 1.23 ms | +0.0 % | -2.0 to +2.0 % | 5 | same |
| fast\\|wide | 20.5 s | 10.2 s | -50.0 % | -75.0 to -25.0 % | 8 | faster |
| open | 1.23 ms | 1.39 ms | +12.3 % | – | 3 | inconclusive: about 7 more launches |
| y | – | – | – | – | 0 | inconclusive: many more launches |
| z | 1.23 s | 1.38 s | +12.3 % | -0.0 to +20.0 % | 8 | inconclusive: about 1 more launches would confirm a suspicion |
| w | 1.23 ms | 1.39 ms | +12.3 % | +5.1 to +20.0 % | 8 | wrong |
| v | – | – | – | – | 0 | not measured |

- base: median over launches; change and interval: head against base within launches; head: base with that change
- control: -0.2 % (-0.9 to +0.5 %) over 11 launches
- only in base: b&lt;1&gt;
- w is wrong: head failed: no
- v is not measured: base failed: odd

<details><summary>Machine and method</summary>

- machine: EPYC &lt;7&gt;, 3 of 16 cores, 31 GiB
- gpu: none; CUDA 12.9
- software: Linux 6.1, Python 3.11.9, tensorflow 2.20, keras 3.10, numpy 2.1, numba 0.61, pytest-benchmark 5.3
- settings: threads default; XLA_FLAGS none
- 2 launches (fresh pairs of processes) in 62 s; rounds alternate base, head, head, base on the same cores
- change: trimmed mean of the launches' log ratios; intervals: 99.5 % each, however often one looks
- same: the interval lies within ±2.5 %; slower or faster: it excludes 0; 99.5 % for all verdicts

</details>
"""
    )


def test_a_comment_without_a_case_has_no_table() -> None:
    """As when a side failed before the first; the reason is escaped, too."""
    text = markdown(made_comparison(verdict="failed", ended="failed", why="a|b <c>"))

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
    assert "slow 1.23 ms 1.39 ms +12.3 % +5.1 to +20.0 % 8 slower" in rows
    assert "steady[x=1] 1.23 ms 1.23 ms +0.0 % -2.0 to +2.0 % 5 same" in rows
    assert "open 1.23 ms 1.39 ms +12.3 % – 3 inconclusive: about 7 more launches" in rows
    assert lines[-4:] == [
        CONTROL_NOTE, "only in head: new[/red]", "", "slower: 1 slower, 1 same, 1 inconclusive",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        ("same", "32"), ("faster", "32"), ("inconclusive", "33"), ("slower", "31"), ("wrong", "31"), ("failed", "31"),
        ("contaminated", "31"), ("not measured", "31"),
    ],
)  # fmt: skip
def test_the_colour_of_the_last_line(verdict: str, code: str) -> None:
    """Green is good, yellow is not known, and everything else is red."""
    comparison = made_comparison(made_case(STEADY, "same"), verdict=verdict, why="it hangs")

    assert printed(comparison, colours=True).endswith(f"\n\n\x1b[{code}m{headline(comparison)}\x1b[0m\n")


def test_the_colour_of_each_verdict() -> None:
    """Of the verdict's cell alone: red for slower and wrong, which is bold, green for faster, yellow for unknown."""
    text = printed(made_comparison(*CASES), colours=True)

    cells = (
        "\x1b[31mslower",
        "\x1b[1;31mwrong",
        "\x1b[32mfaster",
        "\x1b[33minconclusive: about 7",
        "\x1b[31mnot measured",
    )
    for cell in cells:
        assert cell in text
    assert "same" in text
    assert "msame" not in text


@pytest.mark.parametrize("ratio", [0.5, 0.8574, 0.9996, 1.0, 1.0004, 1.026, 1.358, 7.5])
@pytest.mark.parametrize("seconds", [2.5e-7, 4.561e-6, 28.449e-6, 0.0009996, 34.6])
def test_the_columns_do_not_contradict_the_change(ratio: float, seconds: float) -> None:
    """Base and head as shown differ by the change as shown, but for rounding to three digits, and in its sense."""
    medians = BySide(seconds, 0.1 * seconds)  # of head: over other launches, as it were
    text = markdown(made_comparison(made_case(SLOW, "same", ratio=ratio, median_seconds=medians)))
    base, head, change = text.split("| slow | ")[1].split(" | ")[:3]
    factors = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
    shown = [float(cell.split()[0]) * factors[cell.split()[1]] for cell in (base, head)]

    assert shown[0] == pytest.approx(seconds, rel=0.005)
    assert shown[1] / shown[0] - 1 == pytest.approx(float(change.removesuffix(" %")) / 100, abs=0.011 * ratio)
    assert (shown[1] - shown[0]) * (ratio - 1) >= 0


def test_names_are_cut_to_what_tells_them_apart() -> None:
    """In the table, and in every sentence, over all names of the comparison."""
    comparison = made_comparison(
        made_case("a.py::TestA::run", "same"),
        made_case("a.py::TestB::run", "wrong", reason="head failed: no", coefficient_error=BySide(1.0, 2.0)),
        made_case("a.py::TestB::walk", "same"),
        only_in_base=["a.py::TestC::run"],
        unmeasured=["b.py::TestC::walk", "b.py::jump"],
        options=Options("main", slower={"a.py::TestA::run": 0.25, "walk": 0.5}),
    )
    rows = [line.split(" | ")[0] for line in markdown(comparison).splitlines() if line.startswith("| ")]

    assert rows[2:] == ["| TestA::run", "| TestB::run", "| TestB::walk"]
    assert notes(comparison)[2:] == [
        "only in base: TestC::run",
        "not measured, as a side skips it: TestC::walk, jump",
        "coefficient error of TestB::run: 1 → 2",
        "TestB::run is wrong: head failed: no",
        "planted in head: 25 % more work in TestA::run",
        "planted in head: 50 % more work in walk",
    ]


@pytest.mark.parametrize(
    ("logs", "kept"), [(None, "--logs FOLDER keeps all of it"), ("my/logs", "all of it is in my/logs")]
)
def test_the_last_lines_of_what_failed(logs: str | None, kept: str) -> None:
    """They stand before the verdict, indented, and in a comment as text; where all of it is, or could be, is said."""
    output = ["Traceback [red]", "", "```"]
    comparison = made_comparison(
        verdict="failed", ended="failed", why="no", output=output, options=Options("m", logs=logs)
    )

    assert printed(comparison).splitlines()[-6:] == [
        f"the last lines of what failed ({kept}):",
        "  Traceback [red]",
        "  ",
        "  ```",
        "",
        "failed: no (no case was measured)",
    ]
    fenced = f"```text\n\nthe last lines of what failed ({kept}):\n  Traceback [red]\n  \n  ` ` `\n```\n"
    assert fenced in markdown(comparison)


def test_long_names_are_not_cut_in_notes() -> None:
    """A line of many names stays one line, whatever the terminal's width."""
    comparison = made_comparison(
        only_in_base=[f"a.py::case_{number}" for number in range(60)], verdict="failed", ended="failed", why="w" * 300
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


DIFFERENCES = [Difference(name, "1", "2") for name in "abcd"]
THERE = BySide(Environment({"python": "3.11.7", "a": "1"}), Environment({"python": "3.11.7", "a": "2", "b": "1"}))


def test_a_verdict_names_what_differs_between_the_environments() -> None:
    """The first three packages in its line, in Markdown's heading as well; all of them are in the notes."""
    comparison = made_comparison(
        made_case(SLOW, "slower"), environments=THERE, differences=DIFFERENCES, seconds_before=81.6
    )

    verdict = "slower: 1 slower; the environments differ: a 1 → 2, b 1 → 2, c 1 → 2 and 1 more"
    all_of_them = "what differs between the environments, base → head: a 1 → 2, b 1 → 2, c 1 → 2, d 1 → 2"
    took = "what came before the first launch took 82 s, beside the budget"
    assert headline(comparison) == verdict
    assert notes(comparison)[-2:] == [all_of_them, took]
    assert markdown(comparison).startswith(f"### {verdict}\n")
    assert f"- {all_of_them}\n- {took}\n" in markdown(comparison)
    assert printed(comparison).endswith(f"\n{all_of_them}\n{took}\n\n{verdict}\n")


def test_environments_that_do_not_differ_are_said_to_be_alike() -> None:
    """With how many packages; nothing of this is said where no side has its own, but what building took."""
    comparison = made_comparison(made_case(SLOW, "slower"), environments=THERE, seconds_before=0.4)
    built = made_comparison(options=Options("main", setup=BySide("", "make")), seconds_before=12.0)

    assert headline(comparison) == "slower: 1 slower"
    assert notes(comparison)[-2:] == [
        "what differs between the environments, base → head: nothing, of 3 packages",
        "what came before the first launch took 0 s, beside the budget",
    ]
    assert notes(built)[-1] == "what came before the first launch took 12 s, beside the budget"
