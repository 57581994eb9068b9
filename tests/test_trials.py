"""Counting what comparisons of a tree with itself said, by hand."""

from typing import Any

from benchmarks.trials import cries, spreads, summary


def make_record(verdicts: tuple[str, str], planted: bool, factor: float) -> dict[str, Any]:
    """Return a comparison of cases a and b; head of the second launch on core 0 takes `factor` times as long."""
    seconds = {case: {"base": [1.0, 1.0], "head": [1.0, 1.0]} for case in ("a", "b", "control")}
    later = {case: {"base": [1.0, 1.0], "head": [factor, factor]} for case in ("a", "b", "control")}
    return {
        "cases": [{"case": case, "verdict": verdict} for case, verdict in zip("ab", verdicts, strict=True)],
        "verdict": verdicts[0],
        "seconds": 10.0,
        "options": {"slower": {"a": 0.1} if planted else {}},
        "launches": [
            {"finished": True, "cores": [0], "seconds": seconds},
            {"finished": True, "cores": [1], "seconds": seconds},
            {"finished": True, "cores": [0], "seconds": later},
            {"finished": False, "cores": [0], "seconds": {}},
        ],
    }


def test_summary_by_hand() -> None:
    """Of three comparisons one has a false alarm, two have a slowdown planted, of which one is found."""
    records = [
        make_record(("slower", "same"), planted=True, factor=1.0),
        make_record(("inconclusive", "same"), planted=True, factor=1.2),
        make_record(("same", "faster"), planted=False, factor=1.04),
    ]
    said = summary(records)

    assert said[0] == "3 comparisons of a tree with itself, 10 s each (median)"
    assert "nothing is planted: 1 of 3, 33.3 %" in said[1]
    assert said[3].startswith("cases decided: 4 of 4, 100.0 %")
    assert said[-1].startswith("planted slowdowns found: 1 of 2, 50.0 %")


def test_pytest_benchmarks_own_check_on_the_same_rounds() -> None:
    """It fails at more than 5 %: within a launch nothing, of two launches on the same core that of 20 %."""
    records = [make_record(("same", "same"), planted=False, factor=factor) for factor in (1.0, 1.2, 1.04)]

    assert cries(records, 0) == (0, 3)
    assert cries(records, 1) == (1, 3)


def test_spreads_leave_out_what_is_planted() -> None:
    """Log ratios 0, 0 and log 1.2, of the case without a slowdown and of the control."""
    found = spreads([make_record(("same", "same"), planted=True, factor=1.2)])

    assert list(found) == ["b", "control"]
    assert 0.1 < found["b"] < 0.11
