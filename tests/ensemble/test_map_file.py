"""A map of learning rate × batch size: a cell's counts, its JSON on disk, and the table on the terminal."""

import importlib.metadata
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parabola.ensemble import map_file
from parabola.ensemble import text as map_text
from parabola.ensemble.learning_map import Grid
from parabola.ensemble.map_file import Cell
from parabola.training.experiment import Experiment
from tests.made_ensemble import count_cell

GRID = {"network": "two_neuron", "final_learning_rate": None, "learning_rates": [0.3, 0.0125], "seeds": 11}
FULL = Cell(0.3, 27, 11, 4, 0.15, 0.65, 5, 1, 2, 0.0625, "b020")
BARE = Cell(0.0125, 9, 8, 0, 0.0, 0.32, None, None, 8, None, "00")
TEXT = """{"parabola_map": 1,
"written_by": "parabola VERSION",
"grid": {"network": "two_neuron", "final_learning_rate": null, "learning_rates": [0.3, 0.0125], "seeds": 11},
"cells": [
{"learning_rate": 0.3, "batch_size": 27, "seeds": 11, "passes": 4, "low": 0.15, "high": 0.65, "positive_seeds": 5, \
"positive_passes": 1, "diverged": 2, "median_error": 0.0625, "passed": "b020"},
{"learning_rate": 0.0125, "batch_size": 9, "seeds": 8, "passes": 0, "low": 0.0, "high": 0.32, \
"positive_seeds": null, "positive_passes": null, "diverged": 8, "median_error": null, "passed": "00"}
]}
""".replace("VERSION", importlib.metadata.version("parabola"))
REMEDY = "name another file with --json, or remove this one"


