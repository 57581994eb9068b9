"""What a page begins with: how fast it is on a machine and what changed, in a line; its title and its words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parabola.records import history
from parabola.records.levels.judging import LevelChange
from parabola.records.levels.together import Levels
from parabola.report import answer
from parabola.report import sections as report_sections
from tests.made_measurements import measurement, record

FIRST = datetime(2026, 2, 27, 22, 30, tzinfo=UTC)
MACHINE: dict[str, Any] = {"cpu_model": "AMD EPYC", "cores_usable": 2}


def answers(*records: Any) -> list[str]:
    """Return the answers of a report: the line of each machine, and its details behind bars."""
    found = [section.answer for section in report_sections.sections(records) if section.answer]
    return [" | ".join([f"{one.machine}: {one.line}", *one.details]) for one in found]


def test_an_answer_says_what_ran_where_how_fast_and_how_many_times_the_limit() -> None:
    """It takes the setting that most engines have, and of these the smallest; the fastest comes first."""
    found = record(
        measurement(batch_size=1, engine="fit", median=0.865, device="cpu"),
        measurement(batch_size=1, engine="compiled", median=30.1e-6),
        measurement(batch_size=1, engine="native", median=22.3e-6),
        measurement(batch_size=9, engine="native", median=1e-9),
        machine=MACHINE,
    )

    assert answers(found) == [
        "TensorFlow on 2 cores of AMD EPYC: compiled 30.1 µs an epoch, 1.35 times the limit, fit 38,789 times; too "
        "early to say what changed: 1 commit, and 10 are needed | The limit: 22.3 µs, about the fastest possible, by "
        "code written by hand (native). | An epoch: 999 samples, in batches of 1, learning rate 0.001."
    ]


def test_of_the_limit_alone_its_own_time_is_said() -> None:
    """It is divided by nothing."""
    (said,) = answers(record(measurement(engine="native", median=22.3e-6), machine=MACHINE))

    assert "EPYC: native 22.3 µs an epoch; too early" in said
    assert " | The limit: 22.3 µs, about the fastest possible" in said


def test_the_limit_is_said_once() -> None:
    """Where several devices have it, other times are divided by the fastest, and its own time is that one's."""
    devices = {"cpu": 40e-6, "gpu:0": 20e-6, "gpu:1": 30e-6}
    limits = [measurement(engine="native", device=device, median=median) for device, median in devices.items()]
    (said,) = answers(record(measurement(median=50e-6), *limits, machine=MACHINE))

    assert ": compiled on cpu 50 µs an epoch, 2.5 times the limit; too early" in said
    assert said.count("The limit: ") == said.count("The limit: 20 µs, about the fastest possible") == 1


@pytest.mark.parametrize(
    ("machine", "says"),
    [
        ({"backend": "jax 0.7.1", "gpu": "H100"}, "JAX 0.7.1 on 2 cores of AMD EPYC and H100: "),
        ({"backend": "torch 2.9", "cores_usable": 1}, "PyTorch 2.9 on 1 core of AMD EPYC: "),
        ({"backend": "", "cores_usable": ""}, "12 cores of AMD EPYC: "),
    ],
)
def test_what_is_not_known_of_a_machine_is_left_out(machine: dict[str, Any], says: str) -> None:
    """Backend, cores and GPU are said where the record has them."""
    assert answers(record(measurement(), machine={**MACHINE, **machine}))[0].startswith(says)


def test_several_devices_are_named_and_without_the_limit_there_are_times_alone() -> None:
    """Each time has its device."""
    found = record(measurement(median=3e-6), measurement(device="gpu:0", median=2e-6), machine=MACHINE)

    assert ": compiled on gpu:0 2 µs an epoch, compiled on cpu 3 µs; too early" in answers(found)[0]
    assert "limit" not in answers(found)[0]


def test_without_epoch_times_the_fastest_and_the_slowest_benchmark_are_named() -> None:
    """Their number comes first."""
    cold: dict[str, Any] = {"kind": "cold start", "function": "bench_cold", "verdict": None}
    found = record(
        *(measurement(name, median=seconds, **cold) for name, seconds in (("b", 2.0), ("a", 0.5), ("c", 1.0)))
    )

    assert "Söhne: 3 benchmarks, from bench_cold[a] (500 ms) to bench_cold[b] (2 s); too early" in answers(found)[0]


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        ([], "; no change in 12 commits since 2026-02-27"),
        (
            [LevelChange(3, 3, 3, 1.5, 1.4, 1.6), LevelChange(7, 7, 8, 0.9, 0.8, 0.95)],
            "; 2 changes in 12 commits since 2026-02-27 | Newest change: faster by 10.0 % in all 1 case, within "
            "commits 06aabbccd..08aabbccd (2026-03-07).",
        ),
        (
            [LevelChange(3, 3, 3, 1.5, 1.4, 1.6)],
            "; 1 change in 12 commits since 2026-02-27 | Newest change: slower by 50.0 % in all 1 case, within commits "
            "02aabbccd..03aabbccd (2026-03-02).",
        ),
    ],
)
def test_the_newest_change_is_told_with_its_size_its_cases_and_its_commits(
    planted: list[LevelChange], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ten commits or more have been measured."""
    monkeypatch.setattr(history, "find_levels", lambda series, commits, family: Levels((tuple(planted),) * len(series)))
    found = [
        record(measurement(), commit=f"{day:02}aabbccd{'e' * 31}", committed=FIRST + timedelta(days=day))
        for day in range(12)
    ]

    assert (
        answers(*found)[0].replace(" | An epoch: 999 samples, in batches of 9, learning rate 0.001.", "").endswith(says)
    )


def test_a_page_has_the_question_as_its_title_and_the_words_that_it_uses() -> None:
    """Of another suite its name, and no engines."""
    own = answer.opening([record(measurement()), record(measurement())])
    other = answer.opening([record(measurement(engine=""), project="trees")])

    assert own.title == "How fast does a network of two neurons train?"
    assert own.about[-1] == "2 records of pytest-benchmark were read."
    assert {"case", "engine", "limit", "record", "verified"} <= set(own.words)
    assert "about the fastest possible" in own.words["limit"]
    assert "no bound to be kept" in own.words["limit"]
    assert other.title == "How fast are the benchmarks of trees?"
    assert other.about == ("1 record of pytest-benchmark was read.",)
    assert list(other.words) == ["record", "median", "change of level"]


def test_machines_are_laid_out_with_every_fact_that_one_of_them_has() -> None:
    """The names are those that tell them apart."""
    found = [record(measurement(), machine={"kernel": kernel, "threads": ""}) for kernel in ("6.1", "6.2")]
    section = report_sections.sections(found)[-1]
    (table,) = section.details
    rows = {row[0]: row[1:] for row in table.rows}

    assert (section.title, section.chapter, section.lines, section.tables) == ("Machines", "Machines", (), ())
    assert set(table.headings) == {"fact", "kernel 6.1", "kernel 6.2"}
    assert sorted(rows["kernel"]) == ["6.1", "6.2"]
    assert rows["cpu model"] == ("Made-up CPU_7 <2.9 GHz> & Söhne",) * 2
    assert rows["measured last"] == ("2026-03-04 06:36 UTC",) * 2
    assert "threads" not in rows
