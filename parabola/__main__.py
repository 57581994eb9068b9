"""The command line: parses, calls, prints. What is heavy is imported only once a command runs."""

import json
import re
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
import typer.core

if TYPE_CHECKING:
    from parabola.experiment import Experiment
    from parabola.fit import Fit

CHECK_FAILED, USAGE, INCONCLUSIVE, CONTAMINATED, SIDE_FAILED, NO_RECORD, WORKER_FAILED, INTERRUPTED = *range(1, 8), 130
COMPARED = {"slower": CHECK_FAILED, "wrong": CHECK_FAILED, "contaminated": CONTAMINATED, "failed": SIDE_FAILED}
PROGRESS_FROM = 50_000_000  # samples seen, above which even the fast engines take seconds
EPOCHS_DONE = "{task.completed}/{task.total} epochs,"
PIPE_WIDTH = 200  # columns of a table that nobody watches
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def main() -> None:
    """The smallest training run with a known answer: two neurons learn a parabola."""


# Options that several commands have, each said once.
Target = Annotated[str, typer.Option(metavar="A,B,C", help="True coefficients of a x² + b x + c; a ≠ 0.")]
Network = Annotated[str, typer.Option(help="two_neuron or one_neuron.")]
Device = Annotated[str, typer.Option(help="cpu, cpu:1, gpu, gpu:0, …; gpu:all is every GPU, for a map on JAX.")]
Optimizer = Annotated[str, typer.Option(help="A Keras optimizer: adam, sgd, rmsprop, …")]
FinalLearningRate = Annotated[
    float | None, typer.Option(help="Keras' cosine decay goes there by the last step; else it stays.")
]
Backend = Annotated[str | None, typer.Option(help="Keras' backend: tensorflow, jax or torch; else KERAS_BACKEND's.")]
Init = Annotated[str, typer.Option(help="glorot, or sign-aware: the second kernel's sign from three samples.")]
Epochs = Annotated[int, typer.Option(help="1 or more.")]
Samples = Annotated[int, typer.Option(help="1 or more.")]
DataSeed = Annotated[int, typer.Option(help="Decides the samples.")]
Low = Annotated[float, typer.Option(help="Lower end of the range of x.")]
High = Annotated[float, typer.Option(help="Upper end of the range of x.")]
Plot = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it: .png, .svg or .html.")]


@app.command()
def train(
    target: Target = "1,2,2",
    network: Network = "two_neuron",
    engine: Annotated[
        str | None, typer.Option(help="fit, fused_fit, compiled (the default) or native.", show_default=False)
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="mirrored over devices or multi_worker over processes, instead of an engine.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes of multi_worker; else TF_CONFIG's, else 2.")
    ] = None,
    backend: Backend = None,
    device: Device = "cpu",
    optimizer: Optimizer = "adam",
    learning_rate: Annotated[float, typer.Option(help="Finite, above 0.")] = 0.001,
    final_learning_rate: FinalLearningRate = None,
    init: Init = "glorot",
    batch_size: Annotated[int, typer.Option(help="1 to samples.")] = 1,
    epochs: Epochs = 999,
    samples: Samples = 999,
    seed: Annotated[int, typer.Option(help="Decides initial weights and order.")] = 7,
    data_seed: DataSeed = 42,
    low: Low = 0.0,
    high: High = 1.0,
    threads: Annotated[int | None, typer.Option(min=1, help="The backend's threads; else its own choice.")] = None,
    plot: Plot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 unless the run passes.")] = False,
) -> None:
    """Train once, and hold what was learnt against the truth. The defaults are the published experiment.

    A run passes when the largest error of a coefficient is below the learning rate (the smallest, if it decays).
    """
    knobs = dict(locals())
    from parabola import backends, devices, engines
    from parabola import workers as processes
    from parabola.tracking import figures, files, terminal

    knobs["engine"] = engine = engine or ("distributed" if strategy else "compiled")
    try:
        worker = processes.index_here() if strategy == "multi_worker" else None
        processes.end_with_parent()
        if workers and (strategy != "multi_worker" or worker is not None):
            raise ValueError(f"--workers needs --strategy multi_worker, and no TF_CONFIG. Received: {workers}")
        backends.choose(backend)
        experiment = read_experiment(knobs)
        if reason := engines.missing(engine):
            raise ValueError(f"engine {reason}")
        if plot:
            files.check_path(plot, figures.FORMATS)
        if engine == "native" and threads:
            raise ValueError(f"engine native has one thread; --threads is the backend's. Received: {threads}")
        if engine not in ("native", "distributed"):
            backends.start(threads=threads)
            devices.resolve(device)
        elif strategy == "mirrored":
            backends.start(threads=threads)
            devices.resolve_all(device)
        elif strategy:
            devices.check_name(device)
            if ":" in device:
                raise ValueError(f"strategy multi_worker takes cpu or gpu, without a number. Received: {device}")
            if worker is not None:
                backends.start(threads=threads)
    except ValueError as error:
        usage(error)
    if strategy == "multi_worker" and worker is None:
        summary = run_workers(knobs)
    else:
        fit = run(experiment)
        summary = {**fit.summary(), "threads": threads}
        if plot and not worker:
            figures.save(training_figure(fit), plot)
    if as_json and not worker:
        print(json.dumps(summary))
    elif not worker:  # all have the same weights; the first speaks for all
        terminal.print_training(summary)
    if check and summary["verdict"] != "pass":
        raise typer.Exit(CHECK_FAILED)