def wilson(passes: int, seeds: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval by its formula."""
    z, share = 1.959963984540054, passes / seeds
    center, reach = share + z**2 / (2 * seeds), z * (share * (1 - share) / seeds + z**2 / (4 * seeds**2)) ** 0.5
    return (center - reach) / (1 + z**2 / seeds), (center + reach) / (1 + z**2 / seeds)


def test_a_cell_by_hand() -> None:
    """Eleven members, of which four pass, five began positive and two diverged, are counted each in its place."""
    passed = np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1], bool)
    positive = np.array([0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0], bool)
    errors = np.array([0.5, 4.0, 0.25, 1.0, 0.75, 8.0, 16.0, 0.125, 2.0])
    cell = count_cell(0.3, 27, passed, positive, errors)
    low, high = wilson(4, 11)

    assert (cell.learning_rate, cell.batch_size, cell.seeds, cell.passes) == (0.3, 27, 11, 4)
    assert (cell.positive_seeds, cell.positive_passes) == (5, 1)
    assert (cell.diverged, cell.median_error) == (2, 1.0)
    assert cell.passed == "b020"  # 1011 0000, 001 and five zeros to fill the byte
    assert [cell.low, cell.high] == pytest.approx([low, high], rel=1e-9)
    assert json.loads(json.dumps(vars(cell))) == vars(cell)


def test_a_cell_without_a_second_kernel_or_an_error() -> None:
    """Where there is no second kernel the split is None, and where all diverged the median error is None."""
    cell = count_cell(0.5, 1, np.zeros(8, bool), None, np.array([]))

    assert (cell.positive_seeds, cell.positive_passes) == (None, None)
    assert (cell.seeds, cell.passes, cell.diverged, cell.median_error, cell.passed) == (8, 0, 8, None, "00")


def test_one_error_is_its_own_median() -> None:
    """A single member that did not diverge gives the median error."""
    cell = count_cell(0.5, 1, np.array([False, False, True]), None, np.array([0.375]))

    assert (cell.diverged, cell.median_error) == (2, 0.375)


def test_a_map_on_disk_by_its_text(tmp_path: Path) -> None:
    """The JSON has the version, the grid and a line for each cell; it replaces the old file and leaves no draft."""
    path = tmp_path / "a map, ü.json"
    path.write_text("old")
    map_file.write(path, GRID, [FULL, BARE])

    assert path.read_text() == TEXT
    assert [file.name for file in tmp_path.iterdir()] == ["a map, ü.json"]
    assert map_file.read(path, GRID) == [FULL, BARE]


def test_no_file_is_an_empty_map(tmp_path: Path) -> None:
    """Where there is no file there are no cells yet, and reading creates none."""
    assert map_file.read(tmp_path / "map.json", GRID) == []
    assert list(tmp_path.iterdir()) == []


def refusal(path: Path, text: str, grid: dict[str, Any]) -> str:
    """Return the message with which a map of such a text is refused."""
    path.write_text(text)
    with pytest.raises(ValueError, match="map") as caught:
        map_file.read(path, grid)
    return str(caught.value)


@pytest.mark.parametrize("version", [0, 2, 1.5, None, "1"])
def test_a_map_of_another_version_is_refused(version: Any, tmp_path: Path) -> None:
    """One version later is refused as one earlier is, and as what is no version."""
    path = tmp_path / "map.json"
    text = TEXT.replace('"parabola_map": 1', f'"parabola_map": {json.dumps(version)}')

    assert refusal(path, text, GRID) == f"{path} is of another grid: version {version}, not 1: {REMEDY}"


@pytest.mark.parametrize(
    ("held", "wanted", "says"),
    [
        ({}, {"backend": "jax"}, "backend None, not jax"),
        ({"backend": "jax"}, {}, "backend jax, not None"),
        ({"seeds": 11}, {"seeds": 12}, "seeds 11, not 12"),
        ({"first_seed": 0}, {"first_seed": 1}, "first_seed 0, not 1"),
        ({"rates": [0.1, 0.2]}, {"rates": [0.2, 0.1]}, "rates [0.1, 0.2], not [0.2, 0.1]"),
        ({"first": 1, "second": 2}, {"first": 3, "second": 4}, "first 1, not 3"),
        ({"low": None}, {"low": 0.0}, "low None, not 0.0"),
    ],
)
def test_a_key_that_only_one_side_has_is_a_difference(
    held: dict[str, Any], wanted: dict[str, Any], says: str, tmp_path: Path
) -> None:
    """The first key whose value differs is named, whether the file, the wanted grid or both have it."""
    path = tmp_path / "map.json"
    map_file.write(path, {**GRID, **held}, [FULL])

    assert map_file.read(path, {**GRID, **held}) == [FULL]
    with pytest.raises(ValueError, match="another grid") as caught:
        map_file.read(path, {**GRID, **wanted})
    assert str(caught.value) == f"{path} is of another grid: {says}: {REMEDY}"


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-3],
        TEXT.replace('"cells"', '"sells"'),
        TEXT.replace('"grid"', '"girds"'),
        TEXT.replace('"parabola_map"', '"hyperbola_map"'),
        TEXT.replace('"diverged": 2', '"converged": 2'),
        TEXT.replace('"diverged": 2, ', ""),
        TEXT.replace('"seeds": 11, "passes"', '"seeds": "11", "passes"'),
        TEXT.replace('"passes": 4', '"passes": null'),
        TEXT.replace('"passes": 4', '"passes": 3'),
        TEXT.replace('"passes": 4', '"passes": -4'),
        TEXT.replace('"passed": "b020"', '"passed": "b0"'),
        TEXT.replace('"passed": "b020"', '"passed": "b0g0"'),
        TEXT.replace('"diverged": 2', '"diverged": 12'),
        TEXT.replace('"positive_seeds": 5', '"positive_seeds": 12'),
        TEXT.replace('"positive_passes": 1', '"positive_passes": 5'),
        TEXT.replace('"low": 0.15', '"low": 0.66'),
        TEXT.replace('"high": 0.65', '"high": 1.5'),
        TEXT.replace('"learning_rate": 0.0125, "batch_size": 9', '"learning_rate": 0.3, "batch_size": 27'),
        TEXT.replace('"grid": {', '"grid": 1, "x": {'),
        "[" * 100_000,
        "\ud800",
    ],
)
def test_a_map_that_is_not_whole_is_refused(text: str, tmp_path: Path) -> None:
    """A text cut short, a key or a field that is missing or unknown, and bytes that are no text are no map."""
    path = tmp_path / "map.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match="not a map") as caught:
        map_file.read(path, GRID)

    assert str(caught.value) == f"{path} is not a map, or not a whole one: {REMEDY}"


def test_a_folder_is_no_map(tmp_path: Path) -> None:
    """What cannot be read is refused in the same words."""
    with pytest.raises(ValueError, match="not a map, or not a whole one"):
        map_file.read(tmp_path, GRID)


def table_cell(learning_rate: float, batch_size: int, passes: int, seeds: int, **others: Any) -> Cell:
    """Return a cell whose interval is no formula's, so that each number is seen."""
    counted = Cell(learning_rate, batch_size, seeds, passes, 0.123456, 0.654321, None, None, 0, None, "")
    return replace(counted, **others)


def printed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cells: list[Cell],
    grid: Grid,
    width: int,
) -> list[str]:
    """Return the lines of a map on a terminal so wide, without the spaces at their ends."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "50")
    map_text.print_map(cells, grid, "a title\nof two lines")
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_the_table_by_its_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows and columns stand in the grid's order, whatever the cells', with rates, intervals and the diverged runs."""
    cells = [
        table_cell(0.0125, 27, 999, 999, low=0.9951, high=1.0),
        table_cell(0.0125, 9, 0, 999, low=0.0, high=0.0049, diverged=999),
        table_cell(0.3, 9, 333, 999, diverged=2),
        table_cell(0.3, 27, 500, 999, low=0.4711, high=0.5289),
    ]
    grid = Grid(Experiment(), (0.3, 0.0125), (27, 9), 999)

    lines = printed(monkeypatch, capsys, cells, grid, 80)
    assert lines == [
        "a title",
        "of two lines",
        "pass rate in %, with its 95 % interval: a row a learning rate, a column a batch size",
        "",
        "",
        "                    27           9",
        " ─────────────────────────────────",
        "    0.3     50 (47–53)  33 (12–65)",
        " 0.0125  100 (100–100)     0 (0–0)",
        "",
        "1001 of 3996 runs diverged; they count as not passed",
    ]


