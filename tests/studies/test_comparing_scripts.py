"""The scripts that hold engines against peers and backends against each other: commands, clocks and printed tables."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.member import Member
from benchmarks.studies import compare_backends, compare_peers
from parabola.ensemble import members
from parabola.records import reading
from parabola.training import engines
from parabola.training.experiment import Experiment
from parabola.training.target import Array
from parabola.verification import check
from tests.made_measurements import measurement
from tests.made_tables import alignment

ROOT = Path(__file__).parents[2]


def record_of(**seconds: tuple[float, float, float]) -> Any:
    """Return a record that has times of engines at the batch sizes 1, 27 and 999."""
    measurements = [
        measurement(engine=engine, batch_size=batch_size, median=median)
        for engine, medians in seconds.items()
        for batch_size, median in zip((1, 27, 999), medians, strict=True)
    ]
    return SimpleNamespace(measurements=measurements)


def test_the_table_of_two_backends() -> None:
    """Each time is followed by its ratio to the `native` of the same session; of `native` the table has the range."""
    found = {
        "torch": record_of(fit=(1.0, 0.05, 0.00995), native=(2e-5, 5e-6, 1e-4)),
        "jax": record_of(
            native=(4e-5, 4e-6, 1e-4),
            compiled=(6e-5, 5e-6, 0.0103),
            fit=(1.5, 4e-4, 0.0099951),
        ),
    }
    table = compare_backends.lay_out(found)

    assert table.title == ""
    assert table.headings == ("backend", "engine", "batch 1", "batch 27", "batch 999")
    assert alignment(table) == ["left", "left", "right", "right", "right"]
    assert table.rows == (
        ("torch", "fit", "1 s (50,000×)", "50 ms (10,000×)", "9.95 ms (99.5×)"),
        ("jax", "fit", "1.5 s (37,500×)", "400 µs (100×)", "10 ms (100×)"),
        ("jax", "compiled", "60 µs (1.5×)", "5 µs (1.25×)", "10.3 ms (103×)"),
        ("none", "native", "20 µs – 40 µs", "4 µs – 5 µs", "100 µs – 100 µs"),
    )


def test_the_table_of_one_backend() -> None:
    """Of one session `native` has one time, not a range."""
    table = compare_backends.lay_out({"jax": record_of(compiled=(6e-5, 5e-6, 1e-4), native=(2e-5, 5e-6, 1e-4))})

    assert table.rows[-1] == ("none", "native", "20 µs", "5 µs", "100 µs")


def test_a_backends_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend is measured by the speed suite's epoch times, on the CPU, at three batch sizes, and its record read."""
    path, asked = tmp_path / "record.json", list[Any]()

    def run(command: list[str], **options: Any) -> Any:
        asked.append((command, options))
        path.write_text("{}")
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(reading, "read", lambda where: ("read", where))

    assert compare_backends.measure("jax", path) == ("read", path)  # type: ignore[comparison-overlap]
    arguments = "-m pytest --benchmark-only -q -k epoch_time --learning-rate=0.001 --batch-size=1 --batch-size=27"
    arguments += f" --batch-size=999 --backend=jax --benchmark-json={path} --device=cpu"
    assert asked == [
        (
            [sys.executable, *arguments.split()],
            {"cwd": ROOT, "capture_output": True, "text": True, "check": False},
        )
    ]


