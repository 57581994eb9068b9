"""How false alarms of the pass rates' test are counted: the pool of seeds, the draws, and the table."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from scipy.stats import binomtest, fisher_exact, hypergeom
from typer.testing import CliRunner

from benchmarks.harness.pass_rates import LEVEL
from benchmarks.studies import false_alarms
from parabola import statistics
from parabola.display import console
from parabola.ensemble import cluster, map_file
from parabola.ensemble.learning_map import Grid, train_here
from parabola.training.experiment import Experiment
from tests.made_ensemble import plant


def test_a_pool_is_trained_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """2,000 seeds from 10⁹ on, in two files, by which each seed has its verdict; what is there is not trained again."""
    asked, done = plant(monkeypatch), list[float]()
    progress_bar = console.progress_bar

    def shown(form: str, total: float) -> Any:
        done.append(total)
        return progress_bar(form, total)

    monkeypatch.setattr(console, "progress_bar", shown)
    pool = false_alarms.train_pool(9, 0.25, 2000, tmp_path)

    assert pool.dtype == bool
    assert pool.tolist() == [seed % 9 == 0 for seed in range(10**9, 10**9 + 2000)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "batch_9-seeds_1000000000.json",
        "batch_9-seeds_1000001000.json",
    ]
    grid = Grid(Experiment(), (0.25,), (9,), 1000, 1_000_001_000)
    (cell,) = map_file.read(tmp_path / "batch_9-seeds_1000001000.json", grid.identity())
    assert (cell.seeds, cell.learning_rate, cell.batch_size) == (1000, 0.25, 9)
    assert done == [2000]
    trained = len(asked)
    assert false_alarms.train_pool(9, 0.25, 1000, tmp_path).tolist() == pool[:1000].tolist()
    assert len(asked) == trained


def test_a_pools_progress_is_in_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each part the bar is told how many seeds are done, of those that were asked for."""
    plant(monkeypatch)
    done: list[float] = []

    class Bar:
        def __init__(self, form: str, total: float) -> None:
            done.append(total)
            assert form == "{task.percentage:.0f} % of batch size 3,"

        def __enter__(self) -> Any:
            return done.append

        def __exit__(self, *_: object) -> None:
            """End."""

    monkeypatch.setattr(console, "progress_bar", Bar)
    false_alarms.train_pool(3, 0.25, 3000, tmp_path)

    assert done == [3000, 1000, 2000, 3000]


class Order:
    """Stands for a generator: what it draws is the pool the other way round."""

    def permutation(self, pool: Any) -> Any:
        """Return the pool from its end."""
        return pool[::-1]


