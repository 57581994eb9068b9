"""Records: found by files, folders and globs, held against each other, merged, and what is ours of them."""

import importlib.metadata
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from parabola.records import finding, fingerprint, reading, schema
from tests import made_records

GOOD = made_records.record()


def make(folder: Path, *names: str) -> None:
    """Put records under these names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(GOOD))


def found_in(folder: Path, *sources: str) -> list[tuple[str, str]]:
    """Return what is found, each with its machine's name and its place in the folder."""
    return [(name, str(path.relative_to(folder))) for name, path in finding.find(sources)]


FILES = (
    "b.json",
    "a.json",
    "deep/er/d.json",
    "deep/c.json",
    "notes.md",
    "[1].json",
    "a=b.json",
    "x=y/z.json",
    "ä ö.json",
)


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["b.json", "a.json"], [("", "b.json"), ("", "a.json")]),
        (["deep"], [("", "deep/c.json"), ("", "deep/er/d.json")]),
        (["deep/"], [("", "deep/c.json"), ("", "deep/er/d.json")]),
        (["one=deep"], [("one", "deep/c.json"), ("one", "deep/er/d.json")]),
        (["deep/*"], [("", "deep/c.json")]),
        (["deep/**/*.json"], [("", "deep/c.json"), ("", "deep/er/d.json")]),
        (["?.json"], [("", "a.json"), ("", "b.json")]),
        (["one=?.json"], [("one", "a.json"), ("one", "b.json")]),
        (["*.md"], [("", "notes.md")]),
        (["notes.md"], [("", "notes.md")]),
        (["[1].json"], [("", "[1].json")]),
        (["one=[1].json"], [("one", "[1].json")]),
        (["[ab].json"], [("", "a.json"), ("", "b.json")]),
        (["ä ö.json"], [("", "ä ö.json")]),
        (["Ä Ö=ä ö.json"], [("Ä Ö", "ä ö.json")]),
        (["a=b.json"], [("", "a=b.json")]),
        (["one=a=b.json"], [("one", "a=b.json")]),
        (["a=a.json"], [("a", "a.json")]),
        (["=a.json"], [("", "a.json")]),
        (["x=y"], [("", "x=y/z.json")]),
        (["x=y/*.json"], [("", "x=y/z.json")]),
        (["a.json", "one=a.json"], [("one", "a.json")]),
        (["one=a.json", "a.json"], [("one", "a.json")]),
        (["one=a.json", "one=?.json"], [("one", "a.json"), ("one", "b.json")]),
        (["b.json", "?.json", "one=b.json"], [("one", "b.json"), ("", "a.json")]),
    ],
    ids=str,
)
def test_files_folders_and_globs_are_found(
    sources: list[str], expected: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is there once, where it was meant first, with the name that any of its sources gives."""
    make(tmp_path, *FILES)
    monkeypatch.chdir(tmp_path)

    assert [(name, str(path)) for name, path in finding.find(sources)] == expected


def test_a_folder_has_its_json_files(tmp_path: Path) -> None:
    """In the order of their paths; neither other files, nor folders, nor what a killed process left half-written."""
    make(
        tmp_path,
        *FILES,
        ".parabola-x1/draft.json",
        ".parabola-y.json",
        "deep/.parabola-x2/deeper/draft.json",
        ".h.json",
    )
    (tmp_path / "c.json").mkdir()
    expected = [".h.json", "[1].json", "a.json", "a=b.json", "b.json", "deep/c.json", "deep/er/d.json"]

    assert found_in(tmp_path, str(tmp_path)) == [("", name) for name in [*expected, "x=y/z.json", "ä ö.json"]]
    with pytest.raises(ValueError, match="no record there"):
        finding.find([f"{tmp_path}/.parabola-x1/draft.json"])


def test_a_link_and_its_file_are_one_record(tmp_path: Path) -> None:
    """It is found under the path that came last, at the place of the first."""
    make(tmp_path, "a.json", "b.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    link, file, other = (f"{tmp_path}/{name}.json" for name in ("link", "a", "b"))

    assert found_in(tmp_path, link, other, f"one={file}") == [("one", "a.json"), ("", "b.json")]
    assert found_in(tmp_path, f"one={file}", other, link) == [("one", "link.json"), ("", "b.json")]


@pytest.mark.parametrize(
    ("sources", "first", "second"),
    [(["b={}", "a={}"], "b", "a"), (["b={}", "{}", "a={}"], "b", "a"), (["{}", "a={}", "b={}"], "a", "b")],
)
def test_a_record_of_two_names_is_refused(sources: list[str], first: str, second: str, tmp_path: Path) -> None:
    """The file and both names are said, the earlier first."""
    make(tmp_path, "a.json")
    path = tmp_path / "a.json"
    with pytest.raises(ValueError, match="belongs to one name") as error:
        finding.find([source.format(path) for source in sources])

    assert str(error.value) == f"a record belongs to one name. Received: {path} as {first!r} and as {second!r}"


@pytest.mark.parametrize(
    ("source", "received"),
    [("", ""), ("a=", ""), ("gone.json", "gone.json"), ("a=gone/*", "gone/*"), ("empty", "empty"), ("*/", "*/")],
)
def test_a_source_that_means_no_file_is_refused(
    source: str, received: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though others do; what stands behind the name is said."""
    make(tmp_path, "a.json", "full/a.json")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no record there") as error:
        finding.find(["a.json", source])

    said = f"no record there: a JSON file, a folder of them or a glob. Received: {received!r}"
    assert str(error.value) == said


def test_the_newest_file_that_can_be_read_is_taken(tmp_path: Path) -> None:
    """A nanosecond decides, wherever it lies; what is no record is taken only where there is nothing else."""
    names = ["z.json", "deep/a.json", "m.json", "deep/broken.json", ".parabola-x/draft.json", "notes.md"]
    make(tmp_path, *names)
    (tmp_path / "deep/broken.json").write_text("{")
    for age, name in enumerate(["z.json", "m.json", "deep/a.json", "deep/broken.json", *names[4:]]):
        os.utime(tmp_path / name, ns=(0, 10**18 + age))
    assert finding.newest(tmp_path) == [("", tmp_path / "deep/a.json")]

    for name in names[:3]:
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, ns=(0, 10**18))
    assert finding.newest(tmp_path) == [("", tmp_path / "deep/broken.json")]


