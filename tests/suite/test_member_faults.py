"""Faults planted in the program of members, and found by the check of the benchmark of members."""

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import bench_members, test_coefficients
from benchmarks.harness.member import Member
from parabola.ensemble.members import members_program
from parabola.ensemble.members_tensorflow import MembersProgram
from parabola.machine import backends
from parabola.training import engines
from parabola.training.data import order_rows
from parabola.training.engines.compiled import CompiledEngine
from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification.refusal import WrongRun

tf = backends.start()

import keras  # noqa: E402  (TensorFlow's settings come first)

Plant = Callable[[pytest.MonkeyPatch], None]
MEMBERS, EPOCHS = 3, 4  # as many epochs as the benchmark trains where nothing is timed


def measure(members: int = MEMBERS) -> dict[str, Any]:
    """Run the benchmark of members as where nothing is timed, two rounds of it; return what it leaves to a record."""

    def pedantic(target: Any, *, setup: Any, rounds: int, warmup_rounds: int) -> None:
        for _ in range(rounds + warmup_rounds):
            given, knobs = setup()
            target(*given, **knobs)

    info = dict[str, Any]()
    clock = SimpleNamespace(pedantic=pedantic, stats=SimpleNamespace(iterations=1), extra_info=info)
    bench_members.bench_members(clock, "cpu", members, False)
    return info


@pytest.fixture(scope="module")
def built() -> Any:
    """A right program, for the faults that are planted around what was compiled."""
    spec = Experiment(batch_size=111, learning_rate=0.1, epochs=EPOCHS)
    return members_program(spec, MEMBERS)


def adam(change: type[Any]) -> Plant:
    """Return what puts another Adam in the place of Keras' own."""
    return lambda monkeypatch: monkeypatch.setattr(keras.optimizers, "Adam", change)


class Slightly(keras.optimizers.Adam):  # type: ignore[misc]
    """Each update is made with 1.05 times the learning rate."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, 1.05 * learning_rate)


def half_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halve the gradient of the first kernel."""
    right = tf.GradientTape.gradient

    def wrong(tape: Any, loss: Any, sources: Any) -> Any:
        first, *others = right(tape, loss, sources)
        return [first / 2, *others]

    monkeypatch.setattr(tf.GradientTape, "gradient", wrong)


def dropped_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let batches of 100 leave a partial one, and train without it."""
    monkeypatch.setattr(bench_members, "BATCH_SIZE", 100)
    monkeypatch.setattr("parabola.ensemble.members_tensorflow.divmod", lambda *told: (9, 0), raising=False)


@pytest.mark.parametrize("plant", [half_gradient, adam(Slightly), dropped_batch])
def test_wrong_arithmetic_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that was traced with the fault is refused after the first epoch, with the member and the command."""
    plant(monkeypatch)
    again = "Repeat: pytest benchmarks/bench_members.py --benchmark-only --backend tensorflow --device cpu --members 3"
    with pytest.raises(WrongRun, match=rf"^member 1 of 3: compiled on cpu:0 .* after epoch 1 .*\. {again}$"):
        measure()


def test_a_right_partial_batch_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 100, of which the last has 99 samples, are no fault."""
    monkeypatch.setattr(bench_members, "BATCH_SIZE", 100)

    info = measure()

    assert (info["batch_size"], info["telling_epochs"], "check_note" in info) == (100, 8, False)


def test_a_right_program_is_accepted(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record says how many epochs of the first and the last member were held."""
    monkeypatch.setattr(bench_members, "members_program", lambda *told: built)
    info = measure()

    assert (info["members"], info["checked_epochs"], info["telling_epochs"]) == (3, 8, 8)
    assert info["check_seconds"] > 0


def test_a_block_of_one_member_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first member is its last."""
    assert measure(1)["checked_epochs"] == 4


Change = Callable[[Array, int], Array]  # (weights of a run, how many epochs it had) -> what is returned instead


def returned(change: Change) -> Plant:
    """Return what changes the weights that a run gives back."""
    run = MembersProgram.run

    def wrong(program: MembersProgram, placed: Any) -> Array:
        return change(run(program, placed).copy(), placed[0])

    return lambda monkeypatch: monkeypatch.setattr(MembersProgram, "run", wrong)


def whole_runs(change: Callable[[Array], Array]) -> Change:
    """Return a change of whole runs alone, as rounds are: the parts in which a run is checked stay right."""
    return lambda weights, epochs: change(weights) if epochs == EPOCHS else weights


def overwritten(weights: Array, value: float, epoch: int) -> Array:
    """Return weights of which one epoch's are a value, for all members."""
    weights[epoch] = value
    return weights


def stops_early(only_whole: bool) -> Plant:
    """Return what leaves out the last epoch of a run, or of a whole run alone, and repeats the weights before it."""
    run = MembersProgram.run

    def wrong(program: MembersProgram, placed: Any) -> Array:
        epochs, rows = placed
        if epochs < (EPOCHS if only_whole else 2):
            return run(program, placed)
        shorter = tf.where(tf.range(EPOCHS + 1)[:, None] < epochs - 1, rows, -1)
        weights = run(program, (epochs, shorter))
        weights = weights.copy()
        weights[epochs - 1] = weights[epochs - 2]
        return weights

    return lambda monkeypatch: monkeypatch.setattr(MembersProgram, "run", wrong)


