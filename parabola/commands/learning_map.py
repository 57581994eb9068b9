"""python -m parabola map: which share of seeds learns, by learning rate and batch size."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parabola import registry
from parabola.commands import door, exits, options
from parabola.exit_codes import ExitCode

if TYPE_CHECKING:
    from parabola.ensemble.learning_map import Grid
    from parabola.ensemble.map_file import Cell


def learning_map(
    context: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(help="With --merge: what --shard has written.")] = None,
    learning_rates: Annotated[
        list[str] | None, typer.Option(metavar="A,B,…", help="Default: 25 from 0.0001 to 1. Repeatable.")
    ] = None,
    batch_sizes: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,…", help="Default: the 8 divisors of 999, up to samples. Repeatable."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="In each cell.")] = 200,
    first_seed: Annotated[int, typer.Option(help="The others follow it.")] = 0,
    target: options.Target = "1,2,2",
    network: options.Network = registry.DEFAULT_NETWORK,
    backend: options.Backend = None,
    device: options.Device = "cpu",
    optimizer: options.Optimizer = "adam",
    final_learning_rate: options.FinalLearningRate = None,
    init: options.Init = "glorot",
    epochs: options.Epochs = 999,
    samples: options.Samples = 999,
    data_seed: options.DataSeed = 42,
    low: options.Low = 0.0,
    high: options.High = 1.0,
    plot: options.Plot = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Else learning_map.json. What it lacks is trained.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Train the I-th of N parts, as 3/16, into a file of its own.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Train on the workers of Dask's scheduler there.")
    ] = None,
    merge: Annotated[bool, typer.Option("--merge", help="Join the shards' files, which say what map it is.")] = False,
) -> None:
    """Draw the map of learning rate × batch size: which share of seeds learns.

    Finished cells are kept in the JSON file: after an interruption, the same command goes on from there.
    """
    knobs = dict(locals())
    from parabola import files as disk
    from parabola.display import pictures
    from parabola.ensemble import figure, merging, text
    from parabola.ensemble.cluster import ClusterError
    from parabola.ensemble.learning_map import BATCH_SIZES, LEARNING_RATES, Grid, groups
    from parabola.ensemble.map_state import MapState
    from parabola.machine import backends
    from parabola.training import engines, memory

    try:
        if bool(files) != merge:
            given = ", ".join(map(str, files or [])) or "no file"
            raise ValueError(f"--merge needs the files of shards, and files need --merge. Received: {given}")
        if (shard and (merge or plot)) or (cluster and merge):
            raise ValueError("--merge trains nothing, and --shard has no whole map to plot")
        part = options.read_shard(shard or "1/1")
        path = json_file or Path(f"learning_map-{part[0]}-of-{part[1]}.json" if shard else "learning_map.json")
        if plot:
            disk.check_path(plot, pictures.FORMATS)
        disk.check_path(path, (".json",))
        if not context.with_resource(disk.alone(path)):
            raise ValueError(f"another map command is writing {path}: wait for it, or name another file with --json")
        if files:
            grid, cells = merging.merge(files, path)
        else:
            backends.choose(backend)
            if reason := engines.missing("members"):
                raise ValueError(reason)
            rates = LEARNING_RATES if not learning_rates else options.numbers("learning-rates", learning_rates, float)
            sizes = tuple(size for size in BATCH_SIZES if size <= samples)
            sizes = sizes if not batch_sizes else options.numbers("batch-sizes", batch_sizes, int)
            spec = options.read_experiment({**knobs, "learning_rate": max(rates)})
            grid = Grid(spec, rates, sizes, seeds, first_seed)
            if reason := memory.too_large(grid.experiment):
                raise ValueError(reason)
            MapState(path, grid.identity(), groups(grid))
    except ValueError as error:
        exits.stop(error)
    if not merge:
        try:
            cells = train(grid, path, part, cluster)
        except (KeyboardInterrupt, ClusterError) as error:
            again = f"{path} keeps {kept(path, grid)}; the same command goes on from there"
            if isinstance(error, ClusterError):
                exits.stop(f"{error}; {again}", ExitCode.WORKER_FAILED)
            exits.tell(again)
            raise
    whole = len(grid.learning_rates) * len(grid.batch_sizes)
    if len(cells) < whole and merge:
        exits.stop(f"{path} keeps {kept(path, grid)}; the other shards are missing")
    spec = grid.experiment
    decaying = "" if spec.final_learning_rate is None else f", decaying to {spec.final_learning_rate:g}"
    title = f"{spec.network} learns {spec.target}: which share of {grid.seeds} seeds passes"
    subtitle = f"{spec.epochs} epochs of {spec.samples} samples, {spec.optimizer}{decaying}, init {spec.init}"
    published = [(rate, 1) for rate in (0.001, 0.1) if rate in grid.learning_rates and 1 in grid.batch_sizes]
    framed = f"{subtitle}; framed: as published" if published else subtitle

    def show() -> None:
        if len(cells) == whole:
            text.print_map(cells, grid, f"{title}\n{subtitle}")
            print(f"{path} holds the map")
        else:
            print(f"{path} holds shard {shard}: {kept(path, grid)}")

    def draw(picture: Path) -> None:
        pictures.save(figure.map_figure(cells, grid, title=title, subtitle=framed, framed=published), picture)

    door.show_and_write(show, (plot, draw))


def train(grid: "Grid", path: Path, shard: tuple[int, int], cluster: str | None) -> "list[Cell]":
    """Train what a file lacks of a shard, here or on a cluster, with a bar and the time left."""
    from parabola.display import console
    from parabola.ensemble.cluster import trainer
    from parabola.ensemble.learning_map import train_map
    from parabola.machine import backends, devices

    form, device = "{task.percentage:.0f} % of the map{task.fields[text]},", grid.experiment.device
    with console.progress_bar(form, 1.0) as bar, ExitStack() as stack:
        if bar:
            bar(0.0, ": looking for workers" if cluster else ": starting the backend")
        try:
            if not cluster:
                (devices.resolve_all if backends.backend() == "jax" else devices.resolve)(device)
            train_parts = stack.enter_context(trainer(cluster, device, exits.tell))
        except ValueError as error:
            exits.stop(error)
        return train_map(grid, path, shard=shard, train=train_parts, progress=bar)


def kept(path: Path, grid: "Grid") -> str:
    """Return how much of a map is in a file, as text."""
    from parabola.ensemble import map_file

    state = map_file.load(path) if path.exists() else map_file.State(0, {}, [])
    others = sum(len(piece.outcomes) // (2 * map_file.OUTCOME.itemsize) for piece in state.pieces)
    cells = f"{len(state.cells)} of {len(grid.learning_rates) * len(grid.batch_sizes)} cells"
    return f"{cells}, and {others:,} runs of others" if others else cells
