"""The study of who gets below the learning rate, and who stays: each count by hand, and seeds against single runs."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from rich.console import Console

from benchmarks.harness.accuracy import Arrivals
from benchmarks.studies import time_to_accuracy as study
from parabola.ensemble import cluster as on_cluster
from parabola.ensemble import ensemble
from parabola.ensemble.learning_map import train_here
from parabola.ensemble.members import members_program
from parabola.machine import host
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.fit import Fit
from parabola.training.target import Array
from tests.made_ensemble import train_in_tasks


def seeds_of(*histories: str) -> Array:
    """Return which epochs are below, shape (epochs, seeds), from a text a seed in which # stands for such an epoch."""
    return np.array([[letter == "#" for letter in history] for history in histories]).T


def test_the_shortest_stretch_that_is_enough() -> None:
    """Of 100 seeds with one epoch below 10 are not so at the end, and of 90 with two in a row none."""
    left, stayed, never = ["..#......"] * 10, [".##..####"] * 90, ["........."] * 7
    below = seeds_of(*left, *stayed, *never)

    assert study.shortest_stretch(below, below[-1]) == 2
    assert study.shortest_stretch(below, np.ones(107, bool)) == 1
    assert study.shortest_stretch(below, np.zeros(107, bool)) is None
    assert study.shortest_stretch(below[:, 100:], np.ones(7, bool)) is None


def test_a_share_has_to_be_sure() -> None:
    """Of 72 seeds that all stay, 95 % surely do; of 71 not (Wilson's interval begins at n / (n + 3.84))."""
    for seeds, found in ((73, 1), (72, None)):
        below = seeds_of(*["#"] * seeds)
        assert study.shortest_stretch(below, below[-1]) == found
    assert 72 / (72 + 1.959964**2) < 0.95 < 73 / (73 + 1.959964**2)


def test_what_is_counted_of_a_setting() -> None:
    """Of four seeds three arrive, after 2, 5 and 300 epochs; one has learnt at the end, another is below by luck."""
    below = np.zeros((300, 4), bool)
    below[1:, 0] = True
    below[249, 0] = below[-1, 0] = False
    below[[4, 5, 6, 250], 1] = True
    below[-1, 2] = True
    found = study.count("x", below)

    counts: dict[str, Any] = {"seeds": 4, "arrived": 3, "below_at_end": 1, "learnt_at_end": 1}
    shares: dict[str, Any] = {"first_epoch": 5.0, "later_share": found.later_share}
    assert found == Arrivals(setting="x", **counts, **shares, stretch=None, stretch_to_last_epoch=None)
    assert found.later_share == pytest.approx(297 / 299)  # of the first seed; the others' are 4 of 296, and 1 of 1


def test_most_of_the_last_100_epochs_decide_who_has_learnt() -> None:
    """51 of them are most, 50 are not, and those before do not count."""
    below = np.zeros((200, 3), bool)
    below[149:, 0] = below[150:, 1] = below[:100, 2] = True

    assert study.count("x", below).learnt_at_end == 1


def test_seeds_are_those_of_single_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each column has the epochs below of the seed's own run, where its error is not within rounding of the rate.

    From the workers of a cluster it has the same bits, of which 50 bytes a seed come back.
    """
    monkeypatch.setattr(ensemble, "BLOCK_MEMBERS", 2)
    monkeypatch.setattr(ensemble, "members_program", cache(members_program))
    monkeypatch.setattr(host, "usable_cores", lambda: 1)  # two threads could not share a program
    experiment = Experiment(batch_size=111, learning_rate=0.1, final_learning_rate=0.05, init="sign-aware", epochs=400)
    seeds, done = np.array([3, 2**40, 7]), list[tuple[Any, ...]]()
    below = study.train(experiment, seeds, lambda *given: done.append(given))
    there = study.train(experiment, seeds, lambda *given: done.append(given), train_in_tasks)
    engine = engines.build(experiment)
    fits = [Fit(experiment, engine.device, engine.run(engine.reset(seed=seed)), 0.0, 0.0) for seed in seeds.tolist()]

    assert below.shape == (400, 3)
    for column, fit in zip(below.T, fits, strict=True):
        clear = np.abs(fit.coefficient_error - 0.05) > 1e-3
        np.testing.assert_array_equal(column[clear], (fit.coefficient_error < 0.05)[clear])
    assert below.any()
    assert not below.all()
    assert there.tobytes() == below.tobytes()
    assert done[:2] == [(2 / 3,), (1,)]
    assert [share for share, _ in done[2:]] == [1 / 3, 1]
    assert all(int(size) < 400 for _, size in done[2:])  # with NumPy's own words; two seeds are 800 epochs


def test_the_command_writes_the_baseline_and_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row a setting; the seeds are 10,000, and none of them is timed. The file is read as it was written."""
    asked, printed = list[Any](), io.StringIO()
    below = seeds_of(*["..#"] * 60, *[".##"] * 40, *["..."] * 100)

    def train(experiment: Experiment, seeds: Array, progress: Any, train_parts: Any) -> Array:
        asked.append((experiment, seeds[0], seeds[-1], len(seeds)))
        assert train_parts is train_here
        return below

    monkeypatch.setattr(study, "train", train)
    monkeypatch.setattr(study, "FILE", tmp_path / "found.json")
    monkeypatch.setattr(study, "SETTINGS", {"one": Experiment(), "two": Experiment(batch_size=9)})
    monkeypatch.setattr(study, "Console", lambda width: Console(width=width, file=printed))
    study.main()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.getvalue().strip().splitlines()]

    assert asked == [(Experiment(), 40, 10_039, 10_000), (Experiment(batch_size=9), 40, 10_039, 10_000)]
    assert [row[0] for row in rows] == ["setting", "-" * len(rows[1][0]), "one", "two"]
    assert rows[2][1:] == ["50.0 (43.1–56.9)", "3", "100.0 %", *["40.0 (30.9–49.8)", "none", "100.0 (96.3–100.0)", "1"]]
    held = msgspec.json.decode((tmp_path / "found.json").read_bytes(), type=list[Arrivals])
    assert held == [study.count(name, below) for name in ("one", "two")]


def test_a_cluster_that_is_gone_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so; the baseline that was there stays, as half of one is none."""
    path, asked = tmp_path / "found.json", list[Any]()
    path.write_text("as it was")

    def train(*given: Any) -> Array:
        raise on_cluster.ClusterError("the scheduler at tcp://there:1 is gone")

    @contextmanager
    def trainer(*given: Any) -> Iterator[Any]:
        asked.append(given)
        yield train_in_tasks

    monkeypatch.setattr(study, "train", train)
    monkeypatch.setattr(study, "FILE", path)
    monkeypatch.setattr(on_cluster, "trainer", trainer)
    with pytest.raises(SystemExit) as caught:
        study.main("tcp://there:1")

    assert str(caught.value) == "the scheduler at tcp://there:1 is gone; found.json stays as it was"
    assert asked == [("tcp://there:1", "cpu", print)]
    assert path.read_text() == "as it was"
