"""The cases of the speed suite by value: names, sizes, epochs, rounds and what is left out."""

from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.harness import cases
from benchmarks.harness.cases import TimedCase, epochs_per_round, grid_cases, make_case, seconds_per_epoch
from benchmarks.harness.options import Selection
from parabola.training.experiment import Experiment


@pytest.mark.parametrize(
    ("knobs", "name"),
    [
        ({}, "compiled-cpu-batch_1-learning_rate_0.001"),
        ({"engine": "fit", "device": "gpu:1", "batch_size": 32}, "fit-gpu:1-batch_32-learning_rate_0.001"),
        ({"learning_rate": 0.1, "samples": 998}, "compiled-cpu-batch_1-learning_rate_0.1-samples_998"),
        ({"learning_rate": 0.00002, "samples": 1000}, "compiled-cpu-batch_1-learning_rate_2e-05-samples_1000"),
        ({"samples": 999, "epochs": 4}, "compiled-cpu-batch_1-learning_rate_0.001"),
        ({"learning_rate": 0.00123456}, "compiled-cpu-batch_1-learning_rate_0.00123456"),
        ({"learning_rate": 0.001234567}, "compiled-cpu-batch_1-learning_rate_0.001234567"),
        ({"learning_rate": 0.0010000000000000002}, "compiled-cpu-batch_1-learning_rate_0.0010000000000000002"),
        ({"learning_rate": 1e30}, "compiled-cpu-batch_1-learning_rate_1e+30"),
        ({"learning_rate": 1234567.0}, "compiled-cpu-batch_1-learning_rate_1234567.0"),
        ({"learning_rate": 3.0}, "compiled-cpu-batch_1-learning_rate_3"),
    ],
)
def test_names_of_cases(knobs: dict[str, Any], name: str) -> None:
    """A case's name has its axes in this order; histories hang on it."""
    assert TimedCase(Experiment(**knobs), 10).id == name


def test_learning_rates_that_differ_have_names_that_differ() -> None:
    """Of any two rates, next to each other or far apart, each has a name of its own, which reads as that rate."""
    near = np.array([1e-30, 0.001, 0.1, 1 / 3, 2, 1e30])
    rates = np.unique([near, np.nextafter(near, 0), np.nextafter(near, np.inf), near * (1 + 1e-7)]).tolist()
    names = [TimedCase(Experiment(learning_rate=rate), 10).id for rate in rates]

    assert [float(name.partition("learning_rate_")[2]) for name in names] == rates


@pytest.mark.parametrize(
    ("engine", "device", "batch_size", "seconds"),
    [
        ("fit", "cpu", 111, 0.0408),  # 0.03 + 9 × 0.0012
        ("fit", "gpu:1", 111, 0.0408),
        ("fused_fit", "cpu", 32, 0.0089),  # 0.0025 + 32 × 0.0002: the last batch is a partial one
        ("fused_fit", "gpu:0", 32, 0.0089),
        ("compiled", "cpu:1", 27, 4.293e-6),  # 1 + 37 × 0.035 + 999 × 0.002 µs
        ("compiled", "gpu:0", 27, 8.4e-4),  # 100 + 37 × 20 µs
        ("native", "cpu", 27, 3.923e-6),  # 1 + 37 × 0.025 + 999 × 0.002 µs
    ],
)
def test_predicted_seconds_of_an_epoch(engine: str, device: str, batch_size: int, seconds: float) -> None:
    """The prediction is what the table of costs gives for each epoch, step and sample."""
    experiment = Experiment(engine=engine, device=device, batch_size=batch_size)

    assert seconds_per_epoch(experiment) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    ("knobs", "epochs"),
    [
        ({"engine": "fit", "batch_size": 1}, 1),  # 0.2 s / 1.2288 s
        ({"engine": "fit", "batch_size": 111}, 5),  # 0.2 / 0.0408 = 4.9
        ({"engine": "fused_fit", "batch_size": 111}, 47),  # 0.2 / 0.0043 = 46.5
        ({"engine": "compiled", "batch_size": 1}, 999),  # 0.02 s / 37.963 µs = 526.8: a whole run
        ({"engine": "compiled", "batch_size": 9}, 3 * 999),  # 2905.7, of which 999 make 2.9
        ({"engine": "native", "batch_size": 9}, 4 * 999),  # 0.02 s / 5.773 µs = 3464.4
        ({"engine": "compiled", "batch_size": 1, "samples": 1055}, 999),  # 499.56: just more than half a run
        ({"engine": "compiled", "batch_size": 1, "samples": 1056}, 500),  # 499.10: just less
    ],
)
def test_epochs_of_a_round(knobs: dict[str, Any], epochs: int) -> None:
    """A round has whole runs of 999 epochs where half a run does not fill it, else as many epochs as fill it."""
    assert epochs_per_round(Experiment(**knobs)) == epochs
    assert make_case(Selection(), **knobs).experiment.epochs == epochs


