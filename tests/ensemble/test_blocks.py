"""How members are dealt out to blocks, and what becomes of their weights, with programs that answer at once."""

import signal
import threading
from typing import Any

import numpy as np
import pytest

from parabola.ensemble import ensemble
from parabola.ensemble.ensemble import Ensemble, epochs_below, summarise
from parabola.machine import devices, ending
from parabola.training.experiment import Experiment
from parabola.training.target import Array, Parabola


class Program:
    """Stands for a block's program: its members' weights are told by seed, rate and epoch."""

    made: list["Program"]

    def __init__(self, experiment: Experiment, members: int) -> None:
        self.experiment, self.members = experiment, members
        self.given: list[tuple[list[int], list[float]]] = []
        self.made.append(self)

    def reset(self, seeds: Array, learning_rates: Array) -> Any:
        """Take the members' seeds and rates, and give them back as what `place` gets."""
        self.given.append((seeds.tolist(), learning_rates.tolist()))
        empty = self.members - len(seeds)
        return np.pad(seeds, (0, empty), mode="edge"), np.pad(learning_rates, (0, empty), mode="edge")

    def place(self, rows: Any) -> Any:
        """Give the members' seeds and rates to `run`."""
        return rows

    def run(self, rows: Any) -> Array:
        """Return weights of shape (epochs, weights, members): c is the seed, a the rate, and b the epoch from 1."""
        seeds, rates = rows
        one = np.ones(self.members)
        return np.stack(
            [np.stack([one, epoch / rates / 2, rates, seeds - epoch**2 / rates / 4]) for epoch in self.epochs()]
        )

    def epochs(self) -> range:
        """Return the epochs, counted from 1."""
        return range(1, self.experiment.epochs + 1)


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """The programs that were made in this test."""
    monkeypatch.setattr(Program, "made", [], raising=False)
    monkeypatch.setattr(ensemble, "members_program", Program)
    return Program.made


@pytest.mark.parametrize(
    ("members", "size", "programs"),
    [
        *((1, 1, 1), (2, 1, 2), (3, 2, 2), (5, 3, 2), (1023, 512, 2), (1024, 512, 2)),
        *((1025, 257, 4), (2048, 512, 4), (2049, 342, 6), (10_000, 500, 9)),
    ],
)
def test_blocks_on_a_cpu(members: int, size: int, programs: int, made: list[Program]) -> None:
    """One member is one block; else there is an even number of blocks of at most 512, and a program for each worker."""
    ensemble = Ensemble(Experiment(), members, workers=9)

    assert ensemble.block_members == size
    assert list[Any](ensemble.programs) == made
    assert [(program.members, program.experiment) for program in made] == [(size, Experiment())] * programs


@pytest.mark.parametrize(
    ("knobs", "size"),
    [
        ({"epochs": 4096, "samples": 9}, 512),  # 16,384 weights a member: 512 of them fill 2²³
        ({"epochs": 4097, "samples": 9}, 500),  # 511 of them
        ({"samples": 16_384, "epochs": 9}, 512),
        ({"samples": 16_385, "epochs": 9}, 500),
        ({"epochs": 8192, "samples": 9, "network": "one_neuron", "target": Parabola(1, 2, 1)}, 512),  # of 2 weights
        ({"epochs": 8193, "samples": 9, "network": "one_neuron", "target": Parabola(1, 2, 1)}, 500),
        ({"samples": 2**23, "epochs": 9}, 1),
        ({"samples": 2**23 + 1, "epochs": 9}, 1),
        ({"samples": 2**22, "epochs": 9}, 2),
    ],
)
def test_blocks_of_much_data(knobs: dict[str, Any], size: int) -> None:
    """A block holds at most 2²³ samples, and as many weights over all epochs, but at least one member."""
    members = 512 * 1000 if size == 512 else 1000 if size < 500 else 4000

    assert Ensemble(Experiment(**knobs), members, workers=1).block_members == size


