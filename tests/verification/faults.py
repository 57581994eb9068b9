"""Planted faults, and whether the check finds each: python -m tests.verification.faults prints the handbook's table."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import typer

from benchmarks.harness.cases import grid_cases
from benchmarks.harness.options import Selection
from parabola.display import console
from parabola.display.tables import Column, Table, markdown_lines
from parabola.training import engines
from parabola.training.engines import feeds
from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification.check import check_run
from parabola.verification.refusal import WrongRun
from tests.verification import plants
from tests.verification.plants import Fault, in_arithmetic, in_making, in_run, in_update, in_whole_runs, of_adam

ENGINES = ("native", "compiled", "fused_fit", "fit")
LEARNING_RATES, BATCH_SIZES = (0.001, 0.1), (1, 9, 32, 111, 999)
MANY_SAMPLES = 10_000  # at batch size 1


def first_kernel(change: float) -> Callable[..., tuple[Any, Any]]:
    """Return what multiplies the gradient of the first kernel."""

    def changed(adam: Any, gradient: Any, variable: Any, rate: Any) -> tuple[Any, Any]:
        return (gradient * change if adam._get_variable_index(variable) == 0 else gradient), rate

    return changed


def times(factor: float) -> Callable[..., tuple[Any, Any]]:
    """Return what multiplies the learning rate."""
    return lambda adam, gradient, variable, rate: (gradient, rate * factor)


def without_correction(adam: Any, gradient: Any, variable: Any, rate: Any) -> tuple[Any, Any]:
    """Divide the learning rate by what Adam will multiply it with."""
    from keras import ops

    step = ops.cast(adam.iterations + 1, "float32")
    return gradient, rate * (1 - ops.power(0.9, step)) / ops.sqrt(1 - ops.power(0.999, step))


def summed(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
    """Take a batch's sum for its mean."""
    scale = float(experiment.batch_size)
    changed = in_update(lambda adam, gradient, variable, rate: (gradient * scale, rate))
    in_arithmetic(("two / single(size)", "two"), changed)(monkeypatch, experiment)


