"""The writing of a session's record, step by step: what is on disk when, under which name, and what is left alone."""

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_benchmark.storage.file import FileStorage

from benchmarks.harness import recording
from benchmarks.harness.cases import LEFT_OUT
from benchmarks.harness.options import SELECTION, Selection
from benchmarks.harness.recording import Recording

SESSION: Any = SimpleNamespace(exitstatus=0)  # pytest's, as its hook gets it


class Written:
    """A session of pytest-benchmark that is to be written, as far as the writing knows it, and what it is told.

    Attributes:
        session, config: pytest-benchmark's and pytest's.
        said, warned, failed: lines of information, warnings and errors.
        asked: how often the facts of the machine and the commit were asked for.
    """

    def __init__(self, folder: Path, **of: Any) -> None:
        """Give the session attributes that are other than the usual."""
        self.said, self.warned, self.failed, self.asked = list[str](), list[str](), list[str](), 0
        self.logger = SimpleNamespace(
            info=lambda text, **_: self.said.append(text), warning=self.warned.append, error=self.failed.append
        )
        store = FileStorage(str(folder / "store"), self.logger, default_machine_id="machine")
        usual = {"json": None, "save": None, "autosave": None, "save_data": False, "disabled": False, "storage": store}
        usual |= {"logger": self.logger, "benchmarks": [], "get_machine_info": lambda: {"cpu_model": "A"}}
        self.session: Any = SimpleNamespace(**usual | of)
        hook = SimpleNamespace(
            pytest_benchmark_generate_commit_info=self.commit,
            pytest_benchmark_update_commit_info=lambda config, commit_info: commit_info.update(dirty=True),
            pytest_benchmark_generate_json=self.content,
            pytest_benchmark_update_json=lambda config, benchmarks, output_json: output_json.update(
                over=len(benchmarks)
            ),
        )
        stash = {SELECTION: Selection(epochs=30), LEFT_OUT: ["x: predicted 99 s"]}
        self.config: Any = SimpleNamespace(hook=hook, stash=stash, pluginmanager=pytest.PytestPluginManager())
        self.config._benchmarksession = self.session

    def commit(self, config: Any) -> dict[str, Any]:
        self.asked += 1
        return {"id": "c0ffee"}

    def content(self, config: Any, **of: Any) -> dict[str, Any]:
        return {**of, "benchmarks": list(of["benchmarks"])}

    def begin(self) -> Recording:
        """Begin to record."""
        return Recording(self.config, self.session)


