"""The engines agree with each other, and with a program that shares no code with them."""

import re
import time
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parabola import registry
from parabola.ensemble.members import members_program
from parabola.machine.backends import backend
from parabola.training import engines
from parabola.training.data import order_bank
from parabola.training.engines.native import NativeEngine, make_kernel
from parabola.training.experiment import Experiment
from parabola.training.target import Array, Parabola

EPOCHS = 4


def run(**knobs: Any) -> Array:
    engine = engines.build(Experiment(**knobs))
    return engine.run(engine.reset())


@lru_cache
def built(engine: str, network: str, batch_size: int) -> Any:
    """Return the one build of an engine that the tests of this file share; each resets it before it runs it.

    It has four epochs. 32 leaves a partial batch; small batches have fewer samples, as `fit` takes milliseconds a step.
    """
    samples = {1: 49, 9: 99}.get(batch_size, 999)
    spec = Experiment(engine=engine, network=network, batch_size=batch_size, samples=samples, epochs=EPOCHS)
    return engines.build(spec)


@pytest.mark.parametrize(
    ("network", "batch_size"),
    # How batches are cut does not depend on the network; but `native` has a kernel for batch size 1 of either.
    [
        *(("two_neuron", 1), ("two_neuron", 32), ("one_neuron", 1)),
        *(pytest.param("two_neuron", batch_size, marks=pytest.mark.end_to_end) for batch_size in (9, 500, 999)),
        pytest.param("one_neuron", 32, marks=pytest.mark.end_to_end),
    ],
)
def test_all_engines_agree_weight_by_weight(network: str, batch_size: int) -> None:
    """From equal weights and order, within 1e-5 after each of four epochs; 32 and 500 leave a partial batch."""
    made = {name: built(name, network, batch_size) for name in registry.timings() if not engines.missing(name)}
    runs = {name: engine.run(engine.reset()) for name, engine in made.items()}

    moved = np.abs(runs["native"][-1] - Experiment(network=network).net.initial_weights(7)).min()
    assert moved > 1e-3
    for name in runs:
        np.testing.assert_allclose(runs[name], runs["native"], rtol=0, atol=1e-5, err_msg=name)


def hold_any_batch_size(data: st.DataObject) -> None:
    """Compiled agrees with native from batch size 1 to all samples, on any target, range and number of samples."""
    samples = data.draw(st.integers(1, 40))
    knobs: dict[str, Any] = {
        "samples": samples,
        "batch_size": data.draw(st.integers(1, samples)),
        "target": Parabola(*data.draw(st.tuples(st.floats(0.1, 3), st.floats(-3, 3), st.floats(-3, 3)))),
        "low": data.draw(st.floats(-2, 0)),
        "high": data.draw(st.floats(0.1, 2)),
        "seed": data.draw(st.integers(0, 2**63 - 1)),
        "epochs": 2,
    }

    np.testing.assert_allclose(run(**knobs), run(engine="native", **knobs), rtol=0, atol=1e-5)


@settings(deadline=None, max_examples=4, derandomize=True)
@given(st.data())
def test_any_batch_size_works(data: st.DataObject) -> None:
    """Four experiments that Hypothesis draws; each is half a second of compiling."""
    hold_any_batch_size(data)


@pytest.mark.end_to_end
@settings(deadline=None, max_examples=24, derandomize=True)
@given(st.data())
def test_any_of_many_batch_sizes_works(data: st.DataObject) -> None:
    """24 experiments that Hypothesis draws."""
    hold_any_batch_size(data)


def plain_keras(optimizer: Any, batch_size: int, orders: Array, weights: Array) -> Array:
    """Train as a Keras user would, a `fit` call an epoch, with nothing of parabola's."""
    import keras

    x = np.random.RandomState(42).rand(999)
    y = x**2 + 2 * x + 2
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, activation=keras.ops.square), keras.layers.Dense(1)]
    )
    model.set_weights([w.reshape(v.shape) for w, v in zip(weights, model.get_weights(), strict=True)])
    model.compile(loss="mean_squared_error", optimizer=optimizer, jit_compile=False)
    history = []
    for order in orders:
        model.fit(x[order], y[order], batch_size=batch_size, shuffle=False, verbose=0)
        history.append([float(w.item()) for w in model.get_weights()])
    return np.array(history)


def make_momentum(learning_rate: float) -> Any:
    import keras

    return keras.optimizers.SGD(learning_rate, momentum=0.9)


def make_scheduled(learning_rate: float) -> Any:
    import keras

    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(learning_rate, decay_steps=100))


