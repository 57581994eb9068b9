"""The options that several commands have: how their values are read."""

import re
from typing import Any

import pytest

from parabola.commands import options
from parabola.compare.sides.by_side import BySide
from parabola.training.experiment import Experiment
from parabola.training.target import Parabola


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("5m", 300.0), ("2h", 7200.0), ("0.5s", 0.5), ("1.25m", 75.0), ("0.01h", 36.0), ("007s", 7.0)],
)
def test_a_time_is_read_in_seconds(text: str, seconds: float) -> None:
    """A minute has 60 of them, and an hour 3,600; a fraction is allowed."""
    assert options.read_seconds("budget", text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize("text", ["", "90", "s", "0s", "0.0m", "-5s", "5 s", "5S", "5d", "1h30m", ".5s", "5.s", "5sx"])
def test_a_time_without_its_unit_is_refused(text: str) -> None:
    """The message names the option, shows what is right, and quotes what came."""
    message = f"--budget needs a time above 0 with its unit, as 90s, 5m or 1h. Received: {text!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        options.read_seconds("budget", text)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("0.5%", 0.005), ("12.5%", 0.125), ("250%", 2.5)])
def test_a_share_is_read_in_per_cent(text: str, share: float) -> None:
    """A hundred per cent are the whole."""
    assert options.read_share("margin", text) == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize("text", ["", "5", "%", "0%", "0.0%", "-5%", "5 %", "5%%", ".5%", "x5%"])
def test_a_share_without_its_sign_is_refused(text: str) -> None:
    """The message names the option, shows what is right, and quotes what came."""
    message = f"--margin needs a share above 0 in per cent, as 5%. Received: {text!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        options.read_share("margin", text)


@pytest.mark.parametrize(
    ("text", "case", "share"),
    [("batch_27=5%", "batch_27", 0.05), ("test[a=1, b=2]=0.5%", "test[a=1, b=2]", 0.005), ("==3%", "=", 0.03)],
)
def test_a_planted_change_is_a_case_and_a_share(text: str, case: str, share: float) -> None:
    """The last equals sign parts them: the name of a case may have some of its own."""
    assert options.read_planted(text) == (case, share)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch_27", "--inject needs a case and a share, as batch_27=5%. Received: 'batch_27'"),
        ("=5%", "--inject needs a case and a share, as batch_27=5%. Received: '=5%'"),
        ("", "--inject needs a case and a share, as batch_27=5%. Received: ''"),
        ("batch_27=", "--inject needs a share above 0 in per cent, as 5%. Received: ''"),
        ("batch_27=5", "--inject needs a share above 0 in per cent, as 5%. Received: '5'"),
    ],
)
def test_half_a_planted_change_is_refused(text: str, message: str) -> None:
    """Without a case, or without a share, the message says what is missing."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        options.read_planted(text)


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [("1,10,100", int, (1, 10, 100)), ("7", int, (7,)), ("0.1, 1e-3", float, (0.1, 0.001)), ("3", float, (3.0,))],
)
def test_numbers_are_read_in_their_order(text: str, kind: type[Any], values: tuple[Any, ...]) -> None:
    """Commas part them, spaces do not matter, and each is of the kind that was asked for."""
    read = options.numbers("batch-sizes", [text], kind)

    assert read == values
    assert {type(value) for value in read} == {kind}
    assert options.numbers("batch-sizes", [text, text], kind) == values + values


@pytest.mark.parametrize(("text", "kind"), [("1,x", int), ("0.5", int), ("", float), ("1,", int), ("1;2", float)])
def test_what_is_no_list_of_numbers_is_refused(text: str, kind: type[Any]) -> None:
    """The message names the option, shows what is right, and quotes what came."""
    message = f"--batch-sizes needs numbers with commas between, as in 1,10. Received: {text!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        options.numbers("batch-sizes", [text], kind)


def test_an_experiment_takes_what_is_its_own() -> None:
    """Each knob that it has reaches it, the target is parsed, and what is another's does not disturb it."""
    knobs: dict[str, Any] = {
        "target": "3,-1,0.5",
        "network": "one_neuron",
        "engine": "fit",
        "device": "gpu",
        "optimizer": "sgd",
        "learning_rate": 0.25,
        "final_learning_rate": 0.125,
        "init": "sign-aware",
        "batch_size": 4,
        "epochs": 6,
        "samples": 9,
        "seed": 2,
        "data_seed": 3,
        "low": -1.0,
        "high": 2.0,
    }
    read = options.read_experiment({**knobs, "plot": None, "check": True})

    assert read == Experiment(**{**knobs, "target": Parabola(3, -1, 0.5)})
    assert options.read_experiment({"target": "1,2,2", "seeds": 5}) == Experiment()


def test_an_experiment_that_cannot_be_is_refused() -> None:
    """The target's message, and that of any other knob, are passed on."""
    with pytest.raises(ValueError, match="target needs three numbers"):
        options.read_experiment({"target": "1,2"})
    with pytest.raises(ValueError, match="epochs must be a whole number"):
        options.read_experiment({"target": "1,2,2", "epochs": 0})


@pytest.mark.parametrize(
    ("texts", "base", "head"),
    [
        ([], "", ""),
        (["make"], "make", "make"),
        (["CC=gcc make"], "CC=gcc make", "CC=gcc make"),
        (["base=make a=b"], "make a=b", ""),
        (["head=h", "both"], "both", "h"),
        (["base=b", "head=h"], "b", "h"),
    ],
)
def test_a_value_is_for_both_sides_or_for_one(texts: list[str], base: str, head: str) -> None:
    """What is for one side goes before what is for both, in any order."""
    assert options.read_sides("setup", texts) == BySide(base, head)


@pytest.mark.parametrize(
    ("texts", "received"),
    [([""], "''"), (["base=", "make"], "'base='"), (["a", "b"], "'b'"), (["head=a", "head=b"], "'head=b'")],
)
def test_two_values_for_one_side_and_none_are_refused(texts: list[str], received: str) -> None:
    """The message names the option, shows what is right, and quotes what came."""
    message = f"--setup needs one value for both sides, or base=… and head=…. Received: {received}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        options.read_sides("setup", texts)