def test_the_table_of_many_seeds_has_a_digit_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From 1,000 seeds on, rates have a decimal; where no run diverged nothing is said of it."""
    grid = Grid(Experiment(), (0.001,), (1,), 1000)
    lines = printed(monkeypatch, capsys, [table_cell(0.001, 1, 333, 1000)], grid, 80)

    assert lines[-2:] == [" 0.001  33.3 (12.3–65.4)", ""]


@pytest.mark.parametrize(("seeds", "rows", "enough"), [(999, 2, 39), (1000, 2, 51), (999, 5, 81)])
def test_a_narrow_terminal_has_the_intervals_alone(
    seeds: int, rows: int, enough: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One column too few, and the table drops the rates and says so; with just enough, the widest cells fit whole."""
    sizes = tuple(100 + number for number in range(rows))
    grid = Grid(Experiment(), (0.0001234,), sizes, seeds)
    cells = [table_cell(0.0001234, size, seeds, seeds, low=0.9812, high=1.0) for size in sizes]
    full = "100 (98–100)" if seeds == 999 else "100.0 (98.1–100.0)"
    wide = printed(monkeypatch, capsys, cells, grid, enough)
    narrow = printed(monkeypatch, capsys, cells, grid, enough - 1)

    assert wide[2] == "pass rate in %, with its 95 % interval: a row a learning rate, a column a batch size"
    assert wide[-2] == " 0.0001234" + rows * f"  {full}"
    assert narrow[2] == "95 % interval of the pass rate, in %: a row a learning rate, a column a batch size"
    assert narrow[-2] == " 0.0001234" + rows * f"  {full.split(' (')[1][:-1]}"


def test_the_colours_go_from_grey_to_yellow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cell has one of six colours by its pass rate: grey for none, yellow for all, the nearest fifth between."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    passes = {1: 0, 2: 9, 3: 11, 4: 29, 5: 31, 6: 69, 7: 71, 8: 89, 9: 91, 10: 100}
    grid = Grid(Experiment(), (0.1,), tuple(passes), 100)
    cells = [table_cell(0.1, size, count, 100) for size, count in passes.items()]
    text = "\n".join(printed(monkeypatch, capsys, cells, grid, 200))

    assert (
        text.splitlines()[2] == "pass rate in %, with its 95 % interval: a row a learning rate, a column a batch size"
    )
    shown = re.findall(r"\x1b\[38;5;(\d+)m *(\d+) \(12–65\)", text)
    assert [int(rate) for _, rate in shown] == [*passes.values()]
    assert [int(colour) for colour, _ in shown] == [243, 243, 31, 31, 37, 78, 148, 148, 220, 220]