def the_round_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give back the weights of the first whole run from every later one, which then trains nothing."""
    run, kept = MembersProgram.run, list[Array]()

    def wrong(program: MembersProgram, placed: Any) -> Array:
        if placed[0] == EPOCHS and kept:
            return kept[0]
        weights = run(program, placed)
        kept.extend([weights] if placed[0] == EPOCHS else [])
        return weights

    monkeypatch.setattr(MembersProgram, "run", wrong)


def one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every epoch the order of the first."""
    once = "parabola.ensemble.members.order_rows"
    monkeypatch.setattr(once, lambda *given: np.repeat(order_rows(*given)[:1], given[2], axis=0))


def one_order_in_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every epoch of a whole run the order of the first."""
    place = MembersProgram.place

    def wrong(program: MembersProgram, rows: Array) -> Any:
        return place(program, np.repeat(rows[:1], EPOCHS, axis=0) if len(rows) == EPOCHS else rows)

    monkeypatch.setattr(MembersProgram, "place", wrong)


def another_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with the seeds that follow."""
    reset = MembersProgram.reset
    monkeypatch.setattr(MembersProgram, "reset", lambda program, seeds, rates: reset(program, seeds + 1, rates))


def a_warm_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the optimizer's moments as the run before left them."""

    def assign(variables: Any, values: Any) -> None:
        for variable, value in zip(variables, values, strict=True):
            if variable.shape == () or value.any():
                variable.assign(value)

    monkeypatch.setattr("parabola.ensemble.members_tensorflow.assign", assign)


FAULTS: dict[str, tuple[Plant, str]] = {
    "the members' weights change places": (returned(lambda weights, _: np.roll(weights, 1, axis=2)), "were returned"),
    "so they do in rounds alone": (returned(whole_runs(lambda weights: np.roll(weights, 1, axis=2))), "a timed round"),
    "another seed": (another_seed, "not at the weights of its seed"),
    "a warm optimizer": (a_warm_optimizer, "an optimizer that has a past"),
    "one order": (one_order, "after epoch 2 .* the reference has"),
    "one order in rounds": (one_order_in_rounds, "after epoch 2 .* in a timed round"),
    "stops early": (stops_early(only_whole=False), "after epoch 4 .* in a timed round"),
    "stops early in rounds": (stops_early(only_whole=True), "after epoch 4 .* in a timed round"),
    "a row of zeros in a part": (returned(lambda weights, _: overwritten(weights, 0, 0)), "after epoch"),
    "a row of 1e9 in rounds": (returned(whole_runs(lambda weights: overwritten(weights, 1e9, 2))), "after epoch 3"),
    "a row of NaN in rounds": (returned(whole_runs(lambda weights: overwritten(weights, np.nan, 2))), "after epoch 3"),
    "the round before": (the_round_before, "had not trained: its optimizer had taken 0 steps, of 36"),
    "too few rows": (returned(whole_runs(lambda weights: weights[:-1])), r"of shape \(3, 4\), not \(4, 4\)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_history_is_found(fault: str, built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not trained, or not returned as it was trained, is refused, in the check or in the first round."""
    plant, message = FAULTS[fault]
    monkeypatch.setattr(bench_members, "members_program", lambda *told: built)
    plant(monkeypatch)
    with pytest.raises(WrongRun, match=rf"^member \d of 3: .*{message}"):
        measure()


def test_the_last_member_is_held_as_the_first(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the last member alone is found, too, and named."""
    monkeypatch.setattr(bench_members, "members_program", lambda *told: built)

    def last_wrong(weights: Array, _: int) -> Array:
        weights[0, 0, -1] += 0.01
        return weights

    returned(last_wrong)(monkeypatch)
    with pytest.raises(WrongRun, match=r"^member 3 of 3: .* seed 2: after epoch 1 "):
        measure()


def one_order_of_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every epoch of `compiled` the order of the first."""
    run = CompiledEngine.run
    monkeypatch.setattr(CompiledEngine, "run", lambda engine, rows: run(engine, np.repeat(rows[:1], len(rows))))


def half_gradient_of_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """Halve what the stock optimizer is given by members: a sum over samples, divided by their number."""
    right = tf.stack
    monkeypatch.setattr(tf, "stack", lambda values, *told, **more: right(values, *told, **more) / 2)


right_engine, right_program = cache(engines.build), cache(members_program)  # built once for the tests below


@pytest.mark.parametrize("plant", [one_order, one_order_of_compiled, half_gradient_of_members])
def test_a_fault_in_members_or_compiled_alone_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The regression suite's exact half holds the two against each other; right ones agree."""
    monkeypatch.setattr(engines, "build", right_engine)
    monkeypatch.setattr(test_coefficients, "members_program", right_program)
    test_coefficients.test_compiled_and_members_agree("one_neuron", "cpu")
    if plant is half_gradient_of_members:  # which is traced with the fault
        monkeypatch.setattr(test_coefficients, "members_program", members_program)
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        test_coefficients.test_compiled_and_members_agree("one_neuron", "cpu")


def test_a_member_is_trained_as_it_is_told(built: Any) -> None:
    """It has its own seed, rate and rows; in another order than its own it ends elsewhere, and the others do not."""
    seeds, rates = np.array([7, 3, 11]), np.array([0.1, 0.02, 0.05])
    member, other = (Member(built, seeds, rates, place) for place in (1, 2))
    rows = member.reset()

    assert (member.experiment.seed, member.experiment.learning_rate, member.device) == (3, 0.02, "cpu:0")
    assert rows.tolist() == order_rows(999, 3, EPOCHS).tolist()
    right = [member.run(rows[:1]), member.run(rows[1:])]
    ends = member.state().weights, other.state().weights
    np.testing.assert_array_equal(np.concatenate(right)[-1], ends[0])
    member.reset()
    wrong = member.run(rows[::-1])
    assert np.abs(wrong[-1] - ends[0]).max() > 1e-5
    assert other.state().weights.tobytes() == ends[1].tobytes()
