"""The study of growth: what it asks the suite to time, the points it makes of records, slopes, tables and panels."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness import options as suite_options
from benchmarks.harness.cases import grid_cases
from benchmarks.harness.options import Selection
from benchmarks.studies.scale import __main__ as scale
from benchmarks.studies.scale import axes as axes_of_scale
from benchmarks.studies.scale import parts_of_members
from benchmarks.studies.scale.axes import Axis, Point, axes
from benchmarks.studies.scale.growth import growth_table, lines_of, slope
from benchmarks.studies.scale.picture import draw
from parabola.display.tables import markdown_lines
from parabola.machine import host
from parabola.records import reading
from parabola.training import memory
from tests.conftest import users_environment
from tests.made_measurements import measurement, record
from tests.suite.test_options_of_suite import parse

SAMPLES, BATCH_SIZE, MEMBERS, EPOCHS, THREADS = range(5)  # the axes, by their places


def axis(place: int) -> Axis:
    return axes()[place]


def test_a_slope_by_hand() -> None:
    """A time that grows fourfold where its size doubles has the slope 2; one that halves -1, and one that stays 0."""
    at = Point("compiled", 30, 6e-6)

    assert slope(at, Point("compiled", 60, 24e-6)) == pytest.approx(2)
    assert slope(at, Point("compiled", 60, 3e-6)) == pytest.approx(-1)
    assert slope(at, Point("compiled", 90, 6e-6)) == 0


def test_the_table_of_an_axis() -> None:
    """Sizes rise from row to row, each line has a column, and the slope is that from the line's own size before."""
    points = [Point("native", 100, 2e-6), Point("compiled", 1000, 4e-5), Point("compiled", 10, 4e-7)]
    points += [Point("native", 10, 1e-6), Point("compiled", 100, 4e-6), Point("native", 10000, 2e-4)]

    assert markdown_lines(growth_table("samples", points)) == [
        "| samples | compiled | native |",
        "| ---: | ---: | ---: |",
        "| 10 | 400 ns | 1 µs |",
        "| 100 | 4 µs (1.00) | 2 µs (0.30) |",
        "| 1,000 | 40 µs (1.00) |  |",
        "| 10,000 |  | 200 µs (1.00) |",
    ]
    assert list(lines_of(points)) == ["compiled", "native"]
    assert [point.size for point in lines_of(points)["native"]] == [10, 100, 10000]


def test_the_points_of_each_axis() -> None:
    """A measurement lies on the line of its engine, at the size that grows; a run takes that of its epochs."""
    measured = measurement(engine="native", batch_size=9, samples=30_000, median=2.0**-19)

    assert axis(SAMPLES).points(measured, ()) == [Point("native, batch 9", 30_000, 2.0**-19)]
    assert axis(BATCH_SIZE).points(measured, ()) == [Point("native", 9, 2.0**-19)]
    assert axis(EPOCHS).points(measured, ("-k", "--epochs=300")) == [Point("native, batch 9", 300, 300 * 2.0**-19)]
    assert axis(THREADS).points(measured, ("--threads=3",)) == [Point("native, batch 9 of 30,000 samples", 3, 2.0**-19)]