@app.command("map")
def learning_map(
    learning_rates: Annotated[str | None, typer.Option(metavar="A,B,…", help="Default: 25 from 0.0001 to 1.")] = None,
    batch_sizes: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Default: the 8 divisors of 999, up to samples.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="In each cell.")] = 200,
    first_seed: Annotated[int, typer.Option(help="The others follow it.")] = 0,
    target: Target = "1,2,2",
    network: Network = "two_neuron",
    backend: Backend = None,
    device: Device = "cpu",
    optimizer: Optimizer = "adam",
    final_learning_rate: FinalLearningRate = None,
    init: Init = "glorot",
    epochs: Epochs = 999,
    samples: Samples = 999,
    data_seed: DataSeed = 42,
    low: Low = 0.0,
    high: High = 1.0,
    plot: Plot = None,
    json_file: Annotated[
        Path, typer.Option("--json", metavar="FILE", help="The map on disk; what it lacks is trained.")
    ] = Path("learning_map.json"),
) -> None:
    """Draw the map of learning rate × batch size: which share of seeds learns.

    Finished cells are kept in the JSON file: after an interruption, the same command goes on from there.
    """
    knobs = dict(locals())
    from parabola import backends, devices, engines
    from parabola.learning_map import BATCH_SIZES, LEARNING_RATES, Grid, train_map
    from parabola.tracking import figures, files, maps, terminal

    try:
        backends.choose(backend)
        if reason := engines.missing("members"):
            raise ValueError(reason)
        rates = LEARNING_RATES if learning_rates is None else numbers("learning-rates", learning_rates, float)
        sizes = tuple(size for size in BATCH_SIZES if size <= samples)
        sizes = sizes if batch_sizes is None else numbers("batch-sizes", batch_sizes, int)
        grid = Grid(read_experiment({**knobs, "learning_rate": max(rates)}), rates, sizes, seeds, first_seed)
        if plot:
            files.check_path(plot, figures.FORMATS)
        files.check_path(json_file, (".json",))
        maps.read(json_file, grid.identity())
        (devices.resolve_all if backends.backend() == "jax" else devices.resolve)(device)
    except ValueError as error:
        usage(error)
    with terminal.progress_bar("{task.percentage:.0f} % of the map,", 1.0) as bar:
        cells = [asdict(cell) for cell in train_map(grid, json_file, progress=bar)]
    spec, axes = grid.experiment, grid.identity()
    decaying = "" if final_learning_rate is None else f", decaying to {final_learning_rate:g}"
    title = f"{network} learns {spec.target}: which share of {seeds} seeds passes"
    subtitle = f"{epochs} epochs of {samples} samples, {spec.optimizer}{decaying}, init {init}"
    terminal.print_map(cells, axes, f"{title}\n{subtitle}")
    print(f"{json_file} holds the map")
    if plot:
        published = [(rate, 1) for rate in (0.001, 0.1) if rate in rates and 1 in sizes]
        subtitle += "; framed: as published" if published else ""
        figures.save(figures.map_figure(cells, axes, title=title, subtitle=subtitle, framed=published), plot)


class WithPytestOptions(typer.core.TyperCommand):
    """A command that leaves what follows -- to pytest."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep pytest's options out of the way of the command's own arguments."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["pytest_options"] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Name them in the usage."""
        return [*super().collect_usage_pieces(ctx), "[-- PYTEST OPTIONS]"]


