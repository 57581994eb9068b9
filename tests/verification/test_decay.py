"""A learning rate that decays: the reference against a formula by hand, and real engines against the reference."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from parabola.training import engines
from parabola.training.engines import keras_engine
from parabola.training.experiment import Experiment
from parabola.training.state import State
from parabola.verification.check import check_run
from parabola.verification.reference import Reference
from parabola.verification.refusal import WrongRun
from tests import made_adam

SPEC = Experiment(batch_size=111, learning_rate=0.1, final_learning_rate=0.001, init="sign-aware", epochs=40)


@pytest.mark.parametrize("epoch", [0, 1, 19, 39])
def test_the_rate_goes_along_half_a_cosine(epoch: int) -> None:
    """Each of an epoch's nine steps has its own rate, from the first one at 0.1 to nearly 0.001 at the end."""
    reference, random = Reference(SPEC), np.random.default_rng(epoch)
    begin = random.uniform(0.5, 1, (3, 4)).astype(np.float32)
    state = State(begin[0], {"momentum": begin[1], "velocity": begin[2]}, 9 * epoch)
    x, y = (values.ravel() for values in SPEC.data)
    order, values = reference.bank[reference.rows[epoch]], begin.astype(float)
    for step in range(9):
        share = (9 * epoch + step) / 360
        rate = 0.001 + 0.099 * (1 + math.cos(math.pi * share)) / 2
        batch = order[111 * step : 111 * (step + 1)]
        values = made_adam.train("two_neuron", (x, y), batch, 111, rate, values, 9 * epoch + step)
    window = reference.train_on(state, epoch, 16)

    np.testing.assert_allclose(window.end, values, rtol=1e-12)
    still = Reference(replace(SPEC, final_learning_rate=None)).train_on(state, epoch, 0)
    assert np.abs(still.end[0] - values[0]).max() > 3 * window.tolerance.max()


def planted(change: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Build `compiled` with a decay that is changed; return what the check says of it, empty where it is right."""
    right: Any = keras_engine.decay
    monkeypatch.setattr(keras_engine, "decay", lambda experiment, rate: change(right, experiment, rate))
    engine = engines.build(SPEC)
    try:
        checked = check_run(engine)
        checked.hold(engine.run(engine.reset()), engine.state())
    except WrongRun as refusal:
        return str(refusal)
    assert (checked.windows, checked.telling) == (16, 16)
    return ""


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda right, experiment, rate: right(experiment, rate), False),
        (lambda right, experiment, rate: right(replace(experiment, final_learning_rate=0.0011), rate), True),
        (lambda right, experiment, rate: right(replace(experiment, epochs=41), rate), True),
    ],
)
def test_compiled_is_held_where_its_rate_decays(change: Any, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right run tells in every window; a decay to another rate, or of another length, is found."""
    said = planted(change, monkeypatch)

    assert bool(said) == found
    if found:
        assert "batch size 111, learning rate 0.1 to 0.001, init sign-aware, 999 samples, seed 7: after epoch" in said