def half_precision(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
    """Keep weights in float16: after each update with Keras, after each epoch in `native`."""
    if experiment.engine == "native":

        def run(right: plants.Run, engine: Any, rows: Array) -> Array:
            history = []
            for row in rows:
                right(engine, np.array([row]))
                engine.values[0] = engine.values[0].astype(np.float16)
                history.append(engine.state().weights)
            return np.array(history)

        return in_run(run)(monkeypatch, experiment)
    import keras

    def update_step(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        adam.update_step(self, gradient, variable, learning_rate)
        variable.assign(keras.ops.cast(keras.ops.cast(variable, "float16"), "float32"))

    adam = keras.optimizers.Adam
    monkeypatch.setattr(keras.optimizers, "Adam", type("Adam", (adam,), {"update_step": update_step}))


def drop_partial(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
    """Leave out the samples of an epoch's partial last batch, but for the number of steps that is told."""
    whole = experiment.samples // experiment.batch_size * experiment.batch_size
    if experiment.engine == "native":
        short = ("range(0, x.size, batch_size)", f"range(0, {whole}, batch_size)")
        return in_arithmetic(short, of_adam())(monkeypatch, experiment)
    made = plants.engine_class(experiment)
    build, feed = made.build, feeds.ArrayFeed.__init__

    def shorter(arrays: Any, engine: Any) -> None:
        feed(arrays, engine)
        arrays.x, arrays.y = arrays.x[:whole], arrays.y[:whole]
        arrays.arguments |= {"x": arrays.x, "y": arrays.y}

    def fewer(engine: Any) -> None:
        bank, engine.experiment, engine.bank = engine.bank, replace(experiment, samples=whole), engine.bank[:, :whole]
        build(engine)
        engine.experiment, engine.bank = experiment, bank if experiment.engine == "compiled" else engine.bank

    monkeypatch.setattr(made, "build", fewer)
    monkeypatch.setattr(feeds.ArrayFeed, "__init__", shorter)


def other_seed(monkeypatch: pytest.MonkeyPatch, experiment: Experiment) -> None:
    """Begin with another seed's weights."""
    made = plants.engine_class(experiment)
    load, other = made.load, experiment.initial_weights(experiment.seed + 1)
    monkeypatch.setattr(made, "load", lambda engine, weights, rate: load(engine, other, rate))


def shifted(right: plants.Run, engine: Any, rows: Array) -> Array:
    """Return the weights before each epoch instead of those after it."""
    begin = engine.state().weights[None]
    return np.concatenate([begin, right(engine, rows)[:-1]])


def before(right: plants.Run, engine: Any, rows: Array) -> Array:
    """Return what the last whole run returned, without training."""
    kept: dict[int, Array] = vars(engine).setdefault("kept", {})
    if len(rows) not in kept:
        kept[len(rows)] = right(engine, rows)
    return kept[len(rows)].copy()


class Pending(np.ndarray[Any, Any]):
    """Weights that are the device's still."""


def low_precision(engine: Any) -> None:
    """Round the samples to bfloat16."""
    for name in ("x", "y"):
        bits = (getattr(engine, name).view(np.uint32) + 0x8000) & np.uint32(0xFFFF0000)
        setattr(engine, name, bits.view(np.float32))


def next_rows(engine: Any) -> None:
    """Take each order from the row after its own."""
    engine.bank = np.roll(engine.bank, -1, axis=0)


def next_row_late(right: plants.Run, engine: Any, rows: Array) -> Array:
    """Take orders of the second half of a run from the row after their own."""
    late = np.arange(len(rows)) >= len(rows) // 2
    return right(engine, np.where(late, (rows + 1) % len(engine.bank), rows).astype(rows.dtype))


def in_order(experiment: Experiment) -> str:
    """Say where the order cannot be seen."""
    if experiment.batch_size == experiment.samples:
        return "with one batch an epoch the order decides rounding alone"
    return ""


def in_several_epochs(experiment: Experiment) -> str:
    """Say where one order for all epochs cannot be seen."""
    return "a run of one epoch has one order" if experiment.epochs == 1 else in_order(experiment)


def from_the_middle(experiment: Experiment) -> str:
    """Say where one order for the second half of a run cannot be seen."""
    return "half of a run of two epochs has one order" if experiment.epochs == 2 else in_several_epochs(experiment)


def in_part(experiment: Experiment) -> str:
    """Say where no partial batch is."""
    return "" if experiment.samples % experiment.batch_size else "there is no partial batch"


def in_batches(experiment: Experiment) -> str:
    """Say where a sum is its mean."""
    return "the sum of one sample is its mean" if experiment.batch_size == 1 else ""


FAULTS = (
    Fault("no fault", lambda monkeypatch, experiment: None),
    Fault("stops an epoch early, repeats its last weights", in_whole_runs(plants.repeat_last(0.0))),
    Fault("leaves out 10 %, repeats its last weights", in_whole_runs(plants.repeat_last(0.1))),
    Fault("leaves out 45 %, repeats its last weights", in_whole_runs(plants.repeat_last(0.45))),
    Fault("leaves out 45 % of each call", in_run(plants.repeat_last(0.45))),
    Fault("weights overwritten with 1e9 in the middle", in_run(plants.overwrite(0.02, 0.5, 1e9))),
    Fault("zeros at the end", in_run(plants.overwrite(0.75, 1.0, 0.0))),
    Fault("NaN in the middle", in_run(plants.overwrite(0.25, 0.5, np.nan))),
    Fault("infinite at the end", in_run(plants.overwrite(0.75, 1.0, np.inf))),
    Fault("another seed's weights", other_seed),
    Fault("the round before, not trained", in_whole_runs(before)),
    Fault("shifted by an epoch", in_run(shifted)),
    Fault("orders off by a row", in_making(next_rows), in_order),
    Fault("orders off by a row from the middle", in_whole_runs(next_row_late), in_order),
    Fault("one order in every epoch", in_run(plants.reorder(0.0)), in_several_epochs),
    Fault("one order from the middle", in_run(plants.reorder(0.5)), from_the_middle),
    Fault("partial batch dropped", drop_partial, in_part),
    Fault("sum for the mean", summed, in_batches),
    *(
        Fault(
            f"learning rate × {factor:g}",
            in_arithmetic(("learning_rate * np", f"{factor} * learning_rate * np"), in_update(times(factor))),
        )
        for factor in (2.0, 1.05, 1.005)
    ),
    Fault("beta_1 0.89", in_arithmetic(("0.9)", "0.89)"), of_adam(beta_1=0.89))),
    Fault("beta_2 0.99", in_arithmetic(("0.999", "0.99"), of_adam(beta_2=0.99))),
    Fault("beta_2 0.9991", in_arithmetic(("0.999", "0.9991"), of_adam(beta_2=0.9991))),
    Fault("epsilon 1e-3", in_arithmetic(("1e-7", "1e-3"), of_adam(epsilon=1e-3))),
    Fault("epsilon 1e-5", in_arithmetic(("1e-7", "1e-5"), of_adam(epsilon=1e-5))),
    Fault(
        "bias correction left out",
        in_arithmetic(("np.sqrt(1 - beta_2_power) / (1 - beta_1_power)", "1"), in_update(without_correction)),
    ),
    Fault("a gradient halved", in_arithmetic(("g1 += dz * xk", "g1 += dz * xk / two"), in_update(first_kernel(0.5)))),
    Fault("a gradient dropped", in_arithmetic(("g1 += dz * xk", "pass"), in_update(first_kernel(0.0)))),
    Fault("weights in float16", half_precision),
    Fault("samples in bfloat16", in_making(low_precision)),
    Fault("a device that is not waited for", in_run(lambda right, engine, rows: right(engine, rows).view(Pending))),
)


@dataclass(frozen=True)
class Cell:
    """One fault in one case.

    Attributes:
        fault: its name.
        experiment: the case.
        absent: why the fault cannot be there; empty where it can.
        found: what the check said of it; empty where it found nothing.
    """

    fault: str
    experiment: Experiment
    absent: str
    found: str


@lru_cache(maxsize=2)  # two learning rates in turn
def built(experiment: Experiment, *builders: Any) -> Any:
    """Return the engine of an experiment, which all faults share that leave as it is what builds it.

    Args:
        experiment: the case.
        builders: what builds the engine; a fault that changes one of them has a build of its own.
    """
    return engines.build(experiment)


def try_fault(fault: Fault, experiment: Experiment) -> Cell:
    """Plant a fault, and let the check look for it as a benchmark does: a checked run, then two that are timed."""
    if reason := fault.absent(experiment):
        return Cell(fault.name, experiment, reason, "")
    found = ""
    with pytest.MonkeyPatch.context() as monkeypatch:
        fault.plant(monkeypatch, experiment)
        engine = built(experiment, *plants.builders(experiment))
        engine.reset()  # its last run may have been of another fault
        try:
            checked = check_run(engine)
            for _ in range(2):
                rows = engine.reset()
                checked.hold(engine.run(rows), engine.state())
        except (WrongRun, TypeError) as refusal:
            found = str(refusal)
    return Cell(fault.name, experiment, "", found)


def experiments(engine: str, batch_sizes: Sequence[int] = (), samples: Sequence[int] = ()) -> list[Experiment]:
    """Return the cases of an engine, with the epochs that the suite gives a round.

    Args:
        engine: the engine.
        batch_sizes: only these, and if `samples` is empty only with 999 of them; empty for all.
        samples: only these numbers of samples; empty for all.
    """
    numbers = samples or ((999,) if batch_sizes else (999, MANY_SAMPLES))
    tried = [(size, 999) for size in BATCH_SIZES] + [(1, MANY_SAMPLES)]
    selections = [
        Selection(
            engines=(engine,),
            learning_rates=LEARNING_RATES,
            batch_sizes=(size,),
            samples=(number,),
            everything=True,
        )
        for size, number in tried
        if size in (batch_sizes or BATCH_SIZES) and number in numbers
    ]
    return [case.experiment for selection in selections for case in grid_cases(selection, ("cpu",))[0]]


def lines(cells: Iterable[Cell]) -> list[str]:
    """Return the table in Markdown, a row a fault and a column an engine, and what it does not say."""
    cells = list(cells)
    names, tried = [fault.name for fault in FAULTS], dict.fromkeys(cell.experiment.engine for cell in cells)

    def count(engine: str, name: str) -> str:
        there = [cell for cell in cells if (cell.fault, cell.experiment.engine) == (name, engine) and not cell.absent]
        return f"{sum(bool(cell.found) for cell in there)} of {len(there)}"

    columns = [Column[str]("fault", lambda name: name, "left")]
    columns += [Column[str](engine, partial(count, engine)) for engine in tried]
    reasons = dict.fromkeys((cell.fault, cell.absent) for cell in cells if cell.absent)
    unseen = [cell for cell in cells if not cell.found and not cell.absent and cell.fault != "no fault"]
    return [
        *markdown_lines(Table("", tuple(columns), names)),
        "",
        *(f"- {fault}: {reason}." for fault, reason in reasons),
        *(f"- not found: {cell.fault}, {where(cell.experiment)}" for cell in unseen),
    ]


def where(experiment: Experiment) -> str:
    """Name a case."""
    samples = f", {experiment.samples} samples" if experiment.samples != 999 else ""
    knobs = f"batch size {experiment.batch_size}, learning rate {experiment.learning_rate:g}{samples}"
    return f"{experiment.engine}, {knobs}, {experiment.epochs} epochs"


def main(
    engine: Annotated[list[str] | None, typer.Option(help="Only these; repeatable.")] = None,
    batch_size: Annotated[
        list[int] | None, typer.Option(help="Only these; repeatable. fit takes hours for all.")
    ] = None,
    samples: Annotated[list[int] | None, typer.Option(help="Only so many, 999 or 10,000; repeatable.")] = None,
    file: Annotated[Path | None, typer.Option(help="Where to write the table.")] = None,
) -> None:
    """Plant every fault in every engine and case, and print what the check finds."""
    names, sizes, numbers = engine or ENGINES, batch_size or (), samples or ()
    todo = [(fault, case) for name in names for case in experiments(name, sizes, numbers) for fault in FAULTS]
    cells = [try_fault(fault, case) for fault, case in console.tracked(todo, "faults")]
    text = "\n".join(lines(cells))
    print(text)
    if file:
        file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
