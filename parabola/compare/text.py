"""A comparison for people: a table on the terminal, and Markdown for a pull request."""

from collections.abc import Sequence
from statistics import median

from rich.console import Console

from parabola.compare import findings
from parabola.compare.comparison import ComparedCase, Comparison, shown_names
from parabola.compare.environments.differences import MOST_NAMED, named
from parabola.compare.verdicts import Verdict, counted
from parabola.display import narrow, tables
from parabola.display.console import say
from parabola.display.units import duration
from parabola.machine import host
from parabola.records.case import short_name

# Launches differ more from one another than their two sides do, so that medians over launches of either side could
# contradict the change.
COLUMNS_ARE = (
    "base: median over launches; change and interval: head against base within launches; head: base with that change"
)


def headline(comparison: Comparison) -> str:
    """Say in one line what a comparison comes to."""
    counts, reasons = counted((case.verdict, case.metric) for case in comparison.cases), _reasons(comparison)
    own = reasons.pop(comparison.verdict, None)
    differ = [f"the environments differ: {named(comparison.differences, MOST_NAMED)}"] if comparison.differences else []
    return "; ".join([f"{comparison.verdict}: {f'{own} ({counts})' if own else counts}", *reasons.values(), *differ])


def _reasons(comparison: Comparison) -> dict[Verdict, str]:
    """Return what else than its cases a comparison has its verdict from, or would have it from, by verdict."""
    reasons = dict[Verdict, str]()
    if comparison.control.moved:
        change = _change(comparison.control)
        reasons[Verdict.CONTAMINATED] = f"the control, which no change can touch, moved by {change}"
    if comparison.why:
        reasons[Verdict.FAILED if comparison.ended == "failed" else Verdict.INCONCLUSIVE] = comparison.why
    return reasons


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the table, what cannot be in it, and the verdict last."""
    narrow.show(console, _table(comparison))
    for line in (*notes(comparison), *last_lines(comparison)):
        say(console, line)
    say(console, f"\n{headline(comparison)}", comparison.verdict.headline_style)


def markdown(comparison: Comparison) -> str:
    """Return a comment for a pull request: the verdict, the table, and machine and method in a fold."""
    table = _table(comparison)
    lines = [f"### {tables.escape(headline(comparison))}", "", tables.escape(_sides(comparison)), ""]
    lines += tables.markdown_lines(table) if table.items else []
    lines += ["", *(f"- {tables.escape(note)}" for note in notes(comparison)), ""]
    if output := last_lines(comparison):
        lines += ["```text", *(line.replace("```", "` ` `") for line in output), "```", ""]
    lines += ["<details><summary>Machine and method</summary>", ""]
    lines += [f"- {tables.escape(line)}" for line in [*host.lines(comparison.machine), *method(comparison)]]
    return "\n".join([*lines, "", "</details>", ""])


def notes(comparison: Comparison) -> list[str]:
    """Say what a reader has to know besides the table: a sentence a line."""
    control, names = comparison.control, shown_names(comparison)
    lines = [COLUMNS_ARE] if comparison.cases else []
    lines.append(f"control: {_change(control)} ({_interval(control)}) over {control.launches} launches")
    if control.launches and control.verdict == Verdict.INCONCLUSIVE:
        lines.append("the control is not known to be the same, so no case is called the same")
    lines += [*_noise(comparison.cases), *findings.starting(comparison.launches)]
    if comparison.strayed:
        lines.append(f"launches that collect a part of the suite were given up, as in one {comparison.strayed}")
    for side, cases in (("base", comparison.only_in_base), ("head", comparison.only_in_head)):
        if cases:
            lines.append(f"only in {side}: {', '.join(names[case] for case in cases)}")
    if comparison.unmeasured:
        lines.append(f"not measured, as a side skips it: {', '.join(names[case] for case in comparison.unmeasured)}")
    for case in comparison.cases:
        errors = case.coefficient_error
        if errors.base != errors.head:
            both = " → ".join("none" if error is None else f"{error:.3g}" for error in (errors.base, errors.head))
            lines.append(f"coefficient error of {names[case.case]}: {both}")
    reasons = dict[str, list[str]]()
    for case in comparison.cases:
        if case.reason:
            reasons.setdefault(f"{case.verdict}: {case.reason}", []).append(names[case.case])
    for why, cases in reasons.items():
        verb = ":" if why.startswith(Verdict.OTHER_WORK) else " is" if len(cases) == 1 else " are"
        lines.append(f"{', '.join(cases)}{verb} {why}")
    if comparison.options.harness:
        lines.append(f"head's harness was laid over base: {', '.join(comparison.options.harness)}")
    for name, share in comparison.options.slower.items():
        lines.append(f"planted in head: {100 * share:g} % more work in {names.get(name) or short_name(name)}")
    lines += [*_environments(comparison), *comparison.missing]
    if comparison.disturbed:
        lines.append("another comparison ran on this machine meanwhile: they disturb each other's times")
    if comparison.ended == "interrupted":
        lines.append("interrupted: only what was measured until then is here")
    return lines


def _environments(comparison: Comparison) -> list[str]:
    """Say what differs between the sides' environments, and how long these took, where they have any of their own."""
    lines = list[str]()
    if comparison.environments:
        differ = named(comparison.differences) or f"nothing, of {len(comparison.environments.head.packages)} packages"
        lines.append(f"what differs between the environments, base → head: {differ}")
    if comparison.environments or any(vars(comparison.options.setup).values()):
        lines.append(f"what came before the first launch took {comparison.seconds_before:.0f} s, beside the budget")
    return lines


