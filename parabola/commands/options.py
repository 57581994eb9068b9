"""Options that several commands have, each said once, and how their values are read."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from parabola import registry
from parabola.compare.sides.by_side import BySide

if TYPE_CHECKING:
    from parabola.training.experiment import Experiment


def one_of(names: Iterable[str]) -> str:
    """Return names as a help text has them: "a, b or c"."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


Target = Annotated[str, typer.Option(metavar="A,B,C", help="True coefficients of a x² + b x + c; a ≠ 0.")]
Network = Annotated[str, typer.Option(help=f"{one_of(registry.NETWORKS)}.")]
Engine = Annotated[
    str | None,
    typer.Option(
        help=f"{one_of(name + ' (the default)' * (name == registry.DEFAULT_ENGINE) for name in registry.timings())}.",
        show_default=False,
    ),
]
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


MOST_SECONDS = 8760 * 3600.0  # what a socket waits for has its bounds, too


def read_seconds(option: str, text: str) -> float:
    """Read "90s", "5m" or "1h". Raises ValueError, naming the option, if it is anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)", text)
    if not found or not float(found[1]):
        raise ValueError(f"--{option} needs a time above 0 with its unit, as 90s, 5m or 1h. Received: {text!r}")
    seconds = float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]
    if seconds > MOST_SECONDS:
        raise ValueError(f"--{option} takes at most a year, {MOST_SECONDS / 3600:.0f}h. Received: {text!r}")
    return seconds


def read_share(option: str, text: str) -> float:
    """Read "5%". Raises ValueError, naming the option, if it is anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if not found or not float(found[1]):
        raise ValueError(f"--{option} needs a share above 0 in per cent, as 5%. Received: {text!r}")
    return float(found[1]) / 100


def read_metrics(texts: Sequence[str], minimum_effect: str) -> dict[str, float]:
    """Read "NAME" or "NAME=5%" of each time that --metric was given; return each minimum effect by the name.

    Args:
        texts: the values of the option.
        minimum_effect: the text of the minimum effect of those that give none.

    Raises:
        ValueError: if a name is empty or given twice, or a share is none.
    """
    effects = dict[str, float]()
    for text in texts:
        name, equals, share = text.rpartition("=") if "=" in text else (text, "", "")
        if not name.strip() or name in effects:
            raise ValueError(f"--metric needs a key of extra_info, once: peak_mebibytes=5%. Received: {text!r}")
        effects[name] = read_share("metric", share) if equals else read_share("minimum-effect", minimum_effect)
    return effects


def read_shard(text: str) -> tuple[int, int]:
    """Read "3/16". Raises ValueError if it is anything else, or there is no such shard."""
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError(f"--shard needs a shard's number, and how many there are, as 3/16. Received: {text!r}")
    return int(found[1]), int(found[2])


def read_planted(text: str) -> tuple[str, float]:
    """Read "CASE=5%". Raises ValueError if it is anything else."""
    case, equals, share = text.rpartition("=")
    if not (case and equals):
        raise ValueError(f"--inject needs a case and a share, as batch_27=5%. Received: {text!r}")
    return case, read_share("inject", share)


def read_sides(option: str, texts: Sequence[str]) -> BySide[str]:
    """Read "VALUE" for both sides, "base=VALUE" or "head=VALUE"; what is for one side goes before what is for both.

    Raises:
        ValueError: if a value is empty or there are two for the same; the message names the option.
    """
    given = dict[str, str]()
    for text in texts:
        side, equals, value = text.partition("=")
        key, value = (side, value) if equals and side in ("base", "head") else ("", text)
        if key in given or not value.strip():
            raise ValueError(f"--{option} needs one value for both sides, or base=… and head=…. Received: {text!r}")
        given[key] = value
    both = given.get("", "")
    return BySide(given.get("base", both), given.get("head", both))


def read_experiment(knobs: dict[str, Any]) -> "Experiment":
    """Return the options of a command that are an experiment's as one. Raises ValueError where it does."""
    from parabola.training.experiment import Experiment
    from parabola.training.target import Parabola

    fields = {name: knobs[name] for name in Experiment.__dataclass_fields__ if name in knobs}
    return Experiment(**{**fields, "target": Parabola.parse(knobs["target"])})


def numbers(option: str, texts: Sequence[str], kind: type[Any]) -> tuple[Any, ...]:
    """Read "1,2,3" of each time that an option was given. Raises ValueError, naming it, if it is anything else."""
    text = ",".join(texts)
    try:
        return tuple(map(kind, text.split(",")))
    except ValueError:
        raise ValueError(f"--{option} needs numbers with commas between, as in 1,10. Received: {text!r}") from None
