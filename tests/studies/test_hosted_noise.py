"""The study of hosted runners' noise, on a file whose noise is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.studies import hosted_noise
from parabola.records.levels.together import Series


def session(date: int, **values: tuple[float, str]) -> dict[str, object]:
    benches = [{"name": name, "value": value, "unit": unit} for name, (value, unit) in values.items()]
    return {"date": date, "benches": benches}


def test_rates_are_turned_into_times_and_short_cases_left_out() -> None:
    """Iterations a second, and Rust's ns/iter; a case that 29 sessions have measured tells too little."""
    every = [session(n, a=(4.0, "iter/sec"), b=(7.0, "ns/iter"), **({"c": (1.0, "s")} if n else {})) for n in range(30)]
    rates, times = hosted_noise.read(every)

    assert (rates.seconds.tolist(), times.seconds.tolist()) == ([0.25] * 30, [7.0] * 30)
    assert rates.at.tolist() == list(range(30))


def test_sessions_in_another_order() -> None:
    """The first goes to place 2, the second to 0, the third to 1; a case that lacks the second has two places."""
    found = hosted_noise.shuffled(
        [Series(np.arange(3), np.array([1.0, 2, 3])), Series(np.array([0, 2]), np.array([4.0, 5]))], np.array([2, 0, 1])
    )

    assert [(of_case.at.tolist(), of_case.seconds.tolist()) for of_case in found] == [
        ([0, 1, 2], [2.0, 3.0, 1.0]),
        ([1, 2], [5.0, 4.0]),
    ]


def test_the_noise_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of 2,000 sessions: 5 % of noise, of which half the variance is shared, and neighbours that do not correlate."""
    random = np.random.default_rng(1)
    logs = 0.05 * (random.normal(size=(4, 2000)) + random.normal(size=2000)) / 2**0.5
    series = [Series(np.arange(2000), np.exp(of_case)) for of_case in logs]
    words = hosted_noise.noise(series, 2000).replace("(", "").replace(")", "").replace(",", "").split()
    scale, middle, low, high, pairs = (float(words[at]) for at in (1, 6, 7, 9, -1))
    content = {"entries": {"Suite": [session(n, a=(1.0 + n % 3 / 100, "s")) for n in range(40)]}}
    (tmp_path / "data.js").write_text(f"window.BENCHMARK_DATA = {json.dumps(content)};")
    hosted_noise.main(tmp_path / "data.js", 3)
    said = capsys.readouterr().out.splitlines()

    assert scale == pytest.approx(5, abs=0.3)
    assert low <= middle <= high
    assert middle == pytest.approx(0, abs=0.06)
    assert pairs == pytest.approx(0.5, abs=0.06)
    assert said[0].startswith("Suite: 40 sessions, 1 cases; noise 1.")
    assert "two cases" not in said[0]
    assert said[1] == "  a change in 0 of 3 random orders"