def test_the_points_of_members(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block is a point at its members; a run of the limit is a line: what as many of them take one after another."""
    monkeypatch.setattr(axes_of_scale, "MEMBERS", (1, 40))

    assert axis(MEMBERS).points(measurement(members=40, median=3e-5), ()) == [Point("members together", 40, 3e-5)]
    assert axis(MEMBERS).points(measurement(engine="native", median=2e-6), ()) == [
        Point("native, one after another", 1, 2e-6),
        Point("native, one after another", 40, 40 * 2e-6),
    ]


def asked(place: int) -> list[str]:
    """Return the names of the epoch times that the suite makes of an axis' sessions, as its own options are read."""
    names = list[str]()
    for session in axis(place).sessions:
        options = [option for option in session if option.startswith("--")]
        selection = suite_options.read(parse(*options))
        if session[1] == "epoch_time":
            cases, left_out = grid_cases(selection, ["cpu"])
            assert not left_out
            names += [f"{case.id} × {case.experiment.epochs}" if place == EPOCHS else case.id for case in cases]
        else:
            names += [f"members {members}" for members in selection.members]
    return names


def test_what_the_suite_is_asked_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each axis asks for its own sizes and nothing else, and the suite leaves none of them out."""
    monkeypatch.setattr(host, "usable_cores", lambda: 3)
    samples, sizes = (
        ["100", "300", "1000", "3000", "10000", "30000", "100000", "300000", "1000000"],
        ["1", "3", "10", "30", "100", "300", "1000", "3000", "10000"],
    )

    assert set(asked(SAMPLES)) == {
        f"{engine}-cpu-batch_{batch}-learning_rate_0.001-samples_{number}"
        for engine in ("native", "compiled")
        for batch in (1, 100)
        for number in samples
    }
    assert set(asked(BATCH_SIZE)) == {
        f"{engine}-cpu-batch_{size}-learning_rate_0.001-samples_10000"
        for engine in ("native", "compiled")
        for size in sizes
    }
    assert asked(MEMBERS) == [
        "native-cpu-batch_111-learning_rate_0.001",
        *(f"members {members}" for members in (1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000)),
    ]
    assert set(asked(EPOCHS)) == {
        f"{engine}-cpu-batch_{batch}-learning_rate_0.001 × {epochs}"
        for engine in ("native", "compiled")
        for batch in (1, 999)
        for epochs in (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
    }
    assert [session[-1] for session in axis(THREADS).sessions] == [f"--threads={n}" for n in (1, 1, 2, 2, 3, 3)]
    assert len(set(asked(THREADS))) == 5


def test_a_session_is_the_suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is a call of pytest in the project's folder; its record is there whole or not at all."""
    path, calls = tmp_path / "record.json", list[Any]()

    def run(command: list[str], **options: Any) -> Any:
        calls.append((command, options["cwd"]))
        Path(command[-1].partition("=")[2]).write_text("measured")
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    scale.measure(("-k", "members"), path)

    beside = f"--benchmark-json={tmp_path / 'record.part'}"
    options = ["-m", "pytest", "--benchmark-only", "-q", "-k", "members", beside]
    assert calls == [([sys.executable, *options], Path(__file__).parents[2])]
    assert path.read_text() == "measured"
    assert [file.name for file in tmp_path.iterdir()] == ["record.json"]


def test_a_session_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the suite fails, the study ends with the command and all that it said, and leaves no record."""
    answer = subprocess.CompletedProcess([], 1, stdout="out\n", stderr="err\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)

    with pytest.raises(SystemExit, match=r"-m pytest --benchmark-only -q -k members .* failed:\nout\nerr\n"):
        scale.measure(("-k", "members"), tmp_path / "record.json")
    assert not list(tmp_path.iterdir())


def test_what_is_measured_is_printed_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sessions without a record are measured, those with one are read; then come the tables and the picture."""
    measured = list[str]()

    def measure(session: tuple[str, ...], path: Path) -> None:
        measured.append(path.name)
        path.write_text("{}")

    def read(path: Path) -> Any:
        if path.name == "members_0.json":
            return record(measurement(engine="native", median=2e-6))
        return record(measurement(members=10, median=1e-5), measurement(members=100, median=1e-4))

    monkeypatch.setattr(axes_of_scale, "MEMBERS", (10, 100))
    monkeypatch.setattr(scale, "measure", measure)
    monkeypatch.setattr(reading, "read", read)
    (tmp_path / "members_1.json").touch()
    scale.main(folder=tmp_path, plot=tmp_path / "scale.svg", only=["members"])

    assert measured == ["members_0.json"]
    assert capsys.readouterr().out.splitlines() == [
        *("", "time per epoch of all, batch size 111 over members:", ""),
        "| members | members together | native, one after another |",
        "| ---: | ---: | ---: |",
        "| 10 | 10 µs | 20 µs |",
        "| 100 | 100 µs (1.00) | 200 µs (1.00) |",
    ]
    drawn = (tmp_path / "scale.svg").read_text()
    assert {"How times grow", "members together", "native, one after another"} <= set(
        re.findall(r">([^<>]+)</text>", drawn)
    )


def test_an_axis_that_there_is_not() -> None:
    """Another axis is refused in one line, which names those that there are."""
    with pytest.raises(SystemExit) as ended:
        scale.main(only=["samples", "layers"])

    assert str(ended.value) == (
        "scale: --axis must be one of samples, batch size, members, epochs, threads. Received: layers"
    )


def test_a_picture_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that could not be written is refused in one line, before anything is measured."""
    monkeypatch.setattr(scale, "measure", lambda *_: pytest.fail("something is measured"))
    with pytest.raises(SystemExit, match=r"^scale: --plot: .*scale\.pdf"):
        scale.main(folder=tmp_path, plot=tmp_path / "scale.pdf", only=["samples"])


@pytest.mark.end_to_end
def test_the_suite_times_an_axis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The suite takes the options of a session, and its record has the points: here a run of one epoch, checked."""
    monkeypatch.setattr(axes_of_scale, "EPOCHS", (1,))
    for name in os.environ.keys() - users_environment().keys():  # a suite of its own is run
        monkeypatch.delenv(name)
    scale.main(folder=tmp_path, only=["epochs"])
    lines = capsys.readouterr().out.splitlines()

    assert lines[3] == "| epochs | compiled, batch 1 | compiled, batch 999 | native, batch 1 | native, batch 999 |"
    assert re.fullmatch(r"\| 1 \|( [\d.]+ (ms|µs) \|){4}", lines[5])
    assert {measurement.answer.verdict for measurement in reading.read(tmp_path / "epochs_0.json").measurements} <= {
        "pass",
        "fail",
    }


def test_a_panel_has_its_own_lines() -> None:
    """Each panel names its lines alone: the limit orange, others blue, an engine's second line dashed."""
    first, second = replace(axis(SAMPLES), name="first"), replace(axis(BATCH_SIZE), name="second")
    points = {
        "first": [
            Point(line, size, size * 1e-6)
            for line in ("compiled, batch 1", "native, batch 1", "native, batch 9")
            for size in (10, 100)
        ],
        "second": [Point("native", 10, 1e-6), Point("native", 100, 1e-5)],
        "threads": [Point("native", 1, 1.0)],
    }
    row = draw(points, [first, second, axis(THREADS)]).to_dict()["vconcat"][0]
    encodings = [panel["encoding"] for panel in row["hconcat"]]

    assert [encoding["x"]["title"] for encoding in encodings] == ["first", "second"]
    assert [encoding["color"]["scale"] for encoding in encodings] == [
        {
            "domain": ["compiled, batch 1", "native, batch 1", "native, batch 9"],
            "range": ["#2f6db3", "#e0752d", "#e0752d"],
        },
        {"domain": ["native"], "range": ["#e0752d"]},
    ]
    assert encodings[0]["shape"]["scale"]["range"] == ["circle", "circle", "square"]
    assert encodings[0]["strokeDash"]["scale"]["range"] == [[1, 0], [1, 0], [4, 3]]
    assert row["resolve"] == {"scale": {name: "independent" for name in ("color", "shape", "strokeDash")}}


def test_the_record_of_the_full_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed record has each case of the full grid that is predicted to take less than a minute, verified."""
    monkeypatch.setattr(memory, "too_large", lambda _: "")
    (path,) = (Path(__file__).parents[2] / "benchmarks/full_grid").glob("*.json")
    record = reading.read(path)
    timed = [measurement for measurement in record.measurements if measurement.case.kind == "epoch time"]
    wanted, left_out = grid_cases(Selection(name="full"), ["cpu"])

    assert {measurement.case.parameters for measurement in timed} == {case.id for case in wanted}
    assert record.failed == ()
    assert all("predicted " in reason for reason in left_out)
    assert all(measurement.answer.verdict for measurement in timed)
    assert not record.cut_short


def test_the_sums_are_those_of_gradients() -> None:
    """Of 3,996 samples, three by turns, at weights that are all 1: by hand, for each of 32 members."""
    found = parts_of_members.sums_alone(32)()
    samples = np.linspace(0, 1, 96).reshape(3, 32)
    expected = np.zeros((4, 32))
    for x, y in zip(samples, samples[[1, 2, 0]], strict=True):
        inner = x + 1
        slope = 2 * (inner**2 + 1 - y)
        expected += 1332 * slope * np.array([2 * inner * x, 2 * inner, inner**2, np.ones(32)])

    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_parts_of_blocks_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """A row a block, with the time of a member and epoch in the whole program, and in the sums alone."""
    parts_of_members.main([32, 64])
    heading, _, *rows = capsys.readouterr().out.splitlines()

    assert heading == "| members | whole program | sums alone |"
    assert [row.split(" | ")[0] for row in rows] == ["| 32", "| 64"]
    assert all(re.fullmatch(r"\| \d+ \| [\d.]+ [µn]s \| [\d.]+ [µn]s \|", row) for row in rows)


def test_the_shortest_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run, which compiles, is not timed; a time is that of one member and one of four epochs."""
    now, takes = [0.0], iter([50.0, 3.0, 2.0, 4.0, 3.0, 3.0])
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def run() -> None:
        now[0] += next(takes)

    assert parts_of_members.seconds(run, 10) == 2.0 / 10 / 4
