"""The made-up series on which the search for changes is tried, and the tables of how it does."""

from typing import Any

import numpy as np
import pytest

from benchmarks.studies import change_points
from benchmarks.studies.change_points import series
from parabola.records.levels.judging import LevelChange


def test_a_series_without_noise_is_its_levels() -> None:
    """Two milliseconds, and from each step on so many times that, on top of the steps before."""
    made = series(np.random.default_rng(1), (3, 1.5), (5, 0.5), values=7, noise=0.0, outliers=0.0)

    np.testing.assert_allclose(made, [0.002, 0.002, 0.002, 0.003, 0.003, 0.0015, 0.0015])


@pytest.mark.parametrize("tails", [np.inf, 3.0])
def test_noise_is_normal_or_of_student(tails: float) -> None:
    """Of the logarithms, so many times the scale that is asked for."""
    made = series(np.random.default_rng(4), values=50, noise=0.1, outliers=0.0, tails=tails)
    random = np.random.default_rng(4)
    white = random.standard_normal(50) if tails == np.inf else random.standard_t(3, 50)

    np.testing.assert_allclose(np.log(made / 0.002), 0.1 * white, atol=1e-12)


def test_neighbours_correlate_and_the_scale_stays() -> None:
    """A correlation of 0.6 is seen between neighbours, and its square between the next ones."""
    logs = np.log(series(np.random.default_rng(5), values=20_000, noise=0.1, outliers=0.0, correlation=0.6))
    found = [np.corrcoef(logs[lag:], logs[:-lag])[0, 1] for lag in (1, 2)]

    assert logs.std() == pytest.approx(0.1, rel=0.03)
    assert found == pytest.approx([0.6, 0.36], abs=0.03)


def test_outliers_take_a_tenth_to_twice_as_long() -> None:
    """As large a share of the values as is asked for, evenly from 1.1 to 2 times; no value takes less."""
    made = series(np.random.default_rng(6), values=20_000, noise=0.0, outliers=0.25) / 0.002
    hit = made[made > 1.05]

    assert len(hit) == pytest.approx(5000, rel=0.05)
    assert made.min() == pytest.approx(1)
    assert [hit.min(), hit.mean(), hit.max()] == pytest.approx([1.1, 1.55, 2.0], abs=0.01)


def test_the_usual_series_has_200_values_with_noise_and_outliers() -> None:
    """Noise of 3 % that is normal and does not correlate, and 5 % of outliers."""
    usual = {"values": 200, "noise": 0.03, "outliers": 0.05, "tails": np.inf, "correlation": 0.0}

    np.testing.assert_array_equal(series(np.random.default_rng(7)), series(np.random.default_rng(7), **usual))  # type: ignore[arg-type]


def scripted(monkeypatch: pytest.MonkeyPatch, *answers: list[LevelChange]) -> list[dict[str, Any]]:
    """Have the search give such answers, one a series, and return what the series are to be like."""
    asked, left = list[dict[str, Any]](), list(answers)

    def made(_: np.random.Generator, *steps: tuple[int, float], **noise: Any) -> np.ndarray[Any, Any]:
        asked.append({"steps": steps, **noise})
        return np.ones(1)

    monkeypatch.setattr(change_points, "series", made)
    monkeypatch.setattr(change_points, "find_level_changes", lambda _: left.pop(0))
    return asked


def test_steps_that_are_found_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone of all series; and of these in place, and with size and commits in their ranges, whose ends count."""
    places = np.random.default_rng(1).integers(20, 181, 8).tolist()

    def change(number: int, off: int, low: float, high: float, before: int, behind: int) -> LevelChange:
        at = places[number]
        return LevelChange(at + off, at + before, at + behind, 1.05, low, high)

    asked = scripted(
        monkeypatch,
        [],
        [change(1, 3, 1.05, 1.2, 0, 9)],
        [change(2, -3, 1.0, 1.05, -9, 0)],
        [change(3, 0, 1.0, 1.2, -9, 9)] * 2,
        [change(4, 4, 1.051, 1.2, -1, 5)],
        [change(5, -4, 1.0, 1.049, -5, 1)],
        [change(6, 2, 1.0, 1.2, 1, 3)],
        [change(7, -1, 1.06, 1.2, 0, 0)],
    )

    assert change_points.find_step(1.05, 8) == {
        "planted step": "+5 %",
        "found, and nothing else": "75.0 %",
        "within 3 commits": "66.7 %",
        "size covered": "50.0 %",
        "commits covered": "83.3 %",
    }
    assert asked == [{"steps": ((at, 1.05),)} for at in places]
    assert all(20 <= at <= 180 for at in places)


def test_the_table_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a step, each of as many series as are asked for."""
    monkeypatch.setattr(
        change_points, "find_step", lambda ratio, number: {"planted step": f"{ratio:g}", "series": str(number)}
    )
    change_points.main(number=7)

    assert capsys.readouterr().out.splitlines() == [
        "| planted step | series |",
        "| ---: | ---: |",
        "| 1.1 | 7 |",
        "| 1.05 | 7 |",
        "| 1.03 | 7 |",
    ]
