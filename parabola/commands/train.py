"""python -m parabola train: one run, held against the truth."""

import json
import sys
import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parabola import registry
from parabola.commands import door, exits, options
from parabola.exit_codes import ExitCode

if TYPE_CHECKING:
    from parabola.training.experiment import Experiment
    from parabola.training.fit import Fit

PROGRESS_FROM = 50_000_000  # samples seen, above which even the fast engines take seconds


def train(
    target: options.Target = "1,2,2",
    network: options.Network = registry.DEFAULT_NETWORK,
    engine: options.Engine = None,
    strategy: Annotated[
        str | None, typer.Option(help="mirrored over devices or multi_worker over processes, instead of an engine.")
    ] = None,
    backend: options.Backend = None,
    device: options.Device = "cpu",
    optimizer: options.Optimizer = "adam",
    learning_rate: Annotated[float, typer.Option(help="Finite, above 0.")] = 0.001,
    final_learning_rate: options.FinalLearningRate = None,
    init: options.Init = "glorot",
    batch_size: Annotated[int, typer.Option(help="1 to samples.")] = 1,
    epochs: options.Epochs = 999,
    samples: options.Samples = 999,
    seed: Annotated[int, typer.Option(help="Decides initial weights and order.")] = 7,
    data_seed: options.DataSeed = 42,
    low: options.Low = 0.0,
    high: options.High = 1.0,
    threads: Annotated[int | None, typer.Option(help="The backend's threads; else its own choice.")] = None,
    plot: options.Plot = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 unless the run passes.")] = False,
) -> None:
    """Train once, and hold what was learnt against the truth. The defaults are the published experiment.

    A run passes when the largest error of a coefficient is below the learning rate (the smallest, if it decays).
    """
    knobs = dict(locals())
    from parabola import files
    from parabola.display import pictures
    from parabola.machine import backends, devices, tf_config
    from parabola.training import engines, figure, memory, text

    knobs["engine"] = engine = engine or registry.engine_for(strategy)
    try:
        worker = tf_config.index_here() if strategy == "multi_worker" else 0
        backends.choose(backend)
        devices.check_threads(threads)
        experiment = options.read_experiment(knobs)
        if reason := engines.missing(engine):
            raise ValueError(f"engine {reason}")
        if reason := memory.too_large(experiment):
            raise ValueError(reason)
        if plot:
            files.check_path(plot, pictures.FORMATS)
        needs_backend = registry.ENGINES[engine].needs_backend
        if threads is not None and not needs_backend:
            raise ValueError(f"engine {engine} has one thread; --threads is the backend's. Received: {threads}")
        if strategy == "multi_worker":
            devices.check_name(device)
            if ":" in device:
                raise ValueError(f"strategy multi_worker takes cpu or gpu, without a number. Received: {device}")
            backends.start(threads=threads)
        elif needs_backend:
            backends.start(threads=threads)
            (devices.resolve_all if strategy == "mirrored" else devices.resolve)(device)
    except ValueError as error:
        exits.stop(error)
    fit = run(experiment)
    summary = {**fit.summary(), "threads": threads}
    if not worker:  # all have the same weights; the first speaks for all
        door.show_and_write(
            lambda: print(json.dumps(summary)) if as_json else text.print_training(summary),
            (plot, lambda path: pictures.save(figure.training_figure(fit), path)),
        )
    if check and summary["verdict"] != "pass":
        raise typer.Exit(ExitCode.CHECK_FAILED)


def run(experiment: "Experiment") -> "Fit":
    """Train; with a bar and the time left where it takes long and somebody watches."""
    from parabola.display import console
    from parabola.machine import ending
    from parabola.training.engines import PeerError
    from parabola.training.train import NotRepresentableWarning, train

    def say(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
        print(f"warning: {message}", file=sys.stderr)

    warnings.simplefilter("always", NotRepresentableWarning)
    warnings.showwarning = say
    fast = registry.ENGINES[experiment.engine].fast
    if fast and experiment.epochs * experiment.samples <= PROGRESS_FROM:
        return train(experiment)

    def in_pieces(done: int) -> None:
        """Be called between pieces of a run, as Ctrl-C cannot end one piece of a compiled program."""
        ending.end_if_asked()

    try:
        with console.progress_bar("{task.completed}/{task.total} epochs,", experiment.epochs) as bar:
            return train(experiment, progress=bar or (in_pieces if fast else None))
    except PeerError as error:
        exits.stop(error, ExitCode.WORKER_FAILED)
    except ValueError as error:  # of a device that is known only where it is used
        exits.stop(error)
