"""python -m parabola map: which share of seeds learns, by learning rate and batch size."""

from pathlib import Path
from typing import Annotated

import typer

from parabola import registry
from parabola.commands import door, exits, options


def learning_map(
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
        Path, typer.Option("--json", metavar="FILE", help="The map on disk; what it lacks is trained.")
    ] = Path("learning_map.json"),
) -> None:
    """Draw the map of learning rate × batch size: which share of seeds learns.

    Finished cells are kept in the JSON file: after an interruption, the same command goes on from there.
    """
    knobs = dict(locals())
    from parabola import files
    from parabola.display import console, pictures
    from parabola.ensemble import figure, map_file, text
    from parabola.ensemble.learning_map import BATCH_SIZES, LEARNING_RATES, Grid, train_map
    from parabola.machine import backends, devices
    from parabola.training import engines, memory

    try:
        backends.choose(backend)
        if reason := engines.missing("members"):
            raise ValueError(reason)
        rates = LEARNING_RATES if not learning_rates else options.numbers("learning-rates", learning_rates, float)
        sizes = tuple(size for size in BATCH_SIZES if size <= samples)
        sizes = sizes if not batch_sizes else options.numbers("batch-sizes", batch_sizes, int)
        grid = Grid(options.read_experiment({**knobs, "learning_rate": max(rates)}), rates, sizes, seeds, first_seed)
        if reason := memory.too_large(grid.experiment):
            raise ValueError(reason)
        if plot:
            files.check_path(plot, pictures.FORMATS)
        files.check_path(json_file, (".json",))
        map_file.read(json_file, grid.identity())
    except ValueError as error:
        exits.stop(error)
    try:
        with console.progress_bar("{task.percentage:.0f} % of the map{task.fields[text]},", 1.0) as bar:
            if bar:
                bar(0.0, ": starting the backend")
            try:
                (devices.resolve_all if backends.backend() == "jax" else devices.resolve)(device)
            except ValueError as error:
                exits.stop(error)
            cells = train_map(grid, json_file, progress=bar)
    except KeyboardInterrupt:
        kept = f"{len(map_file.read(json_file, grid.identity()))} of {len(rates) * len(sizes)} cells"
        exits.tell(f"{json_file} keeps {kept}; the same command goes on from there")
        raise
    decaying = "" if final_learning_rate is None else f", decaying to {final_learning_rate:g}"
    title = f"{network} learns {grid.experiment.target}: which share of {seeds} seeds passes"
    subtitle = f"{epochs} epochs of {samples} samples, {optimizer}{decaying}, init {init}"
    published = [(rate, 1) for rate in (0.001, 0.1) if rate in rates and 1 in sizes]
    framed = f"{subtitle}; framed: as published" if published else subtitle

    def show() -> None:
        text.print_map(cells, grid, f"{title}\n{subtitle}")
        print(f"{json_file} holds the map")

    def draw(path: Path) -> None:
        pictures.save(figure.map_figure(cells, grid, title=title, subtitle=framed, framed=published), path)

    door.show_and_write(show, (plot, draw))