@pytest.mark.parametrize(
    ("epochs", "rounds"),
    [(1, 10), (75, 10), (370, 10), (371, 3), (100_000, 3)],
)
def test_rounds_of_a_case(epochs: int, rounds: int) -> None:
    """A case has 10 rounds, and 3 where one takes more than a second: an epoch here takes 2.7 ms."""
    case = make_case(Selection(epochs=epochs), engine="fused_fit", batch_size=999)

    assert (case.experiment.epochs, case.rounds) == (epochs, rounds)


def test_a_grid_says_epochs_and_rounds() -> None:
    """Epochs and rounds that were asked for are kept, and the other knobs are the case's own."""
    case = make_case(Selection(epochs=5, rounds=1), engine="native", batch_size=27, learning_rate=0.01)

    assert case == TimedCase(Experiment(engine="native", batch_size=27, learning_rate=0.01, epochs=5), 1)
    assert make_case(Selection(rounds=11), engine="fit").rounds == 11


def test_predicted_seconds_of_a_case() -> None:
    """A case takes 2 s to build, and its rounds and one more: 2 + (4 + 1) × 5 × 0.0408 s."""
    case = TimedCase(Experiment(engine="fit", batch_size=111, epochs=5), 4)

    assert case.predicted_seconds == pytest.approx(3.02, rel=1e-12)


@pytest.mark.parametrize(("epochs", "warmups"), [(1, 1), (123, 1), (124, 0)])
def test_a_long_round_is_not_warmed_up(epochs: int, warmups: int) -> None:
    """A round of more than a third of a second has no warm-up round: 123 epochs here take 0.3321 s."""
    assert TimedCase(Experiment(engine="fused_fit", batch_size=999, epochs=epochs), 3).warmup_rounds == warmups


QUICK = {
    "fit": {1: (1, 3, [0.001]), 111: (5, 10, [0.001]), 999: (7, 10, [0.001])},
    "fused_fit": {1: (1, 10, [0.001]), 111: (47, 10, [0.001]), 999: (75, 10, [0.001])},
    "compiled": {
        1: (999, 10, [0.001, 0.1]),
        9: (2997, 10, [0.001]),
        27: (4995, 10, [0.001]),
        111: (6993, 10, [0.001]),
        999: (6993, 10, [0.001]),
    },
    "native": {
        1: (999, 10, [0.001, 0.1]),
        9: (3996, 10, [0.001]),
        27: (5994, 10, [0.001]),
        111: (6993, 10, [0.001]),
        999: (6993, 10, [0.001]),
    },
}


def test_the_quick_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick grid has these cases in this order, each with its epochs and rounds; `native` is on the CPU alone."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    found, left_out = grid_cases(Selection(), ["cpu"])
    expected = [
        (f"{engine}-cpu-batch_{batch_size}-learning_rate_{learning_rate}", epochs, rounds)
        for engine, sizes in QUICK.items()
        for batch_size, (epochs, rounds, learning_rates) in sizes.items()
        for learning_rate in learning_rates
    ]

    assert [(case.id, case.experiment.epochs, case.rounds) for case in found] == expected
    assert left_out == []
    both, _ = grid_cases(Selection(), ["cpu", "gpu:0"])
    on_gpu = {case.experiment.engine for case in both if case.experiment.device == "gpu:0"}
    assert on_gpu == {"fit", "fused_fit", "compiled"}
    assert [case for case in both if case.experiment.device == "cpu"] == found