def texts(folder: Path) -> dict[str, str]:
    """Return the text of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_record_grows_with_each_test_and_goes_at_the_end(tmp_path: Path) -> None:
    """From the first case with a time on it is beside the place that was asked for, until all others are done."""
    written, seen = Written(tmp_path, json=tmp_path / "my.record.json"), list[dict[str, str]]()

    class Others:
        def pytest_runtest_logfinish(self, nodeid: str) -> None:
            written.session.benchmarks += [nodeid] * (nodeid != "a")

        def pytest_sessionfinish(self) -> None:
            seen.append(texts(tmp_path))

    plugins = written.config.pluginmanager
    plugins.register(Others())
    plugins.register(written.begin())
    for name in ("a", "b", "c"):
        plugins.hook.pytest_runtest_logfinish(nodeid=name, location=("", None, ""))
        seen.append(texts(tmp_path))
    plugins.hook.pytest_sessionfinish(session=None, exitstatus=0)
    grown = {"machine_info": {"cpu_model": "A"}, "commit_info": {"id": "c0ffee", "dirty": True}, "include_data": True}

    assert seen[0] == {}
    assert [[json.loads(text) for text in one.values()] for one in seen[1:3]] == [
        [{**grown, "benchmarks": ["b"], "over": 1}],
        [{**grown, "benchmarks": ["b", "c"], "over": 2}],
    ]
    assert seen[3] == seen[2]
    assert seen[1].keys() == seen[2].keys()
    assert re.fullmatch(r"my\.record\.unfinished-[0-9a-f]{8}\.json", "".join(seen[1]))
    assert texts(tmp_path) == {}
    assert written.asked == 1


def test_two_sessions_grow_apart(tmp_path: Path) -> None:
    """No other session has the name of the growing record."""
    names = {Written(tmp_path, json=tmp_path / "a.json").begin().unfinished for _ in range(9)}

    assert len(names) == 9


@pytest.mark.parametrize(("save_data", "data"), [(True, True), (False, False)])
def test_a_stored_record_grows_in_the_store(save_data: bool, data: bool, tmp_path: Path) -> None:
    """With the data of its rounds where they were asked for."""
    written = Written(tmp_path, save="kept", save_data=save_data, benchmarks=["a"])
    written.begin().pytest_runtest_logfinish("a")
    ((name, text),) = texts(tmp_path).items()

    assert re.fullmatch(r"store/machine/kept\.unfinished-[0-9a-f]{8}\.json", name)
    assert json.loads(text)["include_data"] is data


def test_a_record_that_cannot_grow_is_said_once_and_the_session_goes_on(tmp_path: Path) -> None:
    """The reason is said, and it is not tried again though the folder comes back."""
    (tmp_path / "here").mkdir()
    written = Written(tmp_path, json=tmp_path / "here/a.json", benchmarks=["a"])
    session = written.begin()
    growing = session.unfinished
    (tmp_path / "here").rmdir()
    session.pytest_runtest_logfinish("a")
    (tmp_path / "here").mkdir()
    session.pytest_runtest_logfinish("b")
    session.pytest_sessionfinish(SESSION)

    assert written.warned == [f"{growing} does not grow any more: No such file or directory"]
    assert session.over == 2
    assert texts(tmp_path) == {}


def test_our_part_counts_tests(tmp_path: Path) -> None:
    """How many there are to be, how many are over, and which failed, in whichever phase; with grid and left out.

    It stands under "parabola", and the rest of the record stays as it was.
    """
    written = Written(tmp_path, json=tmp_path / "a.json")
    recording.begin(written.config)
    session = written.config.pluginmanager.get_plugin("parabola-recording")
    session.pytest_collection_finish(SimpleNamespace(items=["b", "a", "c", "d"]))
    for name, outcome in (("b", "failed"), ("c", "passed"), ("a", "failed")):
        report = SimpleNamespace(nodeid=name, failed=outcome == "failed", passed=outcome == "passed")
        session.pytest_runtest_logreport(report)
        session.pytest_runtest_logfinish(name)
    content: dict[str, Any] = {"benchmarks": [1]}
    session.pytest_benchmark_update_json(content)
    part = content.pop("parabola")

    assert content == {"benchmarks": [1]}
    assert part["session"] == {"planned": 4, "over": 3, "failed": ["b", "a"]}
    assert (part["grid"]["name"], part["grid"]["epochs"]) == ("quick", 30)
    assert part["left_out"] == ["x: predicted 99 s"]


@pytest.mark.parametrize(
    ("of", "begun"),
    [
        ({}, False),
        ({"json": "a.json"}, True),
        ({"save": "a"}, True),
        ({"autosave": "a"}, True),
        ({"json": "a.json", "disabled": True}, False),
    ],
)
def test_a_session_is_recorded_where_a_record_was_asked_for(of: dict[str, Any], begun: bool, tmp_path: Path) -> None:
    """And where it times; without pytest-benchmark there is none."""
    written = Written(tmp_path, **of | ({"json": tmp_path / of["json"]} if "json" in of else {}))
    recording.begin(written.config)
    assert written.config.pluginmanager.has_plugin("parabola-recording") is begun

    del written.config._benchmarksession
    written.config.pluginmanager = pytest.PytestPluginManager()
    recording.begin(written.config)
    assert not written.config.pluginmanager.has_plugin("parabola-recording")


def replace(path: Path) -> None:
    """Write a file again at the same instant, as far as its times tell."""
    before = path.stat()
    (path.parent / "new").write_text("theirs")
    (path.parent / "new").replace(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rewrite(path: Path) -> None:
    """Write into a file, a nanosecond later."""
    before = path.stat()
    path.write_text("theirs")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


NOTHING = "nothing"


@pytest.mark.parametrize(
    ("old", "meanwhile", "left"),
    [
        (None, None, {"a.b.json": "ours"}),
        ("old", None, {"a.b.json": "ours"}),
        (None, lambda path: path.write_text("theirs"), {"a.b.json": "theirs", "a.b-2.json": "ours"}),
        ("old", replace, {"a.b.json": "theirs", "a.b-2.json": "ours"}),
        ("old", rewrite, {"a.b.json": "theirs", "a.b-2.json": "ours"}),
        ("old", Path.unlink, {"a.b.json": "ours"}),
    ],
    ids=["new", "again", "made meanwhile", "replaced meanwhile", "rewritten meanwhile", "removed meanwhile"],
)
def test_what_another_session_wrote_meanwhile_is_left(
    old: str | None, meanwhile: Callable[[Path], None] | None, left: dict[str, str], tmp_path: Path
) -> None:
    """Ours is written beside it then, and both are said; an old file that nobody touched is replaced."""
    path = tmp_path / "a.b.json"
    if old:
        path.write_text(old)
    written = Written(tmp_path, json=path)
    written.begin()
    if meanwhile:
        meanwhile(path)
    written.session.save_json({"ours": "é"})
    ours = '{\n "ours": "\\u00e9"\n}'
    aside = "a.b-2.json" in left

    assert texts(tmp_path) == {name: ours if text == "ours" else text for name, text in left.items()}
    assert written.said == [f"Wrote benchmark data in: {tmp_path / ('a.b-2.json' if aside else 'a.b.json')}"]
    warning = f"{path} was written by another session meanwhile, and is left as it is."
    assert written.warned == ([warning] if aside else [])


def test_a_name_with_a_number_may_be_taken_too(tmp_path: Path) -> None:
    """Then the next one is tried."""
    written = Written(tmp_path, json=tmp_path / "a.json")
    written.begin()
    for name in ("a.json", "a-2.json", "a-3.json"):
        (tmp_path / name).write_text(name)
    written.session.save_json({})

    assert texts(tmp_path) == {"a.json": "a.json", "a-2.json": "a-2.json", "a-3.json": "a-3.json", "a-4.json": "{}"}


def test_a_link_is_followed_from_the_beginning(tmp_path: Path) -> None:
    """The record is written and grows where the link leads, though the link changes meanwhile."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "one/a.json")
    written = Written(tmp_path, json=tmp_path / "link.json", benchmarks=["a"])
    written.begin().pytest_runtest_logfinish("a")
    growing = [*texts(tmp_path / "one")]
    (tmp_path / "link.json").unlink()
    (tmp_path / "link.json").symlink_to(tmp_path / "two/a.json")
    written.session.save_json({})

    assert [name.split("-")[0] for name in growing] == ["a.unfinished"]
    assert (tmp_path / "one/a.json").read_text() == "{}"
    assert texts(tmp_path / "two") == {}