@app.command(cls=WithPytestOptions)
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
    inject: Annotated[
        list[str] | None, typer.Option(metavar="CASE=SHARE", help="Plant a slowdown in head: batch_27=5%. Repeatable.")
    ] = None,
    self_test: Annotated[
        bool,
        typer.Option("--self-test", help="Compare BASE, or the working tree, with itself: what can be told apart?"),
    ] = False,
) -> None:
    """Did a change make it slower? Both commits run `pytest --benchmark-only` in turn, round by round.

    Fresh pairs of processes are launched until every benchmark is decided, or the budget is used up. Each side runs in
    a git worktree of its own; the repository is left as it is. What follows -- goes to pytest on both sides.
    """
    from rich.console import Console

    from parabola.tracking import comparison, comparison_record, comparison_report, figures, files, terminal
    from parabola.tracking import self_test as ability

    try:
        if base is None and not self_test:
            raise ValueError("compare needs a BASE to compare with: a branch, a tag or a commit, such as main")
        if self_test and head is not None:
            raise ValueError(f"--self-test compares one tree with itself; it takes no HEAD. Received: {head}")
        options = comparison.Options(
            base=base,
            head=base if self_test else head,
            pytest_options=context.meta["pytest_options"],
            budget_seconds=read_seconds("budget", budget),
            minimum_effect=read_share("minimum-effect", minimum_effect),
            limit_seconds=read_seconds("limit", limit),
            cores_per_launch=cores,
            launches_at_once=at_once,
            slower=dict(read_planted(text) for text in inject or ()),
        )
        comparison.core_groups(cores)
        for path, formats in ((json_file, (".json",)), (markdown, (".md",)), (plot, figures.FORMATS)):
            if path:
                files.check_path(path, formats)
        terminal.end_as_by_ctrl_c()
        with terminal.progress_bar("{task.fields[text]},", options.budget_seconds) as bar:
            outcome = comparison.compare(options, Path.cwd(), (lambda now: bar(now.seconds, str(now))) if bar else None)
        if outcome.usage:
            raise ValueError(outcome.why)
    except ValueError as error:
        usage(error)
    record = comparison_record.make_record(outcome, options)
    if json_file:
        files.write_text(comparison_record.as_json(record), json_file)
    if markdown:
        files.write_text(comparison_report.markdown(record), markdown)
    if plot:
        figures.save(figures.ratio_figure(record), plot)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    comparison_report.print_comparison(record, console)
    if self_test and outcome.ended in ("decided", "budget"):
        print("\n".join(ability.lines(ability.abilities(record), record)))
    if outcome.ended == "interrupted":
        raise typer.Exit(INTERRUPTED)
    undecided = not record["cases"] or any(case["verdict"] == "inconclusive" for case in record["cases"])
    raise typer.Exit(COMPARED.get(record["verdict"]) or (INCONCLUSIVE if strict and undecided else 0))


@app.command()
def report(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=]RECORD…", help="Files, folders or globs; NAME is what to call its machine."),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="One page that works offline.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="A job's summary.")] = None,
) -> None:
    """What do records say? Now, one device against another, and over commits.

    Records are what `pytest --benchmark-only` leaves with --benchmark-json, --benchmark-save or --benchmark-autosave.
    Without any, the newest under .benchmarks/ is read. Records of different machines or software are never pooled; give
    two machines names (NAME=RECORD) to hold one against the other.
    """
    from rich.console import Console

    from parabola.tracking import files, page, records, report_text, terminal
    from parabola.tracking import report as content

    try:
        for path, formats in ((html, (".html",)), (markdown, (".md",))):
            if path:
                files.check_path(path, formats)
        found = records.find(sources) if sources else records.newest(Path(".benchmarks"))
        for path in (html, markdown):
            if path and path.resolve() in [one.resolve() for _, one in found]:
                raise ValueError(f"a record would be overwritten: choose another file than {path}")
    except ValueError as error:
        usage(error)
    read, skipped = list[records.Record](), list[records.Unreadable]()
    with terminal.progress_bar("{task.fields[text]},", 3.0) as bar:  # thirds: each takes about as long
        for number, one in enumerate(records.read_all(found), start=1):
            if isinstance(one, records.Unreadable):
                skipped.append(one)
            else:
                read.append(one)
            if bar:
                bar(number / len(found), f"{number} of {len(found)} records read")
        if bar:
            bar(1.0, "looking for changes")
        try:
            sections = content.sections(read) if read else []
        except content.RefusedError as error:
            usage(error)
        if bar:
            bar(2.0, "drawing")
        drawn = page.page(sections, "parabola") if html and read else ""
    for reason in skipped:
        print(f"skipped {reason}", file=sys.stderr)
    if not read:
        print(f"python -m parabola: none of {len(found)} files is a record that can be read", file=sys.stderr)
        raise typer.Exit(NO_RECORD)
    if html:
        files.write_text(drawn, html)
    if markdown:
        files.write_text(report_text.markdown(sections), markdown)
    report_text.print_report(sections, Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH))


