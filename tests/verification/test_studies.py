"""The two studies of the check: faults planted in the real engines are found, and right runs are not refused."""

from dataclasses import replace

import pytest

from parabola.training.experiment import Experiment
from tests.verification import faults, plants, right_runs
from tests.verification.faults import FAULTS, Cell
from tests.verification.right_runs import Tried

CASE = Experiment(engine="native", batch_size=32, epochs=60)
BY_NAME = {fault.name: fault for fault in FAULTS}
ALONE = "with one batch an epoch the order decides rounding alone"
# What changes the kernel of `native` is compiled anew, which takes a second: some of each sort are tried every day.
EVERYDAY = (
    *("stops an epoch early, repeats its last weights", "leaves out 10 %, repeats its last weights"),
    *("leaves out 45 %, repeats its last weights", "leaves out 45 % of each call"),
    *("weights overwritten with 1e9 in the middle", "zeros at the end", "NaN in the middle", "infinite at the end"),
    *("another seed's weights", "the round before, not trained", "shifted by an epoch", "orders off by a row"),
    *("orders off by a row from the middle", "one order in every epoch", "one order from the middle"),
    *("partial batch dropped", "learning rate × 1.005", "beta_2 0.9991", "a gradient halved", "weights in float16"),
    *("samples in bfloat16", "a device that is not waited for"),
)


@pytest.mark.parametrize("name", EVERYDAY)
def test_a_planted_fault_is_found(name: str) -> None:
    """The check refuses a run of `native` with the fault."""
    assert faults.try_fault(BY_NAME[name], CASE).found != ""


def test_without_a_fault_nothing_is_found() -> None:
    """What plants nothing is no reason to refuse a run."""
    cell = faults.try_fault(BY_NAME["no fault"], CASE)

    assert (cell.absent, cell.found) == ("", "")


@pytest.mark.end_to_end
@pytest.mark.parametrize("learning_rate", [0.001, 0.1])
@pytest.mark.parametrize("name", [fault.name for fault in FAULTS if fault.name != "no fault"])
def test_a_fault_planted_in_compiled_is_found(name: str, learning_rate: float) -> None:
    """The check refuses a run of `compiled`, of whole published length, with the fault."""
    experiment = Experiment(batch_size=32, learning_rate=learning_rate)

    assert faults.try_fault(BY_NAME[name], experiment).found != ""


@pytest.mark.end_to_end
def test_faults_that_share_a_build_leave_it_right() -> None:
    """After runs with faults the same build passes without one; a fault in what is built has a build of its own."""
    experiment = Experiment(batch_size=111, epochs=20)
    faults.built.cache_clear()
    for name in ("another seed's weights", "the round before, not trained", "shifted by an epoch"):
        assert faults.try_fault(BY_NAME[name], experiment).found != ""
    assert faults.try_fault(BY_NAME["no fault"], experiment).found == ""
    assert faults.built.cache_info().misses == 1
    assert faults.try_fault(BY_NAME["beta_2 0.99"], experiment).found != ""
    assert faults.try_fault(BY_NAME["no fault"], experiment).found == ""
    assert faults.built.cache_info().misses == 2


@pytest.mark.end_to_end
@pytest.mark.parametrize("engine", ["fit", "fused_fit"])
@pytest.mark.parametrize(
    "name",
    ["orders off by a row", "partial batch dropped", "beta_2 0.9991", "learning rate × 1.005", "shifted by an epoch"],
)
def test_a_fault_planted_in_keras_own_loop_is_found(name: str, engine: str) -> None:
    """The check refuses a run with the fault, though it has a few epochs only."""
    experiment = Experiment(engine=engine, batch_size=32, epochs=2)

    assert faults.try_fault(BY_NAME[name], experiment).found != ""


@pytest.mark.parametrize(
    ("name", "experiment", "reason"),
    [
        ("orders off by a row", replace(CASE, batch_size=999), ALONE),
        ("orders off by a row", replace(CASE, batch_size=998), ""),
        ("one order in every epoch", replace(CASE, epochs=1), "a run of one epoch has one order"),
        ("one order in every epoch", replace(CASE, epochs=2), ""),
        ("one order from the middle", replace(CASE, epochs=1), "a run of one epoch has one order"),
        ("one order from the middle", replace(CASE, epochs=2), "half of a run of two epochs has one order"),
        ("one order from the middle", replace(CASE, epochs=3), ""),
        ("one order from the middle", replace(CASE, batch_size=999), ALONE),
        ("partial batch dropped", replace(CASE, batch_size=27), "there is no partial batch"),
        ("sum for the mean", replace(CASE, batch_size=1), "the sum of one sample is its mean"),
        ("sum for the mean", replace(CASE, batch_size=2), ""),
    ],
)
def test_where_a_fault_cannot_be(name: str, experiment: Experiment, reason: str) -> None:
    """A fault that cannot be in a case is not planted there, and the reason is told."""
    assert BY_NAME[name].absent(experiment) == reason