def test_a_backend_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the suite fails, the script ends with its command and all that it said."""
    answer = subprocess.CompletedProcess([], 1, stdout="out\n", stderr="err\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(SystemExit) as ended:
        compare_backends.measure("jax", tmp_path / "record.json")

    assert str(ended.value).startswith(f"backend jax: {sys.executable} -m pytest --benchmark-only -q")
    assert str(ended.value).endswith("--device=cpu failed:\nout\nerr\n")


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """Have backends measured at once; return which were, and where their records were to go."""
    asked = list[tuple[str, Path]]()

    def measure(backend: str, path: Path) -> Any:
        asked.append((backend, path))
        assert path.parent.is_dir()
        return record_of(fit=(1.0, 0.05, 0.01), native=(2e-5, 5e-6, 1e-4))

    there = {"tensorflow", "torch"}
    monkeypatch.setattr(compare_backends, "measure", measure)
    monkeypatch.setattr(compare_backends, "find_spec", lambda name: ModuleSpec(name, None) if name in there else None)
    return asked


def test_all_backends_that_are_there_are_measured(
    measured: list[tuple[str, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without options every installed backend is measured; the table is Markdown; those not measured are named."""
    compare_backends.main()

    assert [(name, path.name) for name, path in measured] == [
        ("tensorflow", "tensorflow.json"),
        ("torch", "torch.json"),
    ]
    assert not measured[0][1].parent.exists()
    assert capsys.readouterr().out.splitlines() == [
        "| backend | engine | batch 1 | batch 27 | batch 999 |",
        "| --- | --- | ---: | ---: | ---: |",
        "| tensorflow | fit | 1 s (50,000×) | 50 ms (10,000×) | 10 ms (100×) |",
        "| torch | fit | 1 s (50,000×) | 50 ms (10,000×) | 10 ms (100×) |",
        "| none | native | 20 µs – 20 µs | 5 µs – 5 µs | 100 µs – 100 µs |",
        "",
        "Not measured: jax.",
    ]


