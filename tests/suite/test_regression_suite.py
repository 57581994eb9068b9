"""When the regression suite's own tests fail, and what they say: each is called with answers made by hand."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import fisher_exact

from benchmarks import bench_members
from benchmarks import test_coefficients as suite
from benchmarks.harness import pass_rates
from benchmarks.harness.options import SELECTION, Selection
from benchmarks.harness.pinned_seeds import CELLS, SEEDS, cell_name
from parabola.ensemble.map_file import Cell
from parabola.machine import devices
from parabola.training.experiment import Experiment
from parabola.training.target import Array, Parabola

Request = Any


def make_request(*on: str, seeds: int | None = 20_000, **config: Any) -> Request:
    """Return what pytest hands to a test: its name, and the options for devices and seeds."""
    options = SimpleNamespace(stash={SELECTION: Selection(devices=on, seeds=seeds)}, **config)
    return SimpleNamespace(config=options, node=SimpleNamespace(nodeid="a.py::test_it[x y]"))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the pass rates' test has trained: nothing; its cells are the baseline's rates, but for those put in here."""
    asked: list[Any] = []

    def train_cells(spec: Experiment, rates: Any, seeds: Array, *, workers: int | None) -> Iterator[list[Cell]]:
        asked.append((spec, rates, seeds.tolist(), workers))
        held = pass_rates.baseline(spec.network)
        for rate in rates:
            cell = held[spec.batch_size, rate]
            passes = changed.get(rate, round(400 * cell.passes / cell.seeds))
            yield [replace(cell, seeds=400, passes=passes)]

    changed: dict[float, int] = {}
    monkeypatch.setattr(suite, "train_cells", train_cells)
    monkeypatch.setattr(devices, "defaults", lambda: ["cpu"])
    return [asked, changed]


def p_value(cell: Cell, passes: int) -> float:
    """Return Fisher's p-value of so many of 400 against a cell of the baseline."""
    return float(fisher_exact([[cell.passes, cell.seeds - cell.passes], [passes, 400 - passes]]).pvalue)