def read_seconds(option: str, text: str) -> float:
    """Read "90s", "5m" or "1h". Raises ValueError, naming the option, if it is anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)", text)
    if not found or not float(found[1]):
        raise ValueError(f"--{option} needs a time above 0 with its unit, as 90s, 5m or 1h. Received: {text!r}")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def read_share(option: str, text: str) -> float:
    """Read "5%". Raises ValueError, naming the option, if it is anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if not found or not float(found[1]):
        raise ValueError(f"--{option} needs a share above 0 in per cent, as 5%. Received: {text!r}")
    return float(found[1]) / 100


def read_planted(text: str) -> tuple[str, float]:
    """Read "CASE=5%". Raises ValueError if it is anything else."""
    case, equals, share = text.rpartition("=")
    if not (case and equals):
        raise ValueError(f"--inject needs a case and a share, as batch_27=5%. Received: {text!r}")
    return case, read_share("inject", share)


def read_experiment(knobs: dict[str, Any]) -> "Experiment":
    """Return the options of a command that are an experiment's as one. Raises ValueError where it does."""
    from parabola.experiment import Experiment
    from parabola.target import Parabola

    fields = {name: knobs[name] for name in Experiment.__dataclass_fields__ if name in knobs}
    return Experiment(**{**fields, "target": Parabola.parse(knobs["target"])})


def numbers(option: str, text: str, kind: type[Any]) -> tuple[Any, ...]:
    """Read "1,2,3". Raises ValueError, naming the option, if it is anything else."""
    try:
        return tuple(map(kind, text.split(",")))
    except ValueError:
        raise ValueError(f"--{option} needs numbers with commas between, as in 1,10. Received: {text!r}") from None


def usage(error: Exception) -> NoReturn:
    """Say in one line what was wrong, and exit 2."""
    print(f"python -m parabola: {error}", file=sys.stderr)
    raise typer.Exit(USAGE)


def run(experiment: "Experiment") -> "Fit":
    """Train; with a bar and the time left where it takes long and somebody watches."""
    from parabola import workers
    from parabola.engines import PeerError
    from parabola.tracking import terminal
    from parabola.training import NotRepresentableWarning, train

    def say(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        print(f"warning: {message}", file=sys.stderr)

    warnings.simplefilter("always", NotRepresentableWarning)
    warnings.showwarning = say
    slow = experiment.engine not in ("compiled", "native") or experiment.epochs * experiment.samples > PROGRESS_FROM
    if not slow:
        return train(experiment)
    try:
        with terminal.progress_bar(EPOCHS_DONE, experiment.epochs) as bar:
            return train(experiment, progress=bar or workers.report_here())
    except PeerError as error:
        worker_failed(error)
    except ValueError as error:  # of a device that is known only where it is used
        usage(error)


def run_workers(knobs: dict[str, Any]) -> dict[str, Any]:
    """Train in processes of their own, with the options of `train`; return what the first says of its run."""
    from parabola import workers
    from parabola.tracking import terminal

    terminal.end_as_by_ctrl_c()
    own = {"as_json", "check", "plot", "workers"}
    given = {name: value for name, value in knobs.items() if name not in own and value is not None}
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    plot = [f"--plot={knobs['plot']}"] if knobs["plot"] else []
    try:
        gpus = workers.gpus_here() if knobs["device"] == "gpu" else []
        with terminal.progress_bar(EPOCHS_DONE, knobs["epochs"]) as bar:
            return workers.train_together(arguments, knobs["workers"] or 2, chief=plot, gpus=gpus, progress=bar)
    except workers.WorkerError as error:
        worker_failed(error)


def worker_failed(error: Exception) -> NoReturn:
    """Say in one line which worker is gone, and exit 7."""
    print(f"python -m parabola: {error}", file=sys.stderr)
    raise typer.Exit(WORKER_FAILED)


def training_figure(fit: "Fit") -> Any:
    """Draw true and learnt curve over the 100 test inputs, and loss and coefficient error by epoch."""
    import numpy as np

    from parabola.data import sample
    from parabola.tracking import figures, terminal

    spec = fit.experiment
    x, _ = sample(spec.target, 100, seed=43, low=spec.low, high=spec.high)
    with np.errstate(all="ignore"):
        learnt = np.polyval(fit.coefficients[-1], x.astype(float))
    return figures.training_figure(
        x=x,
        true=spec.target(x),
        learnt=learnt,
        loss=fit.loss,
        coefficient_error=fit.coefficient_error,
        learning_rate=spec.smallest_learning_rate,
        title=f"{spec.network} learns {spec.target}",
        subtitle=terminal.verdict_line(fit.summary()),
    )


if __name__ == "__main__":
    app(prog_name="python -m parabola")