def _noise(cases: Sequence[ComparedCase]) -> list[str]:
    """Say how much launches, and rounds within them, still differ."""
    by = {
        "launch to launch": [case.launch_spread for case in cases if case.launch_spread is not None],
        "round to round": [case.round_spread for case in cases if case.round_spread is not None],
    }
    parts = [
        f"{100 * median(spreads):.1f} % from {what} (at most {100 * max(spreads):.1f} %)"
        for what, spreads in by.items()
        if spreads
    ]
    return [f"noise that is left: {', '.join(parts)}"] if parts else []


def last_lines(comparison: Comparison) -> list[str]:
    """Return the end of what a side wrote that failed, or of pytest's report on a test that did, under a heading."""
    if not comparison.output:
        return []
    kept = f"all of it is in {comparison.options.logs}" if comparison.options.logs else "--logs FOLDER keeps all of it"
    return ["", f"the last lines of what failed ({kept}):", *(f"  {line}" for line in comparison.output)]


def method(comparison: Comparison) -> list[str]:
    """Say how it was measured."""
    finished = sum(launch.finished for launch in comparison.launches)
    effect, confidence = (f"{100 * share:g} %" for share in (comparison.minimum_effect, comparison.confidence))
    return [
        f"{finished} launches (fresh pairs of processes) in {comparison.seconds:.0f} s; "
        "rounds alternate base, head, head, base on the same cores",
        f"change: trimmed mean of the launches' log ratios; intervals: {confidence} each, however often one looks",
        f"same: the interval lies within ±{effect}; slower or faster: it excludes 0; {confidence} for all verdicts",
    ]


def _table(comparison: Comparison) -> tables.Table[ComparedCase]:
    names = shown_names(comparison)
    columns = (tables.Column[ComparedCase]("case", lambda case: names[case.case], "left"), *COLUMNS)
    return tables.Table(_sides(comparison), columns, comparison.cases)


def _quantity(case: ComparedCase, ratio: float | None) -> str:
    """Write the base's median, times a ratio: a time, or a metric in whatever unit it has."""
    median_of_base = (case.median_values or case.median_seconds).base
    if median_of_base is None or ratio is None:
        return "–"
    return f"{median_of_base * ratio:,.4g}" if case.metric else duration(median_of_base * ratio)


def _verdict(case: ComparedCase) -> str:
    """Write the verdict, and of an inconclusive one about how many launches it lacks."""
    if case.verdict != Verdict.INCONCLUSIVE:
        return case.verdict.of(case.metric)
    launches = f"about {case.launches_needed}" if case.launches_needed else "many"
    suspicion = " would confirm a suspicion" if case.suspected else ""
    return f"{case.verdict}: {launches} more launches{suspicion}"


def _change(case: ComparedCase) -> str:
    return "–" if case.ratio is None else f"{100 * (case.ratio - 1):+.1f} %"


def _interval(case: ComparedCase) -> str:
    if case.low is None or case.high is None:
        return "–"
    return f"{100 * (case.low - 1):+.1f} to {100 * (case.high - 1):+.1f} %"


def _sides(comparison: Comparison) -> str:
    base, head = (f"{side.revision} ({side.commit[:9]})" for side in (comparison.base, comparison.head))
    return f"base {base}, head {head}"


COLUMNS: tuple[tables.Column[ComparedCase], ...] = (
    tables.Column("base", lambda case: _quantity(case, 1.0)),
    tables.Column("head", lambda case: _quantity(case, case.ratio)),
    tables.Column("change", _change),
    tables.Column("99 % interval", _interval),
    tables.Column("launches", lambda case: str(case.launches)),
    tables.Column("verdict", _verdict, "left", style=lambda case: case.verdict.style),
)