def test_the_level_is_shared_by_the_devices(trained: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that is just found on one device is none where two are tested, whether asked for or there by default."""
    cell = pass_rates.baseline("two_neuron")[9, 0.01]
    level = 0.001 / 18
    middle = round(400 * cell.passes / cell.seeds)
    passes = next(count for count in range(middle, 0, -1) if p_value(cell, count) <= level)
    assert level / 2 < p_value(cell, passes)
    trained[1][0.01] = passes

    def check(*on: str) -> None:
        suite.test_pass_rates_are_the_baselines("two_neuron", 9, "cpu", make_request(*on))

    for on in ((), ("cpu",)):
        with pytest.raises(AssertionError):
            check(*on)
    check("cpu", "cpu:1")
    monkeypatch.setattr(devices, "defaults", lambda: ["cpu", "gpu:0"])
    check()
    with pytest.raises(AssertionError):
        check("cpu")


def test_a_failure_of_pass_rates_in_words(trained: list[Any]) -> None:
    """It names each cell that changed, the command that repeats the test, and what to do if the change was meant."""
    trained[1].update({0.01: 0, 0.1: 0})
    with pytest.raises(AssertionError) as caught:
        suite.test_pass_rates_are_the_baselines("one_neuron", 111, "cpu", make_request(seeds=123_400))

    first, second, *rest = [line.strip() for line in str(caught.value).splitlines()[:4]]
    assert first.startswith("batch size 111, learning rate 0.01: 0.0% of 400 seeds pass, ")
    assert second.startswith("batch size 111, learning rate 0.1: 0.0% of 400 seeds pass, ")
    assert rest == [
        "again: pytest 'a.py::test_it[x y]' --seeds 123400 --device cpu",
        "if that was meant, remove benchmarks/baseline/*.json, and: python -m benchmarks.studies.pass_rates",
    ]


def test_what_the_pass_rates_train(trained: list[Any]) -> None:
    """The network's own target, each learning rate, and 400 seeds from the first; one worker alone under xdist."""
    suite.test_pass_rates_are_the_baselines("one_neuron", 111, "cpu:0", make_request(seeds=10_007))
    suite.test_pass_rates_are_the_baselines("two_neuron", 9, "cpu", make_request(workerinput={}))
    rates = (0.001, 0.01, 0.1)
    square, published = Parabola(1, 2, 1), Parabola(1, 2, 2)

    assert trained[0] == [
        (Experiment(square, "one_neuron", device="cpu:0", batch_size=111), rates, [*range(10_007, 10_407)], None),
        (Experiment(published, "two_neuron", device="cpu", batch_size=9), rates, [*range(20_000, 20_400)], 1),
    ]


@pytest.mark.parametrize(
    ("device", "batch_size", "on", "skipped"),
    [
        *(("gpu:0", 110, (), True), ("gpu:0", 111, (), False), ("gpu", 1, (), True), ("cpu", 1, (), False)),
        *(("gpu:0", 1, ("gpu:0",), False), ("cpu", 999, ("gpu:0",), False)),
    ],
)
def test_small_batches_on_a_gpu_are_for_those_who_ask(
    device: str, batch_size: int, on: tuple[str, ...], skipped: bool
) -> None:
    """Below a batch size of 111 a GPU is left out unless it is named, and the reason says how to run it."""
    cell = Experiment(batch_size=batch_size)
    if not skipped:
        suite.affordable(cell, device, make_request(*on))
        return
    with pytest.raises(pytest.skip.Exception) as caught:
        suite.affordable(cell, device, make_request(*on))
    assert str(caught.value) == f"takes minutes on a GPU; --device {device} runs it"


def pin(monkeypatch: pytest.MonkeyPatch, errors: Callable[[Experiment, int], Array], **seeds: list[int]) -> list[Any]:
    """Put the same pinned seeds in all cells, and errors in the place of training; return what would be trained."""
    kinds = {"settled": [], "passing": [], "failing": [], **seeds}
    asked: list[Any] = []

    def last_errors(cell: Experiment, wanted: Any = SEEDS) -> dict[int, Array]:
        asked.append((cell, [*wanted]))
        return {seed: errors(cell, seed) for seed in wanted}

    monkeypatch.setattr(suite, "PINNED", {cell_name(cell): kinds for cell in CELLS})
    monkeypatch.setattr(suite, "last_errors", last_errors)
    return asked


def spread(rate: float, last: float, middle: float) -> Array:
    """Return errors in units of the rate: the last one, and a median that no mean or end of them is."""
    return rate * np.array([9 * middle, *[middle] * 4, 0.1 * middle, last])


@pytest.mark.parametrize(
    ("kind", "last", "middle", "fails"),
    [
        *(("settled", 0.99, 3.0, False), ("settled", 1.0, 0.5, True), ("settled", float("nan"), 0.5, True)),
        *(("passing", 1.5, 0.99, False), ("passing", 0.9, 1.0, True), ("passing", float("nan"), 0.5, True)),
        *(("failing", 5.0, 1.0, False), ("failing", 5.0, 0.99, True)),
        *(("undecided", 5.0, 5.0, False), ("undecided", 0.1, 0.1, False)),
    ],
)
def test_pinned_seeds_are_held_by_their_kind(
    kind: str, last: float, middle: float, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settled ones by their last error, passing and failing ones by their median; an error at the rate is no pass."""
    right = {"settled": (0.5, 3.0), "passing": (3.0, 0.5), "failing": (0.5, 3.0), "undecided": (3.0, 3.0)}
    seeds = {"settled": [4, 6], "passing": [1, 8], "failing": [9, 3], "undecided": [0, 5]}

    def errors(cell: Experiment, seed: int) -> Array:
        own = next((name for name, members in seeds.items() if seed in members), "undecided")
        planted = seed == seeds[kind][1] and cell.learning_rate == 0.01
        return spread(cell.learning_rate, *((last, middle) if planted else right[own]))

    asked = pin(monkeypatch, errors, **seeds)
    if fails:
        with pytest.raises(AssertionError, match=r"two_neuron-batch_9-learning_rate_0\.01") as caught:
            suite.test_pinned_seeds_pass("two_neuron", 9, "cpu:0", make_request())
        asks = "these used to fail; if that was meant: python -m benchmarks.studies.pinned_seeds"
        assert (asks in str(caught.value)) == (kind == "failing")
        return
    suite.test_pinned_seeds_pass("two_neuron", 9, "cpu:0", make_request())
    expected = [Experiment(batch_size=9, learning_rate=rate, device="cpu:0") for rate in (0.001, 0.01, 0.1)]
    assert asked == [(cell, [*range(20)]) for cell in expected]


@pytest.mark.parametrize(
    ("settled", "passing", "error", "fails"),
    [
        *(([3], [5, 6, 1, 8], 0.99, False), ([3, 5, 6, 8], [], 0.5, True), ([], [3, 5, 6, 8], 0.5, True)),
        ([3, 4], [5, 6, 8], 1.0, True),
    ],
)
def test_the_oracle_passes_five_seeds_or_more(
    settled: list[int], passing: list[int], error: float, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the published setting `native` is held by the median of each settled and passing seed, of which five are."""

    def errors(cell: Experiment, seed: int) -> Array:
        return spread(cell.learning_rate, 7.0, error if seed == 8 else 0.5)

    asked = pin(monkeypatch, errors, settled=settled, passing=passing, failing=[0])
    if fails:
        with pytest.raises(AssertionError):
            suite.test_native_agrees_at_the_published_scale("one_neuron")
    else:
        suite.test_native_agrees_at_the_published_scale("one_neuron")
    assert asked == [(Experiment(Parabola(1, 2, 1), "one_neuron", engine="native"), settled + passing)]


@pytest.mark.parametrize(("least", "fails"), [(0.1, True), (0.1001, False)])
def test_the_rate_that_fails_fails_for_all_seeds(least: float, fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One error that is not above 0.1, of one seed after one epoch, is enough to say that it learnt."""
    asked = pin(monkeypatch, lambda cell, seed: np.array([4.0, least if seed == 11 else 3.0, 5.0]))
    if fails:
        with pytest.raises(AssertionError):
            suite.test_learning_rate_0_1_does_not_learn("cpu:0", make_request())
    else:
        suite.test_learning_rate_0_1_does_not_learn("cpu:0", make_request())
    assert asked == [(Experiment(learning_rate=0.1, device="cpu:0"), [*range(20)])]


def test_each_seed_has_to_be_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is refused where a seed is missing or said twice, or a cell is missing or in another place."""
    whole: dict[str, dict[str, list[int]]] = {
        cell_name(cell): {"settled": [*range(1, 20)], "failing": [0]} for cell in CELLS
    }
    last = [*whole][-1]
    monkeypatch.setattr(suite, "PINNED", whole)
    suite.test_every_seed_is_listed()
    for wrong in (
        {**whole, last: {"settled": [*range(1, 20)]}},
        {**whole, last: {"settled": [*range(20)], "failing": [0]}},
        {**whole, last: {"settled": [*range(21)]}},
        {name: seeds for name, seeds in whole.items() if name != last},
        {name: whole[name] for name in reversed(whole)},
    ):
        monkeypatch.setattr(suite, "PINNED", wrong)
        with pytest.raises(AssertionError):
            suite.test_every_seed_is_listed()


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what is built and checked, in its order, of an engine that is none: its check notes what it holds."""
    events: list[Any] = []
    engine = SimpleNamespace(reset=lambda: "rows", run=lambda rows: f"weights of {rows}", state=lambda: "end")

    def note(event: Any, answer: Any) -> Any:
        events.append(event)
        return answer

    holding = SimpleNamespace(hold=lambda *given: note(given, None))
    monkeypatch.setattr("parabola.training.engines.build", lambda spec: note(spec, engine))
    monkeypatch.setattr(suite, "check_gradient", lambda spec: note(("gradient", spec), None))
    monkeypatch.setattr(suite, "check_run", lambda built: note(built is engine, holding))
    return events


def test_weights_are_held_against_both_references(checked: list[Any]) -> None:
    """The gradient and a run of four epochs are checked, and a run in one piece is held against that.

    All are of the device that is tested, and each can fail the test.
    """
    suite.test_weights_are_the_references("one_neuron", 32, "cpu:0")
    spec = Experiment(network="one_neuron", batch_size=32, epochs=4, device="cpu:0")

    assert checked == [("gradient", spec), spec, True, ("weights of rows", "end")]


def test_keras_fit_is_held_as_other_engines_are(checked: list[Any]) -> None:
    """Four epochs of a loop of Keras' are checked, on the network's own target, and held in one piece as well."""
    suite.test_keras_fit_agrees_by_weights("fused_fit", "one_neuron", "cpu:1")
    spec = Experiment(Parabola(1, 2, 1), "one_neuron", "fused_fit", device="cpu:1", batch_size=111, epochs=4)

    assert checked == [spec, True, ("weights of rows", "end")]


class Benchmark:
    """Stands for pytest-benchmark's fixture: it runs two rounds, and keeps what it was told."""

    def __init__(self) -> None:
        self.stats = SimpleNamespace(iterations=1)
        self.extra_info: dict[str, Any] = {}

    def pedantic(self, function: Any, *, setup: Any, **options: int) -> None:
        """Run the rounds."""
        self.options = options
        for _ in range(2):
            (given, knobs) = setup()
            function(*given, **knobs)


@pytest.mark.parametrize(
    ("members", "timed", "epochs", "rounds"), [(7, True, 625, 10), (512, True, 15, 10), (3, False, 4, 1)]
)
def test_what_the_benchmark_of_members_measures(
    members: int, timed: bool, epochs: int, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs fill 0.03 s, rounds begin with fresh weights, and the first and last member of every round are held."""
    made: list[Any] = []
    checked: list[Any] = []

    class Program:
        device = "cpu:0"

        def __init__(self, spec: Experiment, members: int) -> None:
            made.append((spec, members))
            self.experiment, self.round = spec, 0

        def reset(self, seeds: Array, rates: Array) -> Any:
            self.round += 1
            return seeds, rates, self.round

        def place(self, rows: Any) -> Any:
            return (*rows, "placed")

        def run(self, placed: Any) -> Array:
            seeds, rates, number, where = placed
            assert (set(rates.tolist()), where) == ({0.1}, "placed")
            return np.broadcast_to(1000.0 * number + seeds, (2, 4, len(seeds)))

        def state(self, place: int) -> Any:
            return f"member {place} after round {self.round}"

    def check_run(member: Any, subject: Any) -> Any:
        assert subject is member.subject  # so that a refusal names the member
        error = 0.25 + 0.5 * (member.experiment.seed == 0)
        checked.append(member.experiment)
        return SimpleNamespace(
            fit=SimpleNamespace(coefficient_error=np.array([9.0, 7.0, error])),
            hold=lambda weights, end: checked.append((weights.tolist(), end)),
            **{"seconds": error, "windows": 6, "telling": 5, "note": "a note" * (member.experiment.seed > 0)},
        )

    monkeypatch.setattr(bench_members, "members_program", Program)
    monkeypatch.setattr(bench_members, "check_run", check_run)
    monkeypatch.setattr(bench_members, "peak_mebibytes", lambda command: float(command[-2]) + int(command[-1]))
    benchmark = Benchmark()
    bench_members.bench_members(benchmark, "cpu:0", members, timed)
    spec = Experiment(device="cpu:0", batch_size=111, learning_rate=0.1, epochs=epochs)

    assert made == [(spec, members)]
    assert benchmark.options == {"rounds": rounds, "warmup_rounds": 1}
    assert benchmark.stats.iterations == epochs
    ends = (0, members - 1)
    assert checked == [
        *(replace(spec, seed=seed) for seed in ends),
        *(
            ([[1000.0 * number + seed] * 4] * 2, f"member {seed} after round {number}")
            for number in (1, 2)
            for seed in ends
        ),
    ]
    assert benchmark.extra_info == {
        **{"engine": "compiled", "device": "cpu:0", "batch_size": 111, "learning_rate": 0.1, "samples": 999},
        **{"epochs": epochs, "members": members, "coefficient_error": 0.75, "check_seconds": 1.0},
        **{"checked_epochs": 12, "telling_epochs": 10, "check_note": "a note"},
        **({"peak_mebibytes": 512.0 + 15} if members == 512 else {}),  # of a process with so many members and epochs
    }