def make_adam(learning_rate: float) -> Any:
    import keras

    return keras.optimizers.Adam(learning_rate)


def make_rmsprop(learning_rate: float) -> Any:
    import keras

    return keras.optimizers.RMSprop(learning_rate)


@pytest.mark.parametrize(
    "make",
    [
        make_adam,
        make_scheduled,
        *(pytest.param(make, marks=pytest.mark.end_to_end) for make in (make_momentum, make_rmsprop)),
    ],
)
def test_compiled_is_what_plain_keras_computes(make: Any) -> None:
    """Against `Model.fit` alone, with Adam, momentum, RMSprop and a schedule; a partial last batch among the steps."""
    engine = engines.build(Experiment(optimizer=make, batch_size=32, epochs=EPOCHS))
    rows = engine.reset()
    weights = engine.run(rows)

    initial = engine.experiment.net.initial_weights(7)
    expected = plain_keras(make(0.001), 32, order_bank(999)[rows], initial)
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("engine", ["compiled", "fit"])
def test_a_learning_rate_that_is_a_whole_number(engine: str) -> None:
    """1 is the rate 1.0, and what it trains the same."""
    knobs: dict[str, Any] = {"engine": engine, "batch_size": 333, "epochs": 2}

    np.testing.assert_array_equal(run(learning_rate=1, **knobs), run(learning_rate=1.0, **knobs))


def make_loss_scaling(learning_rate: float) -> Any:
    import keras

    return keras.optimizers.LossScaleOptimizer(make_adam(learning_rate))


def make_scaled(learning_rate: float) -> Any:
    import keras

    return keras.optimizers.SGD(learning_rate, loss_scale_factor=1024.0)


@pytest.mark.parametrize(
    ("make", "name"), [(make_loss_scaling, "LossScaleOptimizer"), (make_scaled, "SGD with loss_scale_factor=1024.0")]
)
def test_an_optimizer_that_scales_the_loss_is_refused(make: Any, name: str) -> None:
    """It divides gradients by a factor that only `fit` puts into the loss: each engine says so, and members do."""
    message = f"^optimizer must leave the loss as it is, of float32. Received: {re.escape(name)}$"
    for engine in ("compiled", "fit", "fused_fit"):
        with pytest.raises(ValueError, match=message):
            engines.build(Experiment(engine=engine, optimizer=make, batch_size=333, epochs=1))
    with pytest.raises(ValueError, match=message):
        members_program(Experiment(optimizer=make, batch_size=333, epochs=1), 2)