def test_a_folder_without_a_record_has_no_newest(tmp_path: Path) -> None:
    """What leaves one is said."""
    make(tmp_path, ".parabola-x/draft.json", "notes.md")
    with pytest.raises(ValueError, match="no record under") as error:
        finding.newest(tmp_path)

    leave = "`pytest --benchmark-only --benchmark-autosave` leaves one; or name files, folders or globs"
    assert str(error.value) == f"no record under {tmp_path}: {leave}"


def test_many_files_are_read_in_their_order_with_their_names(tmp_path: Path) -> None:
    """A bad one among them stays at its place, as the reason why."""
    paths = made_records.write(tmp_path, *[made_records.record(commit=number) for number in range(5)])[::-1]
    paths[3].write_text("")
    found = list(reading.read_all(zip(["a", "", "b", "c", "a"], paths, strict=True)))
    told = [str(one) if isinstance(one, schema.Unreadable) else (one.name, one.path) for one in found]
    first, second, third, bad, last = map(str, paths)

    assert told == [("a", first), ("", second), ("b", third), f"{bad}: empty", ("a", last)]


@pytest.mark.parametrize("name", fingerprint.FINGERPRINT)
def test_a_difference_in_any_fact_is_said(name: str, tmp_path: Path) -> None:
    """Two records are comparable, or the reason why not is said."""
    machine = {**made_records.MACHINE, "gpu": "NVIDIA A2, driver 570.1", "cuda": "12.5"}
    same = [made_records.record(machine=machine, commit=commit) for commit in (0, 5)]
    first, second = map(reading.read, made_records.write(tmp_path, *same))
    assert fingerprint.differences(first, second) == []

    (path,) = made_records.write(tmp_path, made_records.record(machine={**machine, name: "other"}))
    said = fingerprint.differences(first, reading.read(path))
    assert said == [f"{name.replace('_', ' ')}: {machine[name]}, not other"]


def test_differences_are_said_in_the_order_of_the_facts(tmp_path: Path) -> None:
    """Of the first record comes first, and underscores are spaces."""
    there = made_records.record(machine={"onednn": "on", "cores_usable": 9, "cpu_model": "A_B"})
    first, second = map(reading.read, made_records.write(tmp_path, GOOD, there))

    assert fingerprint.differences(first, second) == [
        "cpu model: Made-up CPU_7 <2.9 GHz> & Söhne, not A_B",
        "cores usable: 10, not 9",
        "onednn: off, not on",
    ]
    assert fingerprint.differences(second, first)[1] == "cores usable: 9, not 10"


def test_a_fact_that_is_not_known_is_no_difference() -> None:
    """pytest-benchmark alone tells few. Flags that are empty are known: there are none."""
    first, second = (
        SimpleNamespace(fingerprint=tuple(facts.items()))
        for facts in (
            {"gpu": "none", "numpy": "", "numba": "0.61", "xla_flags": ""},
            {"gpu": "", "numpy": "2.1", "numba": "", "xla_flags": "--x"},
        )
    )

    assert fingerprint.differences(cast(Any, first), cast(Any, second)) == ["xla flags: , not --x"]
    assert fingerprint.differences(cast(Any, second), cast(Any, first)) == ["xla flags: --x, not "]


