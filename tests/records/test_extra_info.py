"""What a benchmark says of its case: what is written, and that records on disk have nothing else."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parabola.records.extra_info import Answer, ExtraInfo

RECORDS = sorted((Path(__file__).parents[2] / "benchmarks/records").rglob("*.json"))


def test_what_is_known_is_written_under_its_name() -> None:
    """A field without a value has no key; what is 0, empty or not so is known."""
    info = ExtraInfo(engine="fit", device="cpu", passed=False, seed=0, verdict="", epochs_low=float("-inf"))

    assert info.known() == {
        **{"engine": "fit", "device": "cpu", "verdict": "", "seed": 0, "passed": False},
        "epochs_low": float("-inf"),
    }
    assert Answer.__struct_fields__ == ExtraInfo.__struct_fields__[: len(Answer.__struct_fields__)]


def test_a_check_is_written_under_its_names() -> None:
    """Seconds, epochs that were held, those that tell something, though none does, and the note where there is one."""
    check: dict[str, Any] = {"check_seconds": 0.5, "checked_epochs": 51, "telling_epochs": 0}
    case: dict[str, Any] = {"engine": "fit", "device": "cpu"}

    assert ExtraInfo(**case, **check).known() == {**case, **check}
    assert ExtraInfo(**case, **check, check_note="chaotic").known() == {**case, **check, "check_note": "chaotic"}


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_committed_records_have_these_fields_and_no_others(path: Path) -> None:
    """Every key of every case is a field with a value of its type, and would be written as it is."""
    benchmarks = json.loads(path.read_text())["benchmarks"]
    said: list[dict[str, Any]] = [benchmark["extra_info"] for benchmark in benchmarks]

    assert [msgspec.convert(info, ExtraInfo).known() for info in said] == said
    assert len(said) > 10


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, ""),
        ({"seeds": 40, "settled_seeds": 40}, ""),
        ({"seeds": 40, "settled_seeds": 41}, "41 of 40 seeds in b.py::x"),
        ({"seeds": 40}, "None of 40 seeds in b.py::x"),
        ({"seeds": 40, "settled_seeds": 15, "arrived_seeds": 40}, ""),
        ({"seeds": 40, "settled_seeds": 0, "arrived_seeds": 0}, ""),
        ({"seeds": 40, "settled_seeds": 15, "arrived_seeds": 41}, "41 of 40 seeds in b.py::x"),
        ({"seeds": 40, "settled_seeds": 15, "arrived_seeds": -1}, "-1 of 40 seeds in b.py::x"),
        ({"seeds": 40, "settled_seeds": 41, "arrived_seeds": 40}, "41 of 40 seeds in b.py::x"),
        ({"seeds": 40, "arrived_seeds": 40}, "None of 40 seeds in b.py::x"),
        ({"arrived_seeds": 0}, "None of None seeds in b.py::x"),
        ({"samples": None}, "no samples in b.py::x"),
        ({"samples": None, "seeds": 0}, "None of 0 seeds in b.py::x"),
    ],
)
def test_an_answer_is_checked(changed: dict[str, Any], reason: str) -> None:
    """The message has the benchmark's name; a kind that is not known needs no axis."""
    values = {"engine": "fit", "device": "cpu", "batch_size": 9, "learning_rate": 0.1, "samples": 99, **changed}
    answer = Answer(**values)
    if reason:
        with pytest.raises(ValueError, match=reason):
            answer.check("epoch time", "b.py::x")
    else:
        answer.check("epoch time", "b.py::x")
    Answer(engine="fit", device="cpu").check("odd", "b.py::x")


def test_seeds_that_are_timed_are_told_where_they_are_counted() -> None:
    """They are those that arrive, and in older records, which lack these, those that settle. A single run has none."""
    older: dict[str, Any] = {"seeds": 40, "settled_seeds": 15}
    newer: dict[str, Any] = older | {"arrived_seeds": 0}

    assert Answer(engine="fit", device="cpu", **older).seeds_timed == "15 of 40"
    assert Answer(engine="fit", device="cpu", **newer).seeds_timed == "0 of 40"
    assert Answer(engine="fit", device="cpu").seeds_timed == ""