@pytest.mark.parametrize("grid", ["quick", "full"])
def test_rounds_are_three_only_where_an_epoch_alone_is_long(grid: str) -> None:
    """Whatever the grid, a case of fewer than ten rounds has rounds of a single epoch of more than a second."""
    found, _ = grid_cases(Selection(grid, everything=True), ["cpu", "gpu:0"])
    few = [case for case in found if case.rounds < 10]

    assert {case.experiment.engine for case in few} >= {"fit"}
    assert {(case.rounds, case.experiment.epochs) for case in few} == {(3, 1)}
    assert min(seconds_per_epoch(case.experiment) for case in few) > 1
    assert max(case.experiment.epochs * seconds_per_epoch(case.experiment) for case in found if case not in few) <= 1


def test_the_quick_grid_fits_into_its_promise() -> None:
    """Epoch times on a CPU are predicted to take 56 of the 90 seconds that the quick grid may take."""
    found, _ = grid_cases(Selection(), ["cpu"])

    assert sum(case.predicted_seconds for case in found) == pytest.approx(56, abs=0.5)


def test_devices_are_the_grids_or_the_default_ones() -> None:
    """Devices that were asked for take the place of the default ones."""
    found, _ = grid_cases(Selection(engines=("compiled", "native"), devices=("gpu:1",), batch_sizes=(9,)), ["cpu"])

    assert [case.id for case in found] == ["compiled-gpu:1-batch_9-learning_rate_0.001"]


def test_the_full_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full grid has every engine, batch size and learning rate; more samples have the batch sizes that fit them."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    everything, none = grid_cases(Selection("full", everything=True), ["cpu"])
    sizes = {
        999: (1, 3, 9, 27, 32, 111, 333, 999),
        10_000: (1, 1000, 10_000),
        100_000: (1, 1000, 100_000),
        1_000_000: (1, 1000, 1_000_000),
    }

    assert none == []
    assert [
        (spec.samples, spec.engine, spec.device, spec.batch_size, spec.learning_rate)
        for spec in (case.experiment for case in everything)
    ] == [
        (samples, engine, "cpu", batch_size, learning_rate)
        for samples, batch_sizes in sizes.items()
        for engine in ("fit", "fused_fit", "compiled", "native")
        for batch_size in batch_sizes
        for learning_rate in (0.001, 0.01, 0.1)
    ]


def test_what_the_full_grid_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full grid leaves out what is predicted to take over a minute, by name and with the prediction."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    found, left_out = grid_cases(Selection("full"), ["cpu"])
    everything, _ = grid_cases(Selection("full", everything=True), ["cpu"])
    # 2 s and four rounds of one epoch: 2 + 4 × (0.03 + 100,000 × 0.0012) = 482.12
    seconds = {
        "fit-cpu-batch_1-learning_rate_{}-samples_100000": 482,
        "fused_fit-cpu-batch_1-learning_rate_{}-samples_100000": 82,
        "fit-cpu-batch_1-learning_rate_{}-samples_1000000": 4802,
        "fused_fit-cpu-batch_1-learning_rate_{}-samples_1000000": 802,
    }

    assert left_out == [
        f"{name.format(learning_rate)}: predicted {predicted} s, more than 60 (--all runs it)"
        for name, predicted in seconds.items()
        for learning_rate in ("0.001", "0.01", "0.1")
    ]
    names = {line.partition(":")[0] for line in left_out}
    assert found == [case for case in everything if case.id not in names]


@pytest.mark.parametrize(
    ("samples", "batch_sizes"),
    [(1, [1]), (2, [1, 2]), (998, [1, 998]), (1000, [1, 1000]), (1001, [1, 1000, 1001])],
)
def test_batch_sizes_of_other_counts_of_samples(samples: int, batch_sizes: list[int]) -> None:
    """A count other than 999 has batches of 1, of 1,000 where there are so many, and of all, in either grid."""
    for name in ("quick", "full"):
        selection = Selection(name, engines=("native",), samples=(samples,), learning_rates=(0.01,))
        found, _ = grid_cases(selection, ["cpu"])
        assert [case.experiment.batch_size for case in found] == batch_sizes