def test_our_part_says_how_far_the_session_is() -> None:
    """Under the version that is written now, as plain values."""
    part = schema.own_part({"epochs": 30}, ("x: too long", "a: too long"), 9, 7, ("b", "a"))

    assert part == {
        "version": 2,
        "session": {"planned": 9, "over": 7, "failed": ["b", "a"]},
        "grid": {"epochs": 30},
        "left_out": ["x: too long", "a: too long"],
        "written_by": f"parabola {importlib.metadata.version('parabola')}",
    }


def part(folder: Path, name: str, *benchmarks: int, **changed: Any) -> Path:
    """Leave a record of a commit that has some of the suite's cases, and in its session or as dirty what is given."""
    suite = made_records.suite()
    content = made_records.record([suite[at] for at in benchmarks], datetime=f"2026-01-02T03:0{len(benchmarks)}:00")
    content["commit_info"]["dirty"] = changed.pop("dirty", False)
    content["parabola"]["session"] |= changed
    content["parabola"]["left_out"] = [name]
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return path


def test_sessions_of_one_commit_are_merged(tmp_path: Path) -> None:
    """Cases and failures come in the order of the sessions, counts add up, and all else is the last session's."""
    suite = made_records.suite()
    paths = [
        part(tmp_path, "z", 4, 2, 9, planned=5, over=3, failed=["y", "x"]),
        part(tmp_path, "a", 7, planned=70, over=40, failed=[]),
        part(tmp_path, "m", 0, 1, planned=900, over=600, failed=["b", "y"]),
    ]
    whole, last = finding.merge(paths), json.loads(paths[2].read_text())

    assert whole["benchmarks"] == [suite[at] for at in (4, 2, 9, 7, 0, 1)]
    assert whole["parabola"]["session"] == {"planned": 975, "over": 643, "failed": ["y", "x", "b", "y"]}
    assert whole["datetime"] == "2026-01-02T03:02:00"
    assert whole["parabola"]["left_out"] == ["m"]
    for changed in (whole, last):
        del changed["benchmarks"], changed["parabola"]["session"]
    assert whole == last


def test_one_session_merged_is_itself(tmp_path: Path) -> None:
    """Nothing of it is lost or added."""
    path = part(tmp_path, "a", 3, 1, planned=5, over=3, failed=["x"])

    assert finding.merge([path]) == json.loads(path.read_text())


@pytest.mark.parametrize(
    "dirty", [(False, False, False), (True, False, False), (False, True, False), (False, False, True)]
)
def test_one_dirty_session_makes_the_whole_dirty(dirty: tuple[bool, ...], tmp_path: Path) -> None:
    """Whichever of them it is."""
    paths = [part(tmp_path, str(at), at, dirty=one) for at, one in enumerate(dirty)]

    assert finding.merge(paths)["commit_info"]["dirty"] is any(dirty)


@pytest.mark.parametrize("old", [0, 1])
def test_a_session_of_version_1_counts_as_whole_in_a_merge(old: int, tmp_path: Path) -> None:
    """It did not say how many tests it had, so its cases are counted."""
    paths = [part(tmp_path, "a", 4, 2, 9, planned=5, over=3), part(tmp_path, "b", 7, 1, planned=5, over=4)]
    content = json.loads(paths[old].read_text())
    content["parabola"] |= {"version": 1}
    del content["parabola"]["session"]
    paths[old].write_text(json.dumps(content))
    cases, over = (3, 4) if old == 0 else (2, 3)
    session = finding.merge(paths)["parabola"]["session"]

    assert session == {"planned": cases + 5, "over": cases + over, "failed": []}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"machine": {"gpu": "other", "cores": 99}}, "gpu: none, not other; cores: 12, not 99"),
        ({"commit": 5}, made_records.commit_id(5)),
        ({"commit": 5, "machine": {"kernel": "6.2"}}, "kernel: 6.1, not 6.2"),
    ],
)
@pytest.mark.parametrize("at", [1, 2])
def test_sessions_of_two_machines_or_commits_are_not_merged(
    changed: dict[str, Any], said: str, at: int, tmp_path: Path
) -> None:
    """The first session and the one that differs from it are named, and what differs."""
    contents = [made_records.record(), made_records.record()]
    contents.insert(at, made_records.record(**changed))
    paths = made_records.write(tmp_path, *contents)
    with pytest.raises(ValueError, match="not of one machine") as error:
        finding.merge(paths)

    assert str(error.value) == f"{paths[0]} and {paths[at]} are not of one machine and commit: {said}"


def test_what_is_no_record_is_not_merged(tmp_path: Path) -> None:
    """The reason is said."""
    paths = made_records.write(tmp_path, GOOD, {})

    with pytest.raises(schema.Unreadable, match=r"^not a record of pytest-benchmark$"):
        finding.merge(paths)