def test_a_piece_of_source_that_is_not_there_is_told() -> None:
    """A fault that changes nothing would pass for one that is not found."""
    with pytest.raises(ValueError, match=r"'nowhere' is not in the source of changed_source"):
        plants.changed_source(plants.changed_source, ("nowhere", ""))


def test_the_table_of_faults() -> None:
    """A row has a fault, a column an engine; what cannot be is not counted, and what is not found is named."""
    fitted = replace(CASE, engine="fit", learning_rate=0.1, samples=1000, epochs=2)
    cells = [
        *(Cell("zeros at the end", CASE, "", found) for found in ("", "refused", "refused")),
        *(Cell("zeros at the end", fitted, absent, "refused") for absent in ("", "nowhere to be")),
    ]
    lines = faults.lines(cells)

    assert [line for line in lines if "zeros" in line] == [
        "| zeros at the end | 2 of 3 | 1 of 1 |",
        "- zeros at the end: nowhere to be.",
        "- not found: zeros at the end, native, batch size 32, learning rate 0.001, 60 epochs",
    ]
    assert lines[0] == "| fault | native | fit |"
    assert faults.where(fitted) == "fit, batch size 32, learning rate 0.1, 1000 samples, 2 epochs"


def test_the_cases_of_the_table() -> None:
    """Both learning rates by five batch sizes, or by those asked for; and many samples at batch size 1."""
    cases = faults.experiments("native")

    assert [(case.samples, case.batch_size, case.learning_rate) for case in cases] == [
        *((999, size, rate) for size in (1, 9, 32, 111, 999) for rate in (0.001, 0.1)),
        *((10_000, 1, rate) for rate in (0.001, 0.1)),
    ]
    assert [case.epochs for case in cases[:2]] == [999, 999]
    assert {case.epochs % 999 for case in cases if case.samples == 999} == {0}
    some = [case for case in cases if case.batch_size in (9, 999)]
    assert faults.experiments("native", [9, 999]) == some
    assert faults.experiments("native", samples=[10_000]) == cases[10:]


@pytest.mark.parametrize(
    "experiment",
    [
        replace(CASE, learning_rate=1e-6, batch_size=111),
        replace(CASE, learning_rate=0.5, batch_size=1),
        replace(CASE, learning_rate=1e30, batch_size=9),
        replace(CASE, samples=1, batch_size=1),
        replace(CASE, samples=2, batch_size=2, learning_rate=0.3),
        replace(CASE, network="one_neuron", batch_size=500, learning_rate=0.1),
    ],
)
def test_a_right_run_is_not_refused(experiment: Experiment) -> None:
    """Whatever the learning rate, be it chaotic or diverging, and however few the samples.

    Nothing is held once a run has diverged: where it does so in its first epoch, that one alone counts.
    """
    tried = right_runs.try_run(experiment)

    assert tried.refusal == ""
    assert (tried.verdict == "diverged") == (experiment.learning_rate == 1e30)
    assert tried.windows == (1 if tried.verdict == "diverged" else 16)


@pytest.mark.end_to_end
@pytest.mark.parametrize("engine", ["native", "compiled"])
def test_right_runs_of_all_settings_are_not_refused(engine: str) -> None:
    """The study of right runs, every thirtieth setting of it."""
    tried = [right_runs.try_run(setting) for setting in [*right_runs.settings(engine)][::30]]

    assert [run.refusal for run in tried if run.refusal] == []
    assert len(tried) > 10


def test_the_settings_of_right_runs() -> None:
    """Nine rates, eight batch sizes, three lengths, and other numbers of samples; what takes a minute is left out."""
    native, fit = [*right_runs.settings("native")], [*right_runs.settings("fit")]

    assert len([setting for setting in native if setting.samples == 999]) == 9 * 8 * 3
    assert {setting.samples for setting in native} == {999, 1, 2, 3, 10, 5_000, 100_000, 1_000_000}
    largest = [(setting.learning_rate, setting.batch_size) for setting in native if setting.samples == 1_000_000]
    assert largest == [(rate, size) for rate in right_runs.LEARNING_RATES for size in (1_000, 1_000_000)]
    assert {setting.epochs for setting in native if setting.batch_size == 1 and setting.samples == 999} == {
        1,
        999,
        5000,
    }
    assert 0 < len(fit) < len(native)


def test_the_table_of_right_runs() -> None:
    """A row a learning rate: runs, epochs, what diverged, what was chaotic to the end, and what was refused."""
    tried = [
        Tried(CASE, 50, 40, "pass", ""),
        Tried(CASE, 3, 0, "fail", ""),
        Tried(CASE, 0, 0, "", "after epoch 3 weight 1 of 4 is 2"),
        Tried(replace(CASE, learning_rate=1e30), 1_200, 0, "diverged", ""),
    ]
    lines = right_runs.lines(tried)

    assert lines[2:4] == ["| 0.001 | 3 | 53 | 40 | 0 | 1 | 1 |", "| 1e+30 | 1 | 1,200 | 0 | 1 | 0 | 0 |"]
    assert lines[-1] == "after epoch 3 weight 1 of 4 is 2"
    assert lines[-2].startswith("1 refusals in 1,253 epochs: at most 4.")