def test_sizes_and_rates_that_were_asked_for() -> None:
    """Each value of an option makes its cases, in the order in which they were given."""
    selection = Selection(
        "full", engines=("native", "fit"), samples=(500, 999), batch_sizes=(9, 3), learning_rates=(0.5, 0.1)
    )
    found, left_out = grid_cases(selection, ["cpu"])

    assert left_out == []
    assert [case.id for case in found] == [
        f"{engine}-cpu-batch_{batch_size}-learning_rate_{learning_rate}{samples}"
        for samples in ("-samples_500", "")
        for engine in ("native", "fit")
        for batch_size in (9, 3)
        for learning_rate in ("0.5", "0.1")
    ]


@pytest.mark.parametrize(("epochs", "fits"), [(10_740, True), (10_741, False)])
def test_a_minute_is_the_limit(epochs: int, fits: bool) -> None:
    """2 + 2 × 10,740 × 0.0027 s is 59.996 s, which is run; an epoch more is 60.001 s, which is left out."""
    selection = Selection(engines=("fused_fit",), batch_sizes=(999,), epochs=epochs, rounds=1)
    found, left_out = grid_cases(selection, ["cpu"])
    name = "fused_fit-cpu-batch_999-learning_rate_0.001"

    assert [case.id for case in found] == ([name] if fits else [])
    assert left_out == ([] if fits else [f"{name}: predicted 60 s, more than 60 (--all runs it)"])
    everything, none = grid_cases(Selection(**{**asdict(selection), "everything": True}), ["cpu"])
    assert ([case.id for case in everything], none) == ([name], [])


def test_a_case_that_memory_does_not_hold_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even with --all: the line says what it needs and what is free, and the cases beside it are run."""
    monkeypatch.setattr("parabola.machine.host.free_bytes", lambda: 2**30)
    selection = Selection(
        engines=("native",), samples=(999, 2_000_000_000), batch_sizes=(999,), learning_rates=(0.1,), everything=True
    )
    found, left_out = grid_cases(selection, ["cpu"])

    assert [case.experiment.samples for case in found] == [999]
    assert len(left_out) == 1
    assert "2000000000" in left_out[0].partition(": ")[0]
    assert left_out[0].endswith("of 2,000,000,000 samples need about 164 GiB, and 1 GiB are free: ask for fewer")


def test_just_a_minute_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case is left out when it takes more than the limit, and run when it takes just as long."""
    selection = Selection(engines=("fit",), batch_sizes=(999,))
    ((case,), _) = grid_cases(selection, ["cpu"])
    monkeypatch.setattr(cases, "TOO_LONG_SECONDS", case.predicted_seconds)

    assert grid_cases(selection, ["cpu"]) == ([case], [])


def test_an_engine_that_the_backend_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that the backend lacks has no cases, and one line before those of slow cases says so."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    found, left_out = grid_cases(Selection(samples=(100_000,), batch_sizes=(1,)), ["cpu"])

    assert [case.id for case in found] == [
        "native-cpu-batch_1-learning_rate_0.001-samples_100000",
        "native-cpu-batch_1-learning_rate_0.1-samples_100000",
    ]
    assert left_out == [
        "compiled is not there on the torch backend, which has fit, fused_fit, native",
        "fit-cpu-batch_1-learning_rate_0.001-samples_100000: predicted 482 s, more than 60 (--all runs it)",
        "fused_fit-cpu-batch_1-learning_rate_0.001-samples_100000: predicted 82 s, more than 60 (--all runs it)",
    ]
    assert grid_cases(Selection(engines=("native",), samples=(9,)), ["cpu"])[1] == []
    asked = grid_cases(Selection(engines=("compiled",), batch_sizes=(9,)), ["cpu"])[1]
    assert asked == ["compiled is not there on the torch backend, which has fit, fused_fit, native"]


def test_what_pytest_benchmark_gathers() -> None:
    """Its stats and its session are found where they are; no stats where nothing is timed, no session without it."""
    stats, session = SimpleNamespace(iterations=1), object()
    benchmark = SimpleNamespace(stats=stats)
    cases.count_epochs(benchmark, 1998)
    assert cases.stats_of(benchmark) is stats
    assert stats.iterations == 1998
    untimed = SimpleNamespace(stats=None)
    cases.count_epochs(untimed, 5)
    assert cases.stats_of(untimed) is None
    config: Any = SimpleNamespace(_benchmarksession=session)
    assert cases.session_of(config) is session
    without: Any = SimpleNamespace()
    assert cases.session_of(without) is None