def test_a_name_is_said_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that is told from the current folder stays so."""
    monkeypatch.chdir(tmp_path)
    written = Written(tmp_path, json=Path("a.json"))
    written.begin()
    written.session.save_json({})

    assert written.said == ["Wrote benchmark data in: a.json"]


def test_a_device_is_left_to_pytest_benchmark(tmp_path: Path) -> None:
    """Nothing grows beside it, and its writing is not taken over; a store beside it is."""
    saved = list[Any]()
    written = Written(tmp_path, json=Path("/dev/null"), save_json=saved.append)
    with_store = Written(tmp_path, json=Path("/dev/null"), save_json=saved.append, save="kept")

    assert written.begin().unfinished is None
    written.session.save_json({"a": 1})
    assert saved == [{"a": 1}]
    growing = with_store.begin().unfinished
    assert growing is not None
    assert growing.parent == tmp_path / "store/machine"


@pytest.mark.parametrize(("option", "name"), [("save", "mine"), ("autosave", "c0ffee_2026")])
def test_stored_records_are_numbered_on(option: str, name: str, tmp_path: Path) -> None:
    """Under the number after the highest that is there, whatever the names; what is there is left."""
    written = Written(tmp_path, **{option: name})
    written.begin()
    store = tmp_path / "store/machine"
    for taken in ("0041_other.json", f"0007_{name}.json"):
        (store / taken).write_text("theirs")
    written.session.storage.save({"ours": 1}, name)
    written.session.storage.save({"ours": 2}, name)

    assert texts(store) == {
        **{"0041_other.json": "theirs", f"0007_{name}.json": "theirs"},
        **{f"0042_{name}.json": '{\n "ours": 1\n}', f"0043_{name}.json": '{\n "ours": 2\n}'},
    }
    assert written.said == [f"Saved benchmark data in: {store}/{number}_{name}.json" for number in ("0042", "0043")]


def test_a_number_that_another_session_takes_at_once_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers are asked for anew; where that does not end, a number is put behind the name."""
    written = Written(tmp_path, save="mine")
    written.begin()
    store = tmp_path / "store/machine"
    told = ["0001", "0001", "0002"]
    monkeypatch.setattr(FileStorage, "_next_num", property(lambda _: told.pop(0) if len(told) > 1 else told[0]))
    (store / "0001_mine.json").write_text("theirs")
    written.session.storage.save({}, "mine")
    written.session.storage.save({}, "mine")

    assert texts(store) == {"0001_mine.json": "theirs", "0002_mine.json": "{}", "0002_mine-2.json": "{}"}