def test_a_decaying_rate_is_keras_own() -> None:
    """Cosine decay to the final learning rate by the last step, as a Keras user would write it."""
    import keras

    engine = engines.build(Experiment(learning_rate=0.01, final_learning_rate=0.002, batch_size=111, epochs=4))
    rows = engine.reset()
    schedule = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=4 * 9, alpha=0.2)
    initial = engine.experiment.initial_weights(7)
    expected = plain_keras(keras.optimizers.Adam(schedule), 111, order_bank(999)[rows], initial)

    np.testing.assert_allclose(engine.run(rows), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("engine", ["compiled", "native"])
def test_nothing_recompiles(engine: str) -> None:
    """New seed, learning rate, weights or number of epochs: a run stays far below the time that building took.

    Nor does a run depend on those before it: another build gives the same bits for the same runs in another order.
    """
    made, other = (engines.build(Experiment(engine=engine, batch_size=111, epochs=8)) for _ in range(2))
    if engine == "native":
        compiled = len(made.kernel.signatures)  # type: ignore[attr-defined]
    runs = ((1, 0.1, 8), (2, 0.001, 3), (3, 0.02, 1), (4, 0.5, 7))
    expected = {4: run(engine=engine, batch_size=111, seed=4, learning_rate=0.5, epochs=7)}  # has none before it
    for seed, learning_rate, epochs in reversed(runs[:3]):
        expected[seed] = other.run(other.reset(seed=seed, learning_rate=learning_rate)[:epochs])
    seconds = []
    for seed, learning_rate, epochs in runs:
        rows = made.reset(seed=seed, learning_rate=learning_rate)[:epochs]
        begun = time.perf_counter()
        weights = made.run(rows)
        seconds.append(time.perf_counter() - begun)
        np.testing.assert_array_equal(weights, expected[seed])

    if engine == "native":
        assert len(made.kernel.signatures) == compiled  # type: ignore[attr-defined]
    else:
        assert made.program.structured_input_signature[0][-1].shape == (9,)  # type: ignore[attr-defined]  # one for all
        assert np.median(seconds) < made.compile_seconds / 5  # XLA does not say when it recompiles, but takes its time


@pytest.mark.parametrize("engine", registry.timings())
def test_a_run_in_pieces_is_the_run(engine: str) -> None:
    """Progress cuts a run into calls; weights, slots and step count carry over."""
    made = built(engine, "two_neuron", 32)
    rows = made.reset()
    whole = made.run(rows)
    made.reset()
    pieces = [made.run(rows[:1]), made.run(rows[1:3]), made.run(rows[3:])]

    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("engine", ["compiled", "fused_fit"])
def test_more_epochs_than_were_built_for_are_refused(engine: str) -> None:
    """A program whose history has so many rows cannot train one more; the rows of a whole run are not too many."""
    if engines.missing(engine) or (engine, backend()) in (("fused_fit", "jax"), ("fused_fit", "torch")):
        pytest.skip("where samples come from arrays, any number of epochs can be trained")
    made = built(engine, "two_neuron", 32)
    rows = made.reset()

    with pytest.raises(ValueError, match=r"^a program of 4 epochs cannot train 5$"):
        made.run(np.append(rows, rows[:1]))
    assert len(made.run(rows)) == 4


@pytest.mark.parametrize(("engine", "jit_compile"), [("fit", False), ("fused_fit", True)])
def test_jit_is_as_asked(engine: str, jit_compile: bool) -> None:
    """Keras' own record says so, and it counts as many steps as were made."""
    made = built(engine, "two_neuron", 32)
    assert made.model.train_function is not None  # traced by building
    made.run(made.reset()[:3])

    assert made.model.jit_compile is jit_compile
    assert int(made.optimizer.iterations.numpy()) == 3 * 32


def test_a_schedule_does_not_take_another_learning_rate() -> None:
    """It is compiled in; a new rate would be ignored, so it is refused."""
    made = engines.build(Experiment(optimizer=make_scheduled, batch_size=333, epochs=1))
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        made.reset(learning_rate=0.1)


@pytest.mark.parametrize("engine", ["compiled", "native"])
def test_divergence_shows(engine: str) -> None:
    """A learning rate that is far too large for SGD-like steps ends in NaN or inf, not in an error."""
    made = built(engine, "two_neuron", 32)
    weights = made.run(made.reset(learning_rate=1e30))

    assert not np.isfinite(weights).all()


def test_mirrored_on_one_device_is_native() -> None:
    """One replica has every batch whole, the partial last one included; another seed and rate need no other build."""
    knobs: dict[str, Any] = {"samples": 10, "batch_size": 4, "epochs": 3, "seed": 3}
    mirrored: Any = engines.build(Experiment(engine="distributed", strategy="mirrored", **knobs))
    native = NativeEngine(Experiment(engine="native", **knobs))
    native.kernel = make_kernel(True, False, 0).py_func  # compiling it would take longer than all of this

    assert mirrored.device == "cpu:0"
    assert mirrored.program.experimental_get_tracing_count() == 1
    for seed, rate in ((3, 0.001), (0, 0.05), (3, 0.001)):
        found = mirrored.run(mirrored.reset(seed=seed, learning_rate=rate))
        expected = native.run(native.reset(seed=seed, learning_rate=rate))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "nadam", "ftrl"])
def test_keras_has_step_and_rate_before_all_slots(optimizer: str) -> None:
    """The engines of JAX and of members rely on these places among an optimizer's variables."""
    from parabola.training.engines import jax, keras_engine

    spec = Experiment(optimizer=optimizer, learning_rate=0.25)
    made = keras_engine.make_optimizer(spec, spec.learning_rate, spec.net.build().trainable_variables)

    assert made.variables[jax.ITERATIONS] is made._iterations
    assert made.variables[jax.LEARNING_RATE] is made._learning_rate


def test_a_decay_ends_at_the_final_rate() -> None:
    """After half of all steps it is at the mean of first and last, after all at the last: from a member's own rate."""
    from parabola.training.engines import keras_engine

    spec = Experiment(learning_rate=0.25, final_learning_rate=0.05, samples=10, batch_size=4, epochs=4)
    one = keras_engine.decay(spec, 0.25)
    assert [float(one(step)) for step in (0, 6, 12)] == pytest.approx([0.25, 0.15, 0.05], rel=1e-5)
    many = keras_engine.decay(spec, np.array([0.25, 0.75], np.float32))
    assert np.asarray(many(6)).tolist() == pytest.approx([0.15, 0.4], rel=1e-5)
    assert np.asarray(many(12)).tolist() == pytest.approx([0.05, 0.05], rel=1e-5)
