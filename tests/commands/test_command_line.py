"""What the command line says of itself."""

import re
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from parabola.commands.app import app

HELP: dict[str, dict[str, tuple[str, Any]]] = {"train": {}, "compare": {}, "report": {}, "keep": {}}
HELP["train"] = {
    "--target A,B,C": ("True coefficients of a x² + b x + c; a ≠ 0.", "1,2,2"),
    "--network": ("two_neuron or one_neuron.", "two_neuron"),
    "--engine": ("fit, fused_fit, compiled (the default) or native.", None),
    "--strategy": ("mirrored over devices or multi_worker over processes, instead of an engine.", None),
    "--backend": ("Keras' backend: tensorflow, jax or torch; else KERAS_BACKEND's.", None),
    "--device": ("cpu, cpu:1, gpu, gpu:0, …; gpu:all is every GPU, for a map on JAX.", "cpu"),
    "--optimizer": ("A Keras optimizer: adam, sgd, rmsprop, …", "adam"),
    "--learning-rate": ("Finite, above 0.", 0.001),
    "--final-learning-rate": ("Keras' cosine decay goes there by the last step; else it stays.", None),
    "--init": ("glorot, or sign-aware: the second kernel's sign from three samples.", "glorot"),
    "--batch-size": ("1 to samples.", 1),
    "--epochs": ("1 or more.", 999),
    "--samples": ("1 or more.", 999),
    "--seed": ("Decides initial weights and order.", 7),
    "--data-seed": ("Decides the samples.", 42),
    "--low": ("Lower end of the range of x.", 0.0),
    "--high": ("Upper end of the range of x.", 1.0),
    "--threads": ("The backend's threads; else its own choice.", None),
    "--plot FILE": ("Draw it: .png, .svg or .html.", None),
    "--json": ("Print one JSON object instead of text.", False),
    "--check": ("Exit 1 unless the run passes.", False),
}
HELP["compare"] = {
    "base": ("A revision: branch, tag or commit.", None),
    "head": ("Another; else the working tree as it stands.", None),
    "--budget TIME": ("To be used up at most: 90s, 5m, 1h.", "5m"),
    "--minimum-effect SHARE": ("What differs by less is the same.", "5%"),
    "--strict": ("Exit 3 where a case is inconclusive.", False),
    "--cores": ("A launch has to itself; both sides share them, in turn.", 1),
    "--at-once": ("Launches side by side; else what the cores allow.", None),
    "--limit TIME": ("A side that is silent for longer hangs.", "5m"),
    "--json FILE": ("All that was measured.", None),
    "--markdown FILE": ("A pull-request comment.", None),
    "--plot FILE": ("Draw it: .png, .svg or .html.", None),
    "--logs FOLDER": ("New or empty: all that each side of each launch writes.", None),
    "--inject CASE=SHARE": ("Plant a slowdown in head: batch_27=5%. Repeatable.", None),
    "--allow MODULE": ("May come from elsewhere than a side's tree. Repeatable.", None),
    "--install [SIDE=]COMMAND": ("Fill a new environment with it, to measure with. Repeatable.", None),
    "--python [SIDE=]PYTHON": ("Measure with it, or make the new environment of it. Repeatable.", None),
    "--setup [SIDE=]COMMAND": ("Each checkout runs it first, as to build. Repeatable.", None),
    "--harness PATH": ("Lay head's file or folder over base's. Repeatable.", None),
    "--case NAME": ("Only cases with that in their name. Repeatable.", None),
    "--metric NAME[=SHARE]": ("Compare a number of extra_info, too. Repeatable.", None),
    "--bisect-exit": ("Exit 1 if slower or wrong, 0 if not, 125 if not known.", False),
    "--self-test": ("Compare BASE, or the working tree, with itself: what can be told apart?", False),
}
HELP["report"] = {
    "sources [NAME=]RECORD…": ("Files, folders or globs; NAME is what to call its machine.", None),
    "--html FILE": ("One page that works offline.", None),
    "--markdown FILE": ("A job's summary.", None),
    "--json FILE": ("Tidy rows, one a measurement, for a notebook.", None),
    "--as": ("Print what another tracker reads, in place of the report.", None),
    "--check": ("Exit 1 if the newest commits are slower, or fewer seeds pass.", False),
}
HELP["keep"] = {
    "record": ("What --benchmark-json has written.", None),
    "branch": ("A branch for records alone; made where there is none.", "records"),
    "--remote": ("Where the branch is pushed to.", "origin"),
    "--folder DIRECTORY": ("Also write all records of the branch into this folder.", None),
}


@pytest.mark.parametrize("name", HELP)
def test_each_option_is_explained(name: str) -> None:
    """Its name, what it takes where that has a name, its sentence and its default are these, in this order."""
    group: Any = typer.main.get_command(app)
    options: list[Any] = group.commands[name].params
    shown = {
        " ".join([*option.opts, *([option.metavar] if option.metavar else [])]): (option.help, option.default)
        for option in options
    }

    assert shown == HELP[name]
    assert list(shown) == list(HELP[name])


def test_the_command_line_has_five_commands() -> None:
    """Their names and the sentence of the whole are shown, and no options to install completion."""
    answer = CliRunner().invoke(app, ["--help"])

    assert re.findall(r"^  (\w+)  ", answer.stdout, flags=re.MULTILINE) == [
        *("train", "map", "compare", "report", "keep")
    ]
    assert "The smallest training run with a known answer: two neurons learn a parabola." in answer.stdout
    assert "completion" not in answer.stdout