@pytest.mark.parametrize(
    ("device", "gpus", "members", "size"),
    [
        *(("gpu:0", 1, 16_794, 16_794), ("gpu:0", 1, 16_795, 8398), ("gpu", 1, 1, 1), ("gpu:1", 1, 50_000, 16_667)),
        *(("gpu:all", 3, 50_382, 50_382), ("gpu:all", 3, 50_383, 25_192)),
    ],
)
def test_blocks_on_a_gpu(
    device: str, gpus: int, members: int, size: int, made: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As few blocks as hold at most 2²⁶ values on each GPU, one at a time."""
    names = {device: [f"gpu:{number}" for number in range(gpus)]}
    monkeypatch.setattr(devices, "resolve_all", names.__getitem__)

    assert Ensemble(Experiment(device=device), members).block_members == size
    assert len(made) == 1


def test_blocks_on_a_gpu_of_much_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one member's samples are more than a block may hold, each GPU has a member."""
    monkeypatch.setattr(devices, "resolve_all", lambda name: ["gpu:0", "gpu:1"])

    assert Ensemble(Experiment(device="gpu:all", samples=2**27), 10).block_members == 2


def test_as_many_programs_as_cores(made: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless told otherwise there is a worker for each core that can be used, and none without a block."""
    monkeypatch.setattr("parabola.machine.host.usable_cores", lambda: 3)
    Ensemble(Experiment(), 5000)
    assert len(made) == 3
    made.clear()
    Ensemble(Experiment(), 5)
    assert len(made) == 2


SPEC = Experiment(epochs=3, learning_rate=0.25)


def test_each_member_is_where_its_seed_is(made: list[Program]) -> None:
    """Seven members in four blocks of two, the last not full: each has the result of its own seed and rate."""
    seeds, rates = np.array([5, 2**40, 0, 9, 3, 4, 1]), np.array([0.5, 0.25, 1, 2, 4, 8, 16])
    done: list[int] = []
    members = Ensemble(SPEC, 4, workers=1).train(seeds, rates, progress=done.append)

    assert [program.given for program in made] == [
        [([5, 2**40], [0.5, 0.25]), ([0, 9], [1, 2]), ([3, 4], [4, 8]), ([1], [16])]
    ]
    assert members.experiment == SPEC
    assert (members.seeds.tolist(), members.learning_rates.tolist()) == (seeds.tolist(), rates.tolist())
    np.testing.assert_allclose(members.coefficients, np.stack([rates, np.full(7, 3), seeds], axis=1))
    np.testing.assert_allclose(members.weights[:, 2], rates)
    assert done == [2, 4, 6, 7]


def test_members_have_the_experiments_rate_unless_told() -> None:
    """Without rates each has the experiment's; nobody has to watch."""
    members = Ensemble(SPEC, 3, workers=2).train(np.arange(5))

    assert members.learning_rates.tolist() == [0.25] * 5
    np.testing.assert_allclose(members.coefficients[:, 0], 0.25)


def test_two_programs_are_never_one(made: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks run side by side, each in a program of its own, and a program is used again when it is free."""
    met, run = threading.Barrier(2, timeout=10), Program.run

    def meet(program: Program, rows: Any) -> Array:
        met.wait()
        return run(program, rows)

    monkeypatch.setattr(Program, "run", meet)
    members = Ensemble(SPEC, 4, workers=2).train(np.arange(8), np.full(8, 0.5))

    assert members.coefficients[:, 2].tolist() == [*range(8)]
    assert sorted(len(program.given) for program in made) == [2, 2]


def test_an_error_in_a_block_ends_the_training(made: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes out as it is, and the ensemble can be used again."""
    run = Program.run

    def fail(program: Program, rows: Any) -> Array:
        if 4 in rows[0]:
            raise MemoryError("no room for seed 4")
        return run(program, rows)

    monkeypatch.setattr(Program, "run", fail)
    ensemble = Ensemble(SPEC, 4, workers=1)
    with pytest.raises(MemoryError, match="no room for seed 4"):
        ensemble.train(np.arange(8))
    assert ensemble.train(np.arange(3)).coefficients[:, 2].tolist() == [0, 1, 2]


def test_a_ctrl_c_that_python_dropped_ends_it(made: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked of the process is looked at after each block."""
    asked, done = list[int](), list[int]()
    monkeypatch.setattr(ending, "_asked", asked)

    def drop(members: int) -> None:
        done.append(members)
        asked.append(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Ensemble(SPEC, 4, workers=1).train(np.arange(8), progress=drop)
    assert done == [2]


def test_an_interruption_waits_for_no_block(made: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs is left to end by itself, and blocks that have not begun never do."""
    free, waited, threads, run = threading.Event(), list[bool](), set[threading.Thread](), Program.run

    def hold(program: Program, rows: Any) -> Array:
        threads.add(threading.current_thread())
        if 0 not in rows[0]:
            waited.append(free.wait(timeout=10))
        return run(program, rows)

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Program, "run", hold)
    with pytest.raises(KeyboardInterrupt):
        Ensemble(SPEC, 4, workers=1).train(np.arange(8), progress=interrupt)
    free.set()
    for thread in threads:
        thread.join(timeout=10)

    assert len(made[0].given) <= 2
    assert waited in ([], [True])


def test_rates_of_a_functions_optimizer_are_refused() -> None:
    """A function has one rate for all, so that rates of members' own are refused, and none are needed."""
    spec = Experiment(optimizer=lambda rate: None, epochs=3)
    with pytest.raises(ValueError, match="function") as caught:
        Ensemble(spec, 2, workers=1).train(np.arange(2), np.array([0.1, 0.1]))

    assert str(caught.value) == "a learning rate a member needs an optimizer by its name, not a function"
    assert Ensemble(spec, 2, workers=1).train(np.arange(2)).learning_rates.tolist() == [0.001] * 2


def history(*members: list[float], target: float = 2.0) -> Array:
    """Return weights of shape (epochs, weights, members) with which c is off by so much after each epoch."""
    error = np.array(members).T
    ones = np.ones_like(error)
    return np.stack([ones, ones, ones, error + (target - 1)], axis=1)


def test_a_pass_is_below_the_members_own_rate() -> None:
    """An error that equals the rate is no pass; with the next larger rate it is; each member has its own rate."""
    spec, rates = Experiment(), np.array([0.5, np.nextafter(0.5, 1), 0.25, 1.0])
    errors = [0.5, 0.5, 0.25, 0.75]
    _, coefficients, error, passed, *_ = summarise(spec, rates, history(*([value] for value in errors)))

    assert error.tolist() == errors
    assert coefficients[0].tolist() == [1, 2, 2.5]
    assert passed.tolist() == [False, True, False, True]


def test_a_pass_under_a_schedule_is_below_its_last_rate() -> None:
    """With a final rate that counts for all members, whatever rate each began with."""
    spec, errors = Experiment(learning_rate=1, final_learning_rate=0.25), ([0.25], [0.125], [0.5])
    passed = summarise(spec, np.array([0.5, 0.25, 1.0]), history(*errors))[3]

    assert passed.tolist() == [False, True, False]


@pytest.mark.parametrize("final", [None, 0.25])
def test_the_epochs_below_are_bits(final: float | None, made: list[Program], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eleven epochs two bytes a member, over the borders of blocks, against its own rate or the schedule's last."""
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 2)
    bounds = [0.25] * 5 if final else [0.5, 0.25, 1.0, 0.5, 0.25]
    errors = np.array([[2.0, 0.5, 0.25, 0.125, 1.0, 0.0, 9.0, 0.75, 0.25, np.inf, 0.2]]).T * np.array([1, 1, 1, 2, 0.5])

    def run(program: Program, rows: Any) -> Array:
        return history(*errors[:, rows[0]].T)

    monkeypatch.setattr(Program, "run", run)
    with np.errstate(all="raise"):
        train = epochs_below(Experiment(learning_rate=2.0, final_learning_rate=final, epochs=11), 5, 1)
        done = list[int]()
        bits = train(np.arange(5), np.array([0.5, 0.25, 1.0, 0.5, 0.25]), done.append)

    assert (bits.shape, bits.dtype.name, len(made), done) == ((5, 2), "uint8", 1, [2, 4, 5])
    below = [[bool(error < bound) for error in own] for own, bound in zip(errors.T, bounds, strict=True)]
    assert np.unpackbits(bits, axis=1, count=11).astype(bool).tolist() == below
    assert bits[0].tolist() == ([0b00010100, 0b00100000] if final else [0b00110100, 0b10100000])


def test_epochs_of_a_summary_by_hand() -> None:
    """Epochs are counted from 1, infinite weights have diverged as NaN has, and the last values are kept."""
    no, yes, gone = 9.0, 0.125, float("inf")
    members = [no, yes, no, yes], [yes] * 4, [no, no, no, yes], [yes, no, no, no], [no, gone, gone, gone], [gone] * 4
    ended = summarise(Experiment(epochs=4), np.full(6, 0.5), history(*members))
    weights, coefficients, error, passed, diverged = ended

    assert diverged.tolist() == [0, 0, 0, 0, 2, 1]
    assert passed.tolist() == [True, True, True, False, False, False]
    assert error.tolist() == [yes, yes, yes, no, gone, gone]
    assert weights.tolist() == [[1, 1, 1, 1 + value] for value in (yes, yes, yes, no, gone, gone)]
    assert coefficients.tolist() == [[1, 2, 2 + value] for value in (yes, yes, yes, no, gone, gone)]


def test_one_weight_is_enough_to_diverge() -> None:
    """A member diverges when any of its weights is not finite, first or last; its neighbours do not."""
    weights = np.zeros((3, 4, 3))  # 0 times infinity is no warning either
    weights[1:, 0, 0] = np.nan
    weights[2, 0, 2] = np.inf
    weights[2, 3, 2] = -np.inf

    assert summarise(Experiment(epochs=3), np.full(3, 0.5), weights)[4].tolist() == [2, 0, 3]