def test_a_draw_by_hand() -> None:
    """The first half of what is drawn is the baseline, the next 400 are the fresh seeds; the rest is left out."""
    half, fresh, rest = [True] * 300 + [False] * 200, [True] * 200 + [False] * 200, [True] * 100
    pool = np.array([*half, *fresh, *rest])[::-1]
    expected = fisher_exact([[300, 200], [200, 200]]).pvalue

    assert false_alarms.draw(pool, Order()) == pytest.approx(expected, rel=1e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
def test_false_alarms_stay_below_the_level(share: float) -> None:
    """Under equal shares at most a level's part is called a difference; simulation agrees with the exact rate."""
    rate = false_alarms.false_alarm_rate(1000, 100, share, 0.05)
    generator = np.random.default_rng(5)
    pool = np.arange(1100) < round(share * 1100)
    fresh = [int(generator.permutation(pool)[:100].sum()) for _ in range(2000)]
    alarms = sum(statistics.same_share_p_value((int(pool.sum()) - hits, 1000), (hits, 100)) <= 0.05 for hits in fresh)

    assert rate <= 0.05
    assert binomtest(alarms, 2000, rate).pvalue > 1e-3


@pytest.mark.parametrize(("share", "level"), [(0.3, 1e-5), (0.07, 1e-3), (0.5, 0.05)])
def test_false_alarm_rate_counts_every_outcome(share: float, level: float) -> None:
    """It sums all ways to share out the successes that Fisher's test rejects, the improbable ones, too."""
    first, second = 70, 45
    both = round(share * (first + second))
    expected = sum(
        math.comb(second, hits) * math.comb(first, both - hits) / math.comb(first + second, both)
        for hits in range(min(both, second) + 1)
        if fisher_exact([[both - hits, first - both + hits], [hits, second - hits]]).pvalue <= level
    )

    assert false_alarms.false_alarm_rate(first, second, share, level) == pytest.approx(expected, rel=1e-5)
    assert expected > 0


def test_a_level_is_reached_by_a_p_value_that_equals_it() -> None:
    """A p-value of just the level is a difference: of eight cups all right has 2/70, three of four 34/70."""
    exact = statistics.same_share_p_value((4, 4), (0, 4))

    assert false_alarms.false_alarm_rate(4, 4, 0.5, exact) == pytest.approx(2 / 70)
    assert false_alarms.false_alarm_rate(4, 4, 0.5, math.nextafter(exact, 0)) == 0


def exact(share: float, *levels: float) -> list[str]:
    """Return the rates in per cent: all outcomes' probabilities where Fisher's test finds a change at each level."""
    both = round(900 * share)
    outcomes = np.arange(401)[hypergeom.pmf(range(401), 900, both, 400) > 1e-14]
    p_values = [fisher_exact([[both - passes, 500 - both + passes], [passes, 400 - passes]])[1] for passes in outcomes]
    found = [outcomes[np.array(p_values) <= level] for level in levels]
    return [f"{100 * hypergeom.pmf(rejected, 900, both, 400).sum():.2g} %" for rejected in found]


def test_the_table_of_false_alarms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each cell's alarms are the p-values at or below either level; a suite alarms where any of its cells does."""
    monkeypatch.setattr(false_alarms, "CELLS", ((3, 0.25), (9, 0.125)))
    pools = {3: np.arange(1000) % 4 == 0, 9: np.arange(1000) % 2 == 0}
    asked: list[tuple[Any, ...]] = []

    def train_pool(batch_size: int, learning_rate: float, seeds: int, folder: Path, train: Any) -> Any:
        assert train is train_here
        asked.append((batch_size, learning_rate, seeds, folder))
        return pools[batch_size]

    beyond = float(np.nextafter(LEVEL, 1))
    p_values = {3: [LEVEL, beyond, 0.05, 0.2, 1e-9], 9: [0.3, LEVEL / 2, float(np.nextafter(0.05, 1)), 0.01, 0.04]}
    drawn = {batch_size: iter(values) for batch_size, values in p_values.items()}
    generators = set[int]()

    def draw(pool: Any, generator: np.random.Generator) -> float:
        if not generators:
            assert generator.bit_generator.state == np.random.default_rng(1).bit_generator.state
        generators.add(id(generator))
        return next(drawn[next(size for size, verdicts in pools.items() if verdicts is pool)])

    monkeypatch.setattr(false_alarms, "train_pool", train_pool)
    monkeypatch.setattr(false_alarms, "draw", draw)
    folder = tmp_path / "a" / "new"
    false_alarms.main(pool=folder, seeds=1000, suites=5)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if "|" in line]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]

    quarter, half = exact(0.25, LEVEL, 0.05), exact(0.5, LEVEL, 0.05)
    first = ["batch size 3, learning rate 0.25", "25.0 (22.4–27.8) %"]
    second = ["batch size 9, learning rate 0.125", "50.0 (46.9–53.1) %"]
    one = "1 of 5: 20.0 (3.6–62.4) %"
    two, four, three = "2 of 5: 40.0 (11.8–76.9) %", "4 of 5: 80.0 (37.6–96.4) %", "3 of 5: 60.0 (23.1–88.2) %"
    assert lines[-1].startswith("| any of the three                  |                    |  0.011 % | 3 of 5: 60.0 (")
    assert folder.is_dir()
    assert asked == [(3, 0.25, 1000, folder), (9, 0.125, 1000, folder)]
    assert len(generators) == 1
    assert rows[0] == ["cell", "pass rate", "level", "false alarms", "exact rate"]
    assert rows[2:] == [
        [*first, "0.0056 %", two, quarter[0]],
        [*second, "0.0056 %", one, half[0]],
        [*first, "5 %", four, quarter[1]],
        [*second, "5 %", three, half[1]],
        ["any of the three", "", "0.011 %", three, ""],
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [(["--seeds", "999"], "for '--seeds': .*1000"), (["--suites", "0"], "for '--suites': .*1")],
)
def test_too_few_seeds_or_suites_are_refused(options: list[str], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool has 1,000 seeds or more, and a suite is drawn from it at least once: exit 2, and nothing is trained."""
    monkeypatch.setattr(false_alarms, "train_pool", lambda *_: pytest.fail("trained"))
    command = typer.Typer()
    command.command()(false_alarms.main)
    answer = CliRunner().invoke(command, options, env={"COLUMNS": "200"})

    assert answer.exit_code == 2
    assert re.search(says, answer.stderr)


def test_the_least_seeds_and_suites_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 seeds and one suite are enough for a table."""
    monkeypatch.setattr(false_alarms, "CELLS", ((3, 0.25),))
    monkeypatch.setattr(false_alarms, "train_pool", lambda *_: np.arange(1000) < 999)
    command = typer.Typer()
    command.command()(false_alarms.main)
    answer = CliRunner().invoke(command, ["--seeds", "1000", "--suites", "1", "--pool", str(tmp_path)])

    assert answer.exit_code == 0, answer.output
    assert "99.9 (99.4–100.0) %" in answer.stdout


def test_the_pools_of_the_command() -> None:
    """Three cells by default, 20,000 seeds and 1,000 suites, kept where benchmarks are."""
    assert false_alarms.CELLS == ((1, 0.001), (9, 0.01), (111, 0.1))
    assert false_alarms.main.__defaults__ == (Path(".benchmarks/false_alarms"), 20_000, 1000, None)


def test_a_study_on_a_cluster_that_is_gone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address reaches the cluster, and the end is one line."""

    @contextmanager
    def trainer(address: str | None, device: str, say: Any) -> Iterator[Any]:
        raise cluster.ClusterError(f"the scheduler at {address} is gone, {device}")
        yield

    monkeypatch.setattr(cluster, "trainer", trainer)
    with pytest.raises(SystemExit) as ended:
        false_alarms.main(pool=tmp_path, seeds=1000, suites=5, cluster="tcp://there:1")

    kept = "what is finished is kept, and the same command goes on from there"
    assert ended.value.code == f"the scheduler at tcp://there:1 is gone, cpu; {kept}"
