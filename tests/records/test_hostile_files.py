"""Records and maps that are damaged in any way are named and refused, and nothing else happens."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from parabola.commands.app import app
from parabola.ensemble import map_file
from parabola.records import reading
from parabola.records.record import Record
from parabola.records.schema import Unreadable
from tests import made_records

RECORD = made_records.record(made_records.suite()[:2])
GRID = {"network": "two_neuron", "seeds": 3}
MAP = {
    "parabola_map": 1,
    "grid": GRID,
    "cells": [
        {
            **{"learning_rate": 0.1, "batch_size": 9, "seeds": 3, "passes": 2, "low": 0.2, "high": 0.9},
            **{"positive_seeds": 2, "positive_passes": 1, "diverged": 0, "median_error": 0.5, "passed": "c0"},
        }
    ],
}
VALUES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just(10**400), st.just([]), st.just({})),
    st.sampled_from(["NaN", "-1", "\x1b[2J", "</script>", "../../x", "9" * 400]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything within a value of JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a value with one part in it replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> bytes:
    """Give the text of a file in which parts are replaced, and bytes are changed, left out or cut off."""
    for _ in range(draw(st.integers(0, 3))):
        whole = changed(whole, draw(st.sampled_from(places(whole))), draw(VALUES))
    text = bytearray(json.dumps(whole).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
    return bytes(text[: draw(st.integers(1, len(text)))]) if draw(st.booleans()) and text else bytes(text)


# In full: FUZZED_FILES=50000 FUZZED_COMMANDS=150 pytest tests/records/test_hostile_files.py
SLOW = HealthCheck.too_slow  # as on a busy machine
FEW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, SLOW])
FUZZED = settings(FEW, max_examples=int(os.environ.get("FUZZED_FILES", 100)))
COMMANDS = settings(FEW, max_examples=int(os.environ.get("FUZZED_COMMANDS", 5)))


@FUZZED
@given(text=damaged(RECORD))
def test_a_damaged_record_is_read_or_refused(text: bytes, tmp_path: Path) -> None:
    """It is a record, or it is unreadable for a reason of one line; no other error comes out."""
    path = tmp_path / "record.json"
    path.write_bytes(text)
    (found,) = reading.read_all([("", path)])

    assert isinstance(found, Record) or str(found).startswith(f"{path}: ")
    assert path.read_bytes() == text


@FUZZED
@given(text=damaged(MAP))
def test_a_damaged_map_is_read_or_refused(text: bytes, tmp_path: Path) -> None:
    """It gives cells whose counts can be, or one line that names the file; the file stays as it is."""
    path = tmp_path / "map.json"
    path.write_bytes(text)
    said, cells = "", list[map_file.Cell]()
    try:
        cells = map_file.read(path, GRID)
    except ValueError as error:
        said = str(error)

    assert said.startswith(f"{path} is ") or not said
    assert all(0 <= cell.passes <= cell.seeds for cell in cells)
    assert path.read_bytes() == text


@COMMANDS
@given(text=damaged(RECORD))
def test_a_damaged_record_is_reported_or_skipped(text: bytes, tmp_path: Path) -> None:
    """By the whole command: a report, with the file or without it, or one line; and both files are as the report."""
    (tmp_path / "damaged.json").write_bytes(text)
    (tmp_path / "whole.json").write_text(json.dumps(RECORD))
    outputs = [f"--html={tmp_path}/a.html", f"--markdown={tmp_path}/a.md"]
    for files, codes in (([tmp_path / "damaged.json"], (0, 6)), ([*tmp_path.glob("*.json")], (0, 2))):
        answer = CliRunner().invoke(app, ["report", *map(str, files), *outputs])
        lines = answer.stderr.splitlines()

        assert answer.exit_code in codes, answer.output
        assert len(lines) <= len(files) + 1
        assert all(line.startswith(("skipped ", "python -m parabola: ")) for line in lines)
        assert "Traceback" not in answer.output
    assert (tmp_path / "damaged.json").read_bytes() == text


@COMMANDS
@given(text=damaged(MAP))
def test_a_damaged_map_is_refused(text: bytes, tmp_path: Path) -> None:
    """By the whole command: as no map, or as that of another grid, in one line."""
    path = tmp_path / "map.json"
    path.write_bytes(text)
    answer = CliRunner().invoke(app, ["map", "--json", str(path)])

    assert answer.exit_code == 2
    assert answer.stderr.startswith(f"python -m parabola: {path} is ")
    assert answer.stderr.count("\n") == 1
    assert path.read_bytes() == text


def test_a_key_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Where it stands for a key that a record needs, the search for what is missing does not stumble over it."""
    path = tmp_path / "record.json"
    path.write_bytes(b'{"\x80machine_info": 1, "benchmarks": []}')
    with pytest.raises(Unreadable, match="not JSON"):
        reading.read(path)


@pytest.mark.parametrize("number", ["9" * 400, "1e400", "-1e400"])
def test_a_record_with_a_number_that_is_too_long_is_refused(number: str, tmp_path: Path) -> None:
    """It is named and skipped, whichever number it is."""
    text = json.dumps(RECORD)
    median = json.dumps(RECORD["benchmarks"][0]["stats"]["median"])
    path = tmp_path / "record.json"
    path.write_text(text.replace(median, number, 1))

    with pytest.raises(Unreadable):
        reading.read(path)