def test_a_record_that_is_there_is_not_measured_again(
    measured: list[tuple[str, Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a folder, made if need be, a backend that has a record is read; only those asked for are in the table."""
    monkeypatch.setattr(reading, "read", lambda _: record_of(fit=(2.0, 0.05, 0.01), native=(1e-5, 5e-6, 1e-4)))
    folder = tmp_path / "new/folder"
    compare_backends.main(backend=["jax", "torch", "tensorflow"], folder=folder)
    assert [path for _, path in measured] == [folder / f"{name}.json" for name in ("jax", "torch", "tensorflow")]
    assert "Not measured" not in capsys.readouterr().out
    measured.clear()
    (folder / "torch.json").write_text("{}")
    compare_backends.main(backend=["torch"], folder=folder)

    assert measured == []
    said = capsys.readouterr().out
    assert "| torch | fit | 2 s (200,000×) | 50 ms (10,000×) | 10 ms (100×) |\n" in said
    assert said.endswith("| none | native | 10 µs | 5 µs | 100 µs |\n\nNot measured: tensorflow, jax.\n")


def test_the_peers_commands() -> None:
    """At batch size 111 every program is there, with the epochs that suit it; ours time themselves."""
    peers = ROOT / "benchmarks/studies/peers"
    ours = (sys.executable, "-m", "benchmarks.studies.compare_peers", "--time")
    keras = (sys.executable, str(peers / "keras_fit.py"), "250", "0.001", "111")
    jax = ("env", "XLA_FLAGS=--some", "python-with-jax", str(peers / "jax_scan.py"), "999", "0.001", "111")

    found = compare_peers.commands(Path("/tmp"), "python-with-jax", "--some", True, 111)
    assert list(found.items()) == [
        ("limit.c", ("/tmp/limit", "999", "0.001", "111")),
        ("jax_scan.py", jax),
        ("jax_scan.py keras", (*jax, "keras")),
        ("native", (*ours, "native,999,111")),
        ("compiled", (*ours, "compiled,999,111")),
        ("limit_members.c", ("/tmp/limit_members", "60")),
        ("512 members, each", (*ours, "members,60,111")),
        ("keras_fit.py", keras),
        ("keras_fit.py fused", (*keras, "fused")),
        ("fit", (*ours, "fit,250,111")),
        ("fused_fit", (*ours, "fused_fit,250,111")),
    ]


@pytest.mark.parametrize(
    ("keras", "batch_size", "epochs"),
    [(True, 1, 4), (True, 999, 250), (True, 9, None), (True, 27, None), (False, 1, None), (False, 111, None)],
)
def test_keras_programs_run_at_some_batch_sizes(keras: bool, batch_size: int, epochs: int | None) -> None:
    """Keras' programs run at the batch sizes 1, 111 and 999 unless they are left out; JAX's only where it is given."""
    found = compare_peers.commands(Path(), None, "", keras, batch_size)
    slow = ["keras_fit.py", "keras_fit.py fused", "fit", "fused_fit"] if epochs else []

    assert list(found) == ["limit.c", "native", "compiled", "limit_members.c", "512 members, each", *slow]
    if epochs:
        assert found["keras_fit.py"][2:] == (str(epochs), "0.001", str(batch_size))
        assert found["fit"][-1] == f"fit,{epochs},{batch_size}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Put a clock in the place of the machine's that goes on only where it is told to."""
    made = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(time, "perf_counter", lambda: made.now)
    return made


class Timed:
    """An engine whose runs take the seconds that are given, and whose resets take an hour."""

    def __init__(self, experiment: Experiment, clock: SimpleNamespace, seconds: Iterator[float]) -> None:
        self.experiment, self.clock, self.seconds = experiment, clock, seconds
        self.begun, self.resets = list[int](), 0
        self.feed = SimpleNamespace(begin_epoch=self.begun.append)

    def reset(self) -> Array:
        self.clock.now += 3600
        self.resets += 1
        return np.arange(self.experiment.epochs)

    def run(self, rows: Array) -> Array:
        if self.experiment.engine.endswith("fit"):
            self.clock.now += 50  # what a call of `fit` costs by itself
            for epoch in rows:
                self.feed.begin_epoch(epoch)
                self.clock.now += next(self.seconds)
            self.clock.now += 70
        else:
            self.clock.now += next(self.seconds)
        return np.full((len(rows), 4), float(self.resets))

    def state(self) -> str:
        return f"state after {self.resets} resets"


@pytest.mark.parametrize(
    ("engine", "seconds", "epochs", "per_epoch", "resets"),
    [
        # The first of six runs is left out; the median of the other five is 4 s, for 8 epochs.
        ("native", [90.0, 2.0, 80.0, 1.0, 4.0, 9.0], 8, 0.5, 6),
        # Of five epochs, four are timed from begin to begin, and the last is left out.
        ("fused_fit", [1.0, 3.0, 8.0, 6.0, 100.0], 4, 4.5, 1),
    ],
)
def test_an_engine_times_itself_as_its_peer_does(
    engine: str,
    seconds: list[float],
    epochs: int,
    per_epoch: float,
    resets: int,
    clock: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time is a median of runs or, of Keras' own loop, of epochs; the last is held against one that is checked."""
    built, checked = list[Timed](), list[tuple[Timed, Array, str]]()

    def build(experiment: Experiment) -> Timed:
        built.append(Timed(experiment, clock, iter(seconds)))
        return built[-1]

    monkeypatch.setattr(engines, "build", build)

    def check_run(engine: Timed) -> SimpleNamespace:
        engine.reset()
        return SimpleNamespace(hold=lambda weights, end: checked.append((engine, weights, end)))

    monkeypatch.setattr(check, "check_run", check_run)

    assert compare_peers.time_engine(engine, epochs, 27) == {"seconds_per_epoch": pytest.approx(per_epoch)}
    in_all = epochs + (engine == "fused_fit")
    ((checked_engine, weights, end),) = checked
    assert built == [checked_engine]
    assert built[0].experiment == Experiment(engine=engine, epochs=in_all, batch_size=27)
    assert end == f"state after {resets} resets"
    np.testing.assert_array_equal(weights, np.full((in_all, 4), float(resets)))
    assert built[0].begun == (list(range(5)) if engine == "fused_fit" else [])


class Block:
    """A block of members whose runs take the seconds that are given, and whose resets and copies take hours."""

    def __init__(self, experiment: Experiment, clock: SimpleNamespace, seconds: Iterator[float]) -> None:
        self.experiment, self.device, self.clock, self.seconds, self.resets = experiment, "cpu:0", clock, seconds, 0

    def reset(self, seeds: Array, learning_rates: Array) -> Array:
        self.clock.now += 3600
        self.resets += 1
        return np.zeros((self.experiment.epochs, len(seeds)), np.int32)

    def place(self, rows: Array) -> Array:
        self.clock.now += 3600
        return rows

    def run(self, rows: Array) -> Array:
        self.clock.now += next(self.seconds)
        return np.full((len(rows), 4, rows.shape[1]), float(self.resets))

    def state(self, member: int) -> str:
        return f"state of member {member} after {self.resets} resets"


def test_members_time_themselves(clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is the median of five runs by epochs and members; the last run's first member is held."""
    checked = list[tuple[Array, str]]()
    seconds = iter([90.0, 2.0, 80.0, 1.0, 4.0, 9.0])  # the first is left out: the median is 4 s, for 8 epochs
    monkeypatch.setattr(members, "members_program", lambda experiment, number: Block(experiment, clock, seconds))

    def check_run(member: Member, subject: str) -> SimpleNamespace:
        member.reset()
        return SimpleNamespace(hold=lambda weights, end: checked.append((weights, end)))

    monkeypatch.setattr(check, "check_run", check_run)

    assert compare_peers.time_members(8, 27) == {"seconds_per_epoch": pytest.approx(4 / 8 / 512)}
    ((weights, end),) = checked
    np.testing.assert_array_equal(weights, np.full((8, 4), 6.0))
    assert end == "state of member 0 after 6 resets"


def test_what_a_peer_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program's time is in its last line, and a program that fails ends the script."""
    answer = 'warming up\n{"seconds_per_epoch": 7}\n{"seconds_per_epoch": 2.5e-05, "epochs": 9}\n'
    asked = list[Any]()

    def run(command: Any, **options: Any) -> Any:
        asked.append((command, options))
        return subprocess.CompletedProcess(command, 0, stdout=answer)

    monkeypatch.setattr(subprocess, "run", run)

    assert compare_peers.seconds_per_epoch(("limit", "9")) == 2.5e-05
    options = {"check": True, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    assert asked == [(("limit", "9"), options)]


def printed(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the cells of each line that was printed and is not blank."""
    lines = capsys.readouterr().out.splitlines()
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.strip()]


def test_the_tables_of_peers(capsys: pytest.CaptureFixture[str]) -> None:
    """Medians are in microseconds to three digits; ratios are taken turn by turn, with the smallest and the largest."""
    compare_peers.show(
        {
            "limit.c": {1: [2e-5, 1e-5, 4e-5], 9: [5e-6, 5e-6, 5e-6]},
            "native": {1: [1e-5, 2e-5, 4.4e-5], 9: [5.012e-6, 5e-6, 4.9e-6]},
            "compiled": {1: [3e-5, 3.3e-5, 2.4e-5], 9: [1e-5, 2e-5]},
            "keras_fit.py": {1: [0.004, 0.0030035, 0.0033]},
            "keras_fit.py fused": {1: [0.0012345, 0.0009996, 0.002]},
            "fit": {1: [0.002, 0.003, 0.0022]},
        },
        [1, 9],
    )
    lines = printed(capsys)

    assert lines == [
        ["µs per epoch, median of turns", "batch 1", "batch 9"],
        lines[1],
        ["limit.c", "20", "5"],
        ["native", "20", "5"],
        ["compiled", "30", "15"],
        ["keras_fit.py", "3,300", ""],
        ["keras_fit.py fused", "1,230", ""],
        ["fit", "2,200", ""],
        ["ratio, median (smallest–largest) of turns", "batch 1", "batch 9"],
        lines[9],
        ["native : limit.c", "1.10 (0.50–2.00)", "1.00 (0.98–1.00)"],
        ["compiled : limit.c", "1.50 (0.60–3.30)", "3.00 (2.00–4.00)"],
        ["fit : keras_fit.py", "0.67 (0.50–1.00)", ""],
        ["keras_fit.py : compiled", "133 (91–138)", ""],
    ]
    assert all(set(cell) <= {"-", ":"} for line in (lines[1], lines[9]) for cell in line)


@pytest.mark.parametrize(
    ("seconds", "microseconds"), [(9.994e-4, "999"), (9.996e-4, "1,000"), (1.0049e-3, "1,000"), (1.236e-6, "1.24")]
)
def test_microseconds_have_three_digits(seconds: float, microseconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A time is rounded to three digits first, and from a thousand microseconds on it is written in full."""
    compare_peers.show({"native": {999: [seconds]}}, (999,))

    assert printed(capsys)[2] == ["native", microseconds]


@pytest.mark.parametrize(("ratio", "text"), [(100.0, "100.00 (100.00–100.00)"), (101.0, "101 (101–101)")])
def test_large_ratios_are_whole(ratio: float, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A ratio of more than a hundred is written without decimals."""
    compare_peers.show({"compiled": {1: [ratio]}, "jax_scan.py": {1: [1.0]}}, (1,))

    assert printed(capsys)[-1] == ["compiled : jax_scan.py", text]


def test_the_fused_fit_is_held_against_its_peer(capsys: pytest.CaptureFixture[str]) -> None:
    """`fused_fit` is divided by Keras' program with the best of its knobs."""
    compare_peers.show({"fused_fit": {1: [3.0]}, "keras_fit.py fused": {1: [2.0]}, "keras_fit.py": {1: [9.0]}}, (1,))

    assert printed(capsys)[-1] == ["fused_fit : keras_fit.py fused", "1.50 (1.50–1.50)"]


def test_an_engine_is_timed_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With --time the script times one engine in its own process and prints that alone, as its peers do."""
    monkeypatch.setattr(compare_peers, "time_engine", lambda *given: {"given": given})
    monkeypatch.setattr(compare_peers, "time_members", lambda *given: {"members": given})
    compare_peers.main(timed="fused_fit,250,111")
    compare_peers.main(timed="members,60,9")

    given, of_members = map(json.loads, capsys.readouterr().out.splitlines())
    assert given == {"given": ["fused_fit", 250, 111]}
    assert of_members == {"members": [60, 9]}


@pytest.mark.parametrize(
    ("options", "compiler", "says"),
    [
        ({}, False, "compare_peers: no C compiler `cc` here; install one, the limit is a C program"),
        ({"batch_size": [9, 1000]}, True, "compare_peers: --batch-size must be from 1 to 999. Received: [9, 1000]"),
        ({"batch_size": [0]}, True, "compare_peers: --batch-size must be from 1 to 999. Received: [0]"),
        ({"batch_size": [-1, 9]}, True, "compare_peers: --batch-size must be from 1 to 999. Received: [-1, 9]"),
        ({"jax_python": "nowhere"}, True, "compare_peers: --jax-python must be a program. Received: nowhere"),
    ],
)
def test_what_the_peers_need(
    options: dict[str, Any], compiler: bool, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a compiler, with a batch size that no epoch holds, or without the program named nothing is run."""
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/cc" if compiler and name == "cc" else None)
    with pytest.raises(SystemExit) as ended:
        compare_peers.main(**options)

    assert str(ended.value) == says


@pytest.mark.parametrize(
    ("options", "sizes", "turns"),
    [
        ({}, [1, 9, 27, 111, 500, 999], 5),
        ({"turns": 2, "batch_size": [3, 1], "keras": False, "jax_python": "python", "jax_flags": "--x"}, [3, 1], 2),
    ],
)
def test_all_contestants_run_in_turn(
    options: dict[str, Any], sizes: list[int], turns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits are compiled first; then, for each batch size, every program runs once in each turn, in one order."""
    asked, ran, shown = list[Any](), list[Any](), list[Any]()
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", lambda command, **options: asked.append((command, options)))

    def seconds_per_epoch(command: Any) -> float:
        ran.append(command)
        return float(len(ran))

    monkeypatch.setattr(compare_peers, "seconds_per_epoch", seconds_per_epoch)
    monkeypatch.setattr(compare_peers, "show", lambda *given: shown.append(given))
    compare_peers.main(**options)

    folder = asked[0][0][-2].parent
    for name, (command, checked) in zip(("limit", "limit_members"), asked, strict=True):
        source = ROOT / f"benchmarks/studies/peers/{name}.c"
        assert command == ["/bin/cc", "-O3", "-march=native", "-ffast-math", source, "-o", folder / name, "-lm"]
        assert checked == {"check": True}
    assert not folder.exists()
    python, flags, keras = options.get("jax_python"), options.get("jax_flags", ""), options.get("keras", True)
    named = {size: compare_peers.commands(folder, python, flags, keras, size) for size in sizes}
    assert ran == [command for size in sizes for _ in range(turns) for command in named[size].values()]
    ((seconds, shown_sizes),) = shown
    assert list(shown_sizes) == sizes
    of_first = len(named[sizes[0]])
    assert seconds["limit.c"][sizes[0]] == [1.0 + of_first * turn for turn in range(turns)]
    assert seconds["compiled"].keys() == set(sizes)
