"""The baseline of the time to accuracy: what it holds, and which counts of seeds are too few against it."""

from typing import Any

import pytest
from scipy.stats import fisher_exact, hypergeom

from benchmarks.harness import accuracy
from benchmarks.harness.accuracy import SEEDS, SETTINGS, Arrivals, baseline, fewer_than_before
from parabola.training.experiment import Experiment

LEVEL = 0.001 / 18  # of each of the regression suite's tests


def test_the_baseline_has_every_setting() -> None:
    """Each has 10,000 seeds; of those that arrive some are below after the last epoch, and more have learnt."""
    assert list(baseline()) == list(SETTINGS)
    for name, held in baseline().items():
        assert held.setting == name
        assert 0 < held.below_at_end <= held.learnt_at_end <= held.arrived <= held.seeds == 10_000
        assert 1 <= held.first_epoch <= 999
        assert 0.5 < held.later_share <= 1


def test_a_single_epoch_below_is_enough() -> None:
    """At every setting 95 % of the seeds that are below once have learnt at the end: no stretch need be waited for."""
    assert {name: held.stretch for name, held in baseline().items()} == dict.fromkeys(SETTINGS, 1)


def test_no_stretch_makes_the_last_epoch_sure_at_the_published_setting() -> None:
    """There the error wanders about the learning rate, however long it was below before."""
    held = baseline()["1-0.001"]

    assert held.stretch_to_last_epoch is None
    assert held.below_at_end / held.arrived == pytest.approx(held.later_share, abs=0.03)


def test_nearly_all_seeds_arrive_at_the_recommended_setting() -> None:
    """It is the one that `train` and `map` are recommended with."""
    assert baseline()["recommended"].arrived >= 9_990
    assert SETTINGS["recommended"] == Experiment(
        batch_size=111, learning_rate=0.1, final_learning_rate=0.001, init="sign-aware"
    )


def held(monkeypatch: pytest.MonkeyPatch, arrived: int, seeds: int = 10_000) -> None:
    """Put a baseline of one setting in the place of the committed one."""
    values: dict[str, Any] = {"below_at_end": 0, "learnt_at_end": 0, "stretch": 1, "stretch_to_last_epoch": None}
    made = Arrivals(setting="x", seeds=seeds, arrived=arrived, first_epoch=1.0, later_share=1.0, **values)
    monkeypatch.setattr(accuracy, "baseline", lambda: {"x": made})


@pytest.mark.parametrize("arrived", [5_900, 7_700, 9_340, 10_000])
@pytest.mark.parametrize("seeds", [40, 10])
def test_significantly_fewer_seeds_are_told(arrived: int, seeds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All counts up to one, and none above it: where Fisher's exact p-value is at most the regression suite's level."""
    held(monkeypatch, arrived)
    told = [bool(fewer_than_before("x", count, seeds)) for count in range(seeds + 1)]
    expected = [
        fisher_exact([[arrived, 10_000 - arrived], [count, seeds - count]]).pvalue <= LEVEL
        and count / seeds < arrived / 1e4
        for count in range(seeds + 1)
    ]

    assert told == expected
    assert told == sorted(told, reverse=True)
    assert not told[-1]


def test_it_cries_wolf_as_rarely_as_its_level_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all counts that 40 seeds of the baseline's share can have, given how many arrive of both together."""
    held(monkeypatch, 7_700)
    told = [bool(fewer_than_before("x", count, len(SEEDS))) for count in range(len(SEEDS) + 1)]
    probability = sum(hypergeom.pmf(count, 10_040, 7_731, 40) for count, fewer in enumerate(told) if fewer)

    assert 0 < probability <= LEVEL


def test_more_seeds_than_before_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """However significant that is."""
    held(monkeypatch, 1_000)

    assert fewer_than_before("x", 40, 40) == ""


def test_what_is_said_of_fewer_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line has both counts, the p-value, the level, and what to do if that was meant."""
    held(monkeypatch, 10_000)

    assert fewer_than_before("x", 38, 40) == (
        "38 of 40 seeds arrive, 100.0 (100.0–100.0) % of 10,000 in the baseline (p = 1.5e-05, level 5.6e-05); "
        "if that was meant: python -m benchmarks.studies.time_to_accuracy"
    )
    assert fewer_than_before("x", 39, 40) == ""
