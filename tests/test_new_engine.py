"""A new engine is one file and its entry in the registry: a toy is trained, timed and reported without another line."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import bench_epoch_time
from benchmarks.harness import options, summary
from benchmarks.harness.cases import TimedCase, grid_cases
from benchmarks.harness.options import Selection
from parabola import registry
from parabola.commands.app import app
from parabola.records import reading
from parabola.report import sections as report_sections
from parabola.report import text as report_text
from parabola.training.engines import missing
from parabola.training.experiment import Experiment
from parabola.training.train import train
from tests import made_records, toys
from tests.screens import printed
from tests.suite.test_benches import NO_CONFIG


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the toy."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setitem(registry.ENGINES, "toy", toys.ENGINE)


class Clock:
    """In the place of pytest-benchmark's fixture: calls what it is given once, and keeps what it is told."""

    def __init__(self) -> None:
        self.stats: Any = None
        self.extra_info = dict[str, Any]()

    def pedantic(self, target: Any, *, args: Any, setup: Any, **_: Any) -> Any:
        """Set up, and call it."""
        setup()
        return target(*args)


def test_it_trains_as_native_does() -> None:
    """Both have Adam's weights after every epoch, with a partial last batch."""
    found, expected = (train(Experiment(engine=engine, batch_size=100, epochs=3)) for engine in ("toy", "native"))

    assert np.abs(found.weights[-1] - found.experiment.initial_weights(7)).min() > 1e-3
    np.testing.assert_allclose(found.weights, expected.weights, rtol=0, atol=1e-5)


def test_the_command_line_knows_it() -> None:
    """`train` runs it, without a backend, and names it where another is misspelt."""
    options = ["--batch-size", "333", "--epochs", "2", "--json"]
    answer = CliRunner().invoke(app, ["train", "--engine", "toy", *options])
    threads = CliRunner().invoke(app, ["train", "--engine", "toy", "--threads", "2", *options])
    wrong = CliRunner().invoke(app, ["train", "--engine", "toi", *options])

    assert json.loads(answer.stdout)["engine"] == "toy"
    assert threads.stderr.endswith("engine toy has one thread; --threads is the backend's. Received: 2\n")
    assert wrong.stderr.endswith("unknown engine 'toi'; known: fit, fused_fit, compiled, native, distributed, toy\n")
    assert missing("other").endswith("which has fit, fused_fit, compiled, native, distributed, toy, members")


def test_the_suite_has_its_cases() -> None:
    """By its own batch sizes, epochs and devices; 0.05 s are 56 epochs of nine steps, or 167 of three."""
    cases, _ = grid_cases(Selection(), ["cpu", "gpu:0"])

    assert [(case.id, case.experiment.epochs) for case in cases if case.experiment.engine == "toy"] == [
        ("toy-cpu-batch_111-learning_rate_0.001", 56),
        ("toy-cpu-batch_333-learning_rate_0.001", 167),
    ]
    assert [case.id for case in grid_cases(Selection(engines=("toy",), batch_sizes=(9,)), ["cpu"])[0]] == [
        "toy-cpu-batch_9-learning_rate_0.001"
    ]


def test_the_suites_options_know_it() -> None:
    """It can be asked for by its name."""
    choices = list[Any]()

    def add(name: str, **form: Any) -> None:
        if name == "--engine":
            choices.extend(form["choices"])

    groups: Any = SimpleNamespace(getgroup=lambda *_: SimpleNamespace(addoption=add))
    options.declare(groups)

    assert choices == ["fit", "fused_fit", "compiled", "native", "toy"]


def test_it_stands_in_the_suites_table_and_in_a_report(tmp_path: Path) -> None:
    """Its run is held against the reference, and its times against the limit; a report of the record has them, too."""
    measured = list[tuple[dict[str, Any], float]]()
    for engine, seconds in (("toy", 3e-4), ("native", 2e-6)):
        clock = Clock()
        bench_epoch_time.bench_epoch_time(
            clock, TimedCase(Experiment(engine=engine, batch_size=333, epochs=3), 1), True, NO_CONFIG
        )
        measured.append((clock.extra_info, seconds))
    table = printed(summary.print_suite, measured, [])
    benchmarks = [
        made_records.benchmark("epoch time", f"{info['engine']}-cpu-batch_333-learning_rate_0.001", seconds, **info)
        for info, seconds in measured
    ]
    (path,) = made_records.write(tmp_path, made_records.record(benchmarks))
    report = printed(report_text.print_report, report_sections.sections([reading.read(path)]))

    for shown in (table, report):
        (headings,) = [line.split() for line in shown.splitlines() if "native cpu" in line and "batch size" in line]
        (row,) = [line.split() for line in shown.splitlines() if line.split()[:1] == ["333"]]
        assert headings == ["batch", "size", "learning", "rate", "toy", "cpu", "native", "cpu"]
        assert row == ["333", "0.001", "300", "µs", "(150×)†", "2", "µs†"]
