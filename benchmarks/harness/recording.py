"""A session's record is on disk from its first finished case on, and ends whole, under a name that was free."""

import secrets
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, count
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.storage.file import FileStorage
from pytest_benchmark.utils import safe_dumps

from benchmarks.harness.cases import GRID, LEFT_OUT, session_of
from parabola import files
from parabola.records import schema

UNFINISHED = "unfinished"  # part of the name of a record that grows while its session runs


class Recording:
    """What pytest-benchmark writes at the end of a session alone, written after each case, too.

    While the session runs, all that has a time so far is in a record of its own beside the place that was asked for.
    It goes away once that is written; where the session is killed, it stays.
    """

    def __init__(self, config: pytest.Config, session: Any) -> None:
        """Take over the writing of a session whose records go to files.

        Args:
            config: pytest's.
            session: pytest-benchmark's.

        Raises:
            pytest.UsageError: if no file can be written where one was asked for.
        """
        self.config, self.session = config, session
        self.planned = self.over = 0
        self.failed = list[str]()
        self.about: tuple[Any, Any] | None = None  # machine and commit, which do not change
        place: Path | None = None
        if session.json and session.json.is_symlink():
            session.json = session.json.resolve()
        self.found = _state(session.json)
        if session.json and not session.json.is_char_device():  # as /dev/null, which is left to pytest-benchmark
            _check("--benchmark-json", session.json)
            place = session.json
            session.save_json = self._save_json
        if (session.save or session.autosave) and isinstance(session.storage, FileStorage):
            stored = session.storage.get(f"{session.save or session.autosave}.json")
            _check("--benchmark-storage", stored)
            session.storage.save = self._save
            place = place or stored
        # A name that no other session has or had, known before there is such a file: Ctrl-C may come at any moment.
        self.unfinished = place and place.with_name(f"{place.stem}.{UNFINISHED}-{secrets.token_hex(4)}.json")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many tests there are to be."""
        self.planned = len(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which fail."""
        if report.failed:
            self.failed.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Put what has a time on disk."""
        self.over += 1
        if self.unfinished and self.session.benchmarks:
            try:
                files.write_text(_text(self._content()), self.unfinished)
            except OSError as error:  # what is measured goes on, and is written at the end
                self.session.logger.warning(f"{self.unfinished} does not grow any more: {error.strerror}")
                self.unfinished = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Take the growing record away: the whole one is written by now."""
        if self.unfinished:
            self.unfinished.unlink(missing_ok=True)

    def own_part(self) -> dict[str, Any]:
        """Return what is ours of the record as it stands."""
        grid, left_out = asdict(self.config.stash[GRID]), self.config.stash[LEFT_OUT]
        return schema.own_part(grid, left_out, self.planned, self.over, self.failed)

    def _content(self) -> dict[str, Any]:
        """Return the record that pytest-benchmark would write now."""
        hook, session = self.config.hook, self.session
        if self.about is None:
            commit = hook.pytest_benchmark_generate_commit_info(config=self.config)
            hook.pytest_benchmark_update_commit_info(config=self.config, commit_info=commit)
            self.about = session.get_machine_info(), commit
        machine, commit = self.about
        content: dict[str, Any] = hook.pytest_benchmark_generate_json(
            config=self.config,
            benchmarks=session.benchmarks,
            include_data=bool(session.json or session.save_data),
            machine_info=machine,
            commit_info=commit,
        )
        hook.pytest_benchmark_update_json(config=self.config, benchmarks=session.benchmarks, output_json=content)
        return content

    def _save_json(self, content: dict[str, Any]) -> None:
        """Write what --benchmark-json asks for; beside it, if another session has written there meanwhile."""
        path: Path = self.session.json
        if self.found and _state(path) == self.found:
            files.write_text(_text(content), path)
        else:
            path = files.create_text(_text(content), _numbered(path))
        if path != self.session.json:
            said = f"{self.session.json} was written by another session meanwhile, and is left as it is."
            self.session.logger.warning(said)
        self.session.logger.info(f"Wrote benchmark data in: {path}", purple=True)

    def _save(self, content: dict[str, Any], name: str) -> None:
        """Write what --benchmark-save and --benchmark-autosave ask for, under the next number that is free."""
        storage = self.session.storage
        free = (storage.get(f"{storage._next_num}_{name}.json") for _ in range(100))  # others may count up meanwhile
        path = files.create_text(
            _text(content), chain(free, _numbered(storage.get(f"{storage._next_num}_{name}.json")))
        )
        self.session.logger.info(f"Saved benchmark data in: {path}")


def begin(config: pytest.Config) -> None:
    """Take over the writing of pytest-benchmark's session, where it times and a record was asked for."""
    session = session_of(config)
    if session and not session.disabled and (session.json or session.save or session.autosave):
        config.pluginmanager.register(Recording(config, session), "parabola-recording")


def own_part(config: pytest.Config) -> dict[str, Any]:
    """Return what is ours of a record, for the key that is ours."""
    recording: Recording | None = config.pluginmanager.get_plugin("parabola-recording")
    assert recording is not None, "a record is written that nobody asked for"
    return recording.own_part()


def _check(option: str, path: Path) -> None:
    """Raise pytest.UsageError, naming the option, unless a file can be written there."""
    try:
        files.check_path(path, (path.suffix.lower(),))
    except ValueError as error:
        raise pytest.UsageError(f"{option}: {error}") from None


def _text(content: dict[str, Any]) -> str:
    text: str = safe_dumps(content, ensure_ascii=True, indent=1)
    return text


def _state(path: Path | None) -> tuple[int, int] | None:
    """Return what tells whether a file was written again; None where there is none."""
    if path is None or not path.exists():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_ino


def _numbered(path: Path) -> Iterator[Path]:
    """Return a name, and others with a number for where it is taken."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
