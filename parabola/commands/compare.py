"""python -m parabola compare: two commits, round by round in turn."""

import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from parabola.commands import door, exits
from parabola.commands.bisect import exits_for_bisect
from parabola.commands.options import Plot, read_metrics, read_planted, read_seconds, read_share, read_sides
from parabola.commands.telling import tell_large_files, watching
from parabola.exit_codes import ExitCode


class WithPytestOptions(typer.core.TyperCommand):
    """A command that leaves what follows -- to pytest, and ends as `git bisect run` has it where that is asked for."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Refuse bad options with an exit code for `git bisect`, if --bisect-exit is among them."""
        with exits_for_bisect("--bisect-exit" in args):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run, and end with such an exit code."""
        with exits_for_bisect(ctx.params["bisect_exit"]):
            return super().invoke(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep pytest's options out of the way of the command's own arguments."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["pytest_options"] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name them in the usage."""
        return [*super().collect_usage_pieces(ctx), "[-- PYTEST OPTIONS]"]


def compare(
    context: typer.Context,
    base: Annotated[str | None, typer.Argument(help="A revision: branch, tag or commit.", show_default=False)] = None,
    head: Annotated[
        str | None, typer.Argument(help="Another; else the working tree as it stands.", show_default=False)
    ] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="To be used up at most: 90s, 5m, 1h.")] = "5m",
    minimum_effect: Annotated[str, typer.Option(metavar="SHARE", help="What differs by less is the same.")] = "5%",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 where a case is inconclusive.")] = False,
    cores: Annotated[int, typer.Option(help="A launch has to itself; both sides share them, in turn.")] = 1,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="Launches side by side; else what the cores allow.")
    ] = None,
    limit: Annotated[str, typer.Option(metavar="TIME", help="A side that is silent for longer hangs.")] = "5m",
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="All that was measured.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="A pull-request comment.")] = None,
    plot: Plot = None,
    logs: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="New or empty: all that each side of each launch writes.")
    ] = None,
    inject: Annotated[
        list[str] | None, typer.Option(metavar="CASE=SHARE", help="Plant a slowdown in head: batch_27=5%. Repeatable.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(metavar="MODULE", help="May come from elsewhere than a side's tree. Repeatable.")
    ] = None,
    install: Annotated[
        list[str] | None,
        typer.Option(metavar="[SIDE=]COMMAND", help="Fill a new environment with it, to measure with. Repeatable."),
    ] = None,
    python: Annotated[
        list[str] | None,
        typer.Option(metavar="[SIDE=]PYTHON", help="Measure with it, or make the new environment of it. Repeatable."),
    ] = None,
    setup: Annotated[
        list[str] | None,
        typer.Option(metavar="[SIDE=]COMMAND", help="Each checkout runs it first, as to build. Repeatable."),
    ] = None,
    harness: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Lay head's file or folder over base's. Repeatable.")
    ] = None,
    case: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only cases with that in their name. Repeatable.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=SHARE]", help="Compare a number of extra_info, too. Repeatable.")
    ] = None,
    bisect_exit: Annotated[
        bool, typer.Option("--bisect-exit", help="Exit 1 if slower or wrong, 0 if not, 125 if not known.")
    ] = False,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Compare BASE, or the working tree, with itself: what can be told apart?"),
    ] = False,
) -> None:
    """Did a change make it slower? Both commits run `pytest --benchmark-only` in turn, round by round.

    Fresh pairs of processes are launched until every benchmark is decided, or the budget is used up. Each side runs in
    a git worktree of its own; the repository is left as it is. What follows -- goes to pytest on both sides. Exit code:
    1 if a case is wrong or slower; else 4 if the control moved, 5 if something was not measured or measures other work,
    3 (--strict) if a case is inconclusive, and 0.
    """
    if importlib.util.find_spec("fcntl") is None:
        exits.stop("compare needs forks, signals and file locks as Linux and macOS have them, which Windows lacks")
    from parabola import files
    from parabola.compare import conclusion, figure, schedule, session, text
    from parabola.compare import self_test as ability
    from parabola.compare.comparison import as_json
    from parabola.compare.environments.interpreter import find_python
    from parabola.compare.outcome import Options
    from parabola.compare.sides.by_side import BySide
    from parabola.compare.verdicts import Verdict
    from parabola.display import console, pictures

    try:
        if base is None and not self_test:
            raise ValueError("compare needs a BASE to compare with: a branch, a tag or a commit, such as main")
        if self_test and bisect_exit:
            raise ValueError("--bisect-exit is for a comparison; --self-test has no good or bad")
        if self_test and head is not None:
            raise ValueError(f"--self-test compares one tree with itself; it takes no HEAD. Received: {head}")
        pythons = read_sides("python", python or ())
        options = Options(
            base=base,
            head=base if self_test else head,
            pytest_options=context.meta["pytest_options"],
            budget_seconds=read_seconds("budget", budget),
            minimum_effect=read_share("minimum-effect", minimum_effect),
            limit_seconds=read_seconds("limit", limit),
            cores_per_launch=cores,
            launches_at_once=at_once,
            slower=dict(map(read_planted, inject or ())),
            allowed=tuple(allow or ()),
            only_cases=tuple(case or ()),
            metrics=read_metrics(metric or (), minimum_effect),
            setup=read_sides("setup", setup or ()),
            install=read_sides("install", install or ()),
            python=BySide(base=find_python(pythons.base), head=find_python(pythons.head)),
            harness=tuple(harness or ()),
            logs=str(logs) if logs else None,
        )
        schedule.core_groups(cores)
        for path, formats in ((json_file, (".json",)), (markdown, (".md",)), (plot, pictures.FORMATS)):
            if path:
                files.check_path(path, formats)
        if logs:
            files.check_folder(logs)
        if None in (options.base, options.head):
            tell_large_files()
        with console.progress_bar("{task.fields[text]},", options.budget_seconds) as bar:
            outcome = session.compare(options, Path.cwd(), watching(bar, options.budget_seconds), self_test)
        if outcome.usage:
            raise ValueError(outcome.why)
    except ValueError as error:
        exits.stop(error)
    comparison = conclusion.conclude(outcome, options)

    def show() -> None:
        text.print_comparison(comparison, console.wide_console())
        if self_test and outcome.ended in ("decided", "budget"):
            print("\n".join(ability.lines(ability.abilities(comparison), comparison)))

    door.show_and_write(
        show,
        (json_file, lambda path: files.write_text(as_json(comparison), path)),
        (markdown, lambda path: files.write_text(text.markdown(comparison), path)),
        (plot, lambda path: pictures.save(figure.ratio_figure(comparison), path)),
    )
    if outcome.ended == "interrupted":
        raise typer.Exit(ExitCode.INTERRUPTED)
    code = comparison.verdict.exit_code
    if bisect_exit and comparison.verdict == Verdict.SLOWER and comparison.control.moved:
        code = ExitCode.CONTAMINATED  # one commit, or another, is blamed for good: no time may be trusted by half
    known = code != ExitCode.INCONCLUSIVE or strict or bisect_exit
    raise typer.Exit(code if known else ExitCode.DONE)
