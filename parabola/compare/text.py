"""A comparison for people: a table on the terminal, and Markdown for a pull request. Reads the record alone."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from parabola.display import tables
from parabola.display.units import duration
from parabola.machine import host
from parabola.records.fingerprint import short_name

STYLES = {"slower": "red", "wrong": "bold red", "faster": "green", "same": "", "inconclusive": "yellow"}
COLUMNS = ("case", "base", "head", "change", "99 % interval", "launches", "verdict")
TEXT_COLUMNS = ("case", "verdict")


def headline(record: Mapping[str, Any]) -> str:
    """Say in one line what a comparison comes to."""
    counts = [f"{len(named)} {name}" for name in STYLES if (named := _named(record, name))]
    counted = ", ".join(counts) if record["cases"] else "no case was measured"
    verdict = record["verdict"]
    if verdict == "failed":
        return f"failed: {record['why']} ({counted})"
    if verdict == "contaminated":
        return (
            f"contaminated: the control, which no change can touch, moved by {_change(record['control'])} ({counted})"
        )
    return f"{verdict}: {counted}"


def print_comparison(record: Mapping[str, Any], console: Console) -> None:
    """Print the table, what cannot be in it, and the verdict last."""
    console.print(tables.for_terminal(_table(record), [STYLES[case["verdict"]] for case in record["cases"]]))
    for line in notes(record):
        console.print(line, soft_wrap=True, markup=False)
    style = {"same": "green", "faster": "green", "inconclusive": "yellow"}.get(record["verdict"], "red")
    console.print(f"\n{headline(record)}", style=style, soft_wrap=True, markup=False)


def markdown(record: Mapping[str, Any]) -> str:
    """Return a comment for a pull request: the verdict, the table, and machine and method in a fold."""
    table = _table(record)
    lines = [f"### {tables.escape(headline(record))}", "", tables.escape(_sides(record)), ""]
    lines += tables.markdown_lines(table) if table.rows else []
    lines += ["", *(f"- {tables.escape(note)}" for note in notes(record)), ""]
    lines += ["<details><summary>Machine and method</summary>", ""]
    lines += [f"- {tables.escape(line)}" for line in [*host.lines(record["machine"]), *method(record)]]
    return "\n".join([*lines, "", "</details>", ""])


def notes(record: Mapping[str, Any]) -> list[str]:
    """Say what a reader has to know besides the table."""
    control = record["control"]
    said = [f"control: {_change(control)} ({_interval(control)}) over {control['launches']} launches"]
    for side in ("base", "head"):
        if record[f"only_in_{side}"]:
            said.append(f"only in {side}: {', '.join(map(short_name, record[f'only_in_{side}']))}")
    if record["unmeasured"]:
        said.append(f"not measured, as a side skips it: {', '.join(map(short_name, record['unmeasured']))}")
    for case in record["cases"]:
        errors = case["coefficient_error"]
        if errors["base"] != errors["head"]:
            both = " → ".join("none" if errors[side] is None else f"{errors[side]:.3g}" for side in ("base", "head"))
            said.append(f"coefficient error of {short_name(case['case'])}: {both}")
        if case["verdict"] == "wrong":
            said.append(f"{short_name(case['case'])} learns in base, and no longer in head")
    for case, share in record["options"]["slower"].items():
        said.append(f"planted in head: {100 * share:g} % more work in {short_name(case)}")
    if record["disturbed"]:
        said.append("another comparison ran on this machine meanwhile: they disturb each other's times")
    if record["ended"] == "interrupted":
        said.append("interrupted: only what was measured until then is here")
    return said


def method(record: Mapping[str, Any]) -> list[str]:
    """Say how it was measured."""
    finished = sum(launch["finished"] for launch in record["launches"])
    effect = f"{100 * record['minimum_effect']:g} %"
    return [
        f"{finished} launches (fresh pairs of processes) in {record['seconds']:.0f} s; "
        "rounds alternate base, head, head, base on the same cores",
        f"intervals: trimmed mean of the launches' log ratios, together {100 * record['confidence']:g} % after Holm",
        f"same: the interval lies within ±{effect}; slower or faster: it excludes 0, and fresh launches confirm it",
    ]


def _table(record: Mapping[str, Any]) -> tables.Table:
    return tables.Table(_sides(record), COLUMNS, tuple(map(_row, record["cases"])), TEXT_COLUMNS)


def _row(case: Mapping[str, Any]) -> tuple[str, ...]:
    medians = case["median_seconds"]
    times = [duration(medians[side]) if medians[side] else "–" for side in ("base", "head")]
    verdict = case["verdict"]
    if verdict == "inconclusive":
        more = case["launches_needed"]
        verdict += f": about {more} more launches" if more else ": many more launches"
        verdict += " would confirm a suspicion" if case["suspected"] else ""
    return short_name(case["case"]), *times, _change(case), _interval(case), str(case["launches"]), verdict


def _named(record: Mapping[str, Any], verdict: str) -> list[Mapping[str, Any]]:
    return [case for case in record["cases"] if case["verdict"] == verdict]


def _change(case: Mapping[str, Any]) -> str:
    return "–" if case["ratio"] is None else f"{100 * (case['ratio'] - 1):+.1f} %"


def _interval(case: Mapping[str, Any]) -> str:
    if case["high"] is None:
        return "–"
    return f"{100 * (case['low'] - 1):+.1f} to {100 * (case['high'] - 1):+.1f} %"


def _sides(record: Mapping[str, Any]) -> str:
    base, head = (f"{record[side]['revision']} ({record[side]['commit'][:9]})" for side in ("base", "head"))
    return f"base {base}, head {head}"