@pytest.mark.parametrize("option", ["save", "autosave"])
def test_another_kind_of_store_is_left_to_pytest_benchmark(option: str, tmp_path: Path) -> None:
    """Only files are written here, and nothing grows that has no place."""
    storage = SimpleNamespace(save=NOTHING)
    written = Written(tmp_path, storage=storage, **{option: "mine"})

    assert written.begin().unfinished is None
    assert storage.save == NOTHING


def test_a_store_that_was_not_asked_for_is_left_alone(tmp_path: Path) -> None:
    """A record goes to its own place alone, and grows there even where a store is asked for as well."""
    alone = Written(tmp_path, json=tmp_path / "a.json")
    both = Written(tmp_path, json=tmp_path / "a.json", save="mine")
    growing = [written.begin().unfinished for written in (alone, both)]

    assert "save" not in vars(alone.session.storage)
    assert "save" in vars(both.session.storage)
    assert [path and path.parent for path in growing] == [tmp_path, tmp_path]


@pytest.mark.parametrize(
    ("of", "option", "place"),
    [({"json": "gone/a.json"}, "json", "gone/a.json"), ({"save": "x/y"}, "storage", "store/machine/x/y.json")],
)
def test_a_place_that_is_none_ends_the_session(of: dict[str, Any], option: str, place: str, tmp_path: Path) -> None:
    """The option is named, and the reason, before anything runs."""
    written = Written(tmp_path, **{name: tmp_path / value if name == "json" else value for name, value in of.items()})
    with pytest.raises(pytest.UsageError) as error:
        written.begin()

    reason = f"cannot write {tmp_path / place}: No such file or directory"
    assert str(error.value) == f"--benchmark-{option}: {reason}"


@pytest.mark.parametrize("name", ["loop.json", "x" * 300 + ".json"])
def test_a_name_that_no_file_can_have_is_told(name: str, tmp_path: Path) -> None:
    """A link to itself, and more characters than a name may have."""
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    with pytest.raises(pytest.UsageError, match=r"^--benchmark-json: cannot write .*json: [^\n]+$"):
        Written(tmp_path, json=tmp_path / name).begin()


@pytest.mark.parametrize(("before", "after"), [(0, 8), (1, 1)])
def test_a_record_that_cannot_be_written_ends_nothing(
    before: int, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, the other record is written, what has grown stays, and pytest exits 8 unless tests have failed."""
    pytests: Any = SimpleNamespace(exitstatus=before)
    (tmp_path / "full").mkdir()
    written = Written(tmp_path, json=tmp_path / "full/a.json", save="mine", benchmarks=["a"])
    session = written.begin()
    session.pytest_runtest_logfinish("a")
    write = os.link

    def full(source: Path, target: Path) -> None:
        if target.parent == tmp_path / "full":
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        write(source, target)

    monkeypatch.setattr("os.link", full)
    written.session.save_json({})
    written.session.storage.save({}, "mine")
    session.pytest_sessionfinish(pytests)

    assert session.unfinished is not None
    kept = f"{session.unfinished} holds what was measured"
    assert written.failed == [f"cannot write {tmp_path}/full/a.json: No space left on device; {kept}"]
    assert sorted(texts(tmp_path)) == [f"full/{session.unfinished.name}", "store/machine/0001_mine.json"]
    assert pytests.exitstatus == after


def test_a_full_device_is_told(tmp_path: Path) -> None:
    """Which pytest-benchmark itself writes to."""

    def save(content: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    written = Written(tmp_path, json=Path("/dev/full"), save_json=save)
    session = written.begin()
    written.session.save_json({})

    assert written.failed == ["cannot write /dev/full: No space left on device"]
    assert session.unwritten
