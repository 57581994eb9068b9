"""The command line: parses, calls, prints. What is heavy is imported only once a command runs."""

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from parabola.experiment import Experiment, Fit

CHECK_FAILED, USAGE = 1, 2
PROGRESS_FROM = 50_000_000  # samples seen, above which even the fast engines take seconds
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def main() -> None:
    """The smallest training run with a known answer: two neurons learn a parabola."""


@app.command()
def train(
    target: Annotated[str, typer.Option(metavar="A,B,C", help="True coefficients of a x² + b x + c; a ≠ 0.")] = "1,2,2",
    network: Annotated[str, typer.Option(help="two_neuron or one_neuron.")] = "two_neuron",
    engine: Annotated[str, typer.Option(help="fit, fused_fit, compiled or native.")] = "compiled",
    device: Annotated[str, typer.Option(help="cpu, cpu:1, gpu, gpu:0, …")] = "cpu",
    optimizer: Annotated[str, typer.Option(help="A Keras optimizer: adam, sgd, rmsprop, …")] = "adam",
    learning_rate: Annotated[float, typer.Option(help="Finite, above 0.")] = 0.001,
    batch_size: Annotated[int, typer.Option(help="1 to samples.")] = 1,
    epochs: Annotated[int, typer.Option(help="1 or more.")] = 999,
    samples: Annotated[int, typer.Option(help="1 or more.")] = 999,
    seed: Annotated[int, typer.Option(help="Decides initial weights and order.")] = 7,
    data_seed: Annotated[int, typer.Option(help="Decides the samples.")] = 42,
    low: Annotated[float, typer.Option(help="Lower end of the range of x.")] = 0.0,
    high: Annotated[float, typer.Option(help="Upper end of the range of x.")] = 1.0,
    threads: Annotated[int | None, typer.Option(min=1, help="TensorFlow's threads; else its own choice.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the run: .png, .svg or .html.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 unless the run passes.")] = False,
) -> None:
    """Train once, and hold what was learnt against the truth. The defaults are the published experiment.

    A run passes when the largest error of a coefficient is below the learning rate.
    """
    knobs = dict(locals())
    from parabola import devices
    from parabola.experiment import Experiment
    from parabola.target import Parabola
    from parabola.tracking import figures, terminal

    try:
        fields = {name: knobs[name] for name in Experiment.__dataclass_fields__}
        experiment = Experiment(**{**fields, "target": Parabola.parse(target)})
        if plot:
            figures.check_path(plot)
        if engine == "native" and threads:
            raise ValueError(f"engine native has one thread; --threads is TensorFlow's. Received: {threads}")
        if engine != "native":
            devices.start(threads=threads)
            devices.resolve(device)
    except ValueError as error:
        usage(error)
    fit = run(experiment)
    if as_json:
        print(json.dumps({**fit.summary(), "threads": threads}))
    else:
        terminal.print_training(fit.summary())
    if plot:
        figures.save(training_figure(fit), plot)
    if check and fit.verdict != "pass":
        raise typer.Exit(CHECK_FAILED)


def usage(error: Exception) -> NoReturn:
    """Say in one line what was wrong, and exit 2."""
    print(f"python -m parabola: {error}", file=sys.stderr)
    raise typer.Exit(USAGE)


def run(experiment: "Experiment") -> "Fit":
    """Train; with a bar and the time left where it takes long and somebody watches."""
    from parabola.training import NotRepresentableWarning, train

    def say(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        print(f"warning: {message}", file=sys.stderr)

    warnings.simplefilter("always", NotRepresentableWarning)
    warnings.showwarning = say
    slow = experiment.engine.endswith("fit") or experiment.epochs * experiment.samples > PROGRESS_FROM
    if not (slow and sys.stderr.isatty()):
        return train(experiment)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("epochs,"), TimeRemainingColumn(), TextColumn("left")
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=experiment.epochs)
        return train(experiment, progress=lambda done: bar.update(task, completed=done))


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
        learning_rate=spec.learning_rate,
        title=f"{spec.network} learns {spec.target}",
        subtitle=terminal.verdict_line(fit.summary()),
    )


if __name__ == "__main__":
    app(prog_name="python -m parabola")
