"""A session's record is on disk from its first timed case on, and at the end it is whole and overwrites no other."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.storage.file import FileStorage
from pytest_benchmark.utils import safe_dumps

from benchmarks.harness import places
from benchmarks.harness.cases import LEFT_OUT, session_of
from benchmarks.harness.machine.disturbance import SECONDS, watch
from benchmarks.harness.options import SELECTION
from parabola import files
from parabola.exit_codes import ExitCode
from parabola.records import schema


class Recording:
    """A plugin of pytest that writes after each case what pytest-benchmark writes only at the end of a session.

    While the session runs, all that has a time so far is in a record of its own beside the place that was asked for.
    This growing record is removed once the whole one is written; where the session is killed, it stays.

    Attributes:
        config: pytest's configuration.
        session: pytest-benchmark's session.
        planned: number of tests that were collected.
        over: number of tests that have ended so far.
        failed: names of the tests that have failed so far.
        unfinished: path of the growing record; None where no file is written, or none can be any more.
        unwritten: whether a whole record could not be written at the end.
    """

    def __init__(self, config: pytest.Config, session: Any) -> None:
        """Take over the writing of a session whose records go to files.

        Args:
            config: pytest's configuration.
            session: pytest-benchmark's session.

        Raises:
            pytest.UsageError: if no file can be written where one was asked for.
        """
        self.config, self.session = config, session
        self.planned = self.over = 0
        self.unwritten = False
        self.failed = list[str]()
        self.about: tuple[Any, Any] | None = None  # machine and commit, which do not change
        self.state_at_start: tuple[int, int] | None = None  # of the file that --benchmark-json names
        place = self._take_over_json()
        stored = self._take_over_store()
        # Known before there is such a file, as Ctrl-C may come at any moment.
        self.unfinished = places.growing(place or stored)

    def _take_over_json(self) -> Path | None:
        """Take over the writing of what --benchmark-json asks for; return its path, or None where nothing is."""
        session = self.session
        if not session.json:
            return None
        if places.is_device(session.json):  # as /dev/null, which is left to pytest-benchmark
            session.save_json = self._tried(session.save_json)
            return None
        places.check("--benchmark-json", session.json)
        if session.json.is_symlink():
            session.json = session.json.resolve()
        self.state_at_start = places.state(session.json)
        session.save_json = self._tried(self._save_json)
        return Path(session.json)

    def _take_over_store(self) -> Path | None:
        """Take over the writing into a folder of records; return a path in it, or None where nothing is taken over."""
        session = self.session
        name = session.save or session.autosave
        if not name or not isinstance(session.storage, FileStorage):
            return None
        stored: Path = session.storage.get(f"{name}.json")
        places.check("--benchmark-storage", stored)
        session.storage.save = self._tried(self._save)
        return stored

    def _tried(self, save: Callable[..., None]) -> Callable[..., None]:
        """Return what saves a record, and where that fails says so and goes on: what was measured is still shown."""

        def tried(*arguments: Any) -> None:
            try:
                save(*arguments)
            except OSError as error:
                self.unwritten = True
                grown = f"; {self.unfinished} holds what was measured" if self.unfinished else ""
                path = error.filename or self.session.json
                self.session.logger.error(f"cannot write {path}: {error.strerror}{grown}")

        return tried

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests that there are to be."""
        self.planned = len(session.items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the name of a test that fails."""
        if report.failed:
            self.failed.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Count a test that has ended, and write the growing record anew."""
        self.over += 1
        self._grow()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Remove the growing record if the whole one is written by now; else end with an exit code of its own."""
        if self.unwritten:
            session.exitstatus = session.exitstatus or ExitCode.FILE
        elif self.unfinished:
            self.unfinished.unlink(missing_ok=True)

    def pytest_benchmark_update_json(self, output_json: dict[str, Any]) -> None:
        """Put all that the suite adds to a record, besides the numbers of each benchmark, under one key."""
        grid, left_out = self.config.stash[SELECTION].recorded(), self.config.stash[LEFT_OUT]
        native = self.config.stash.get(SECONDS, [])
        output_json[schema.OURS] = schema.own_part(grid, left_out, self.planned, self.over, self.failed, native)

    def _grow(self) -> None:
        """Write all that has a time so far; where that fails, say so once, and go on without."""
        if self.unfinished and self.session.benchmarks:
            try:
                files.write_text(_text(self._content()), self.unfinished)
            except OSError as error:
                self.session.logger.warning(f"{self.unfinished} does not grow any more: {error.strerror}")
                self.unfinished = None

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
        """Write the record to the path of --benchmark-json, or beside it if another session has written there since."""
        path: Path = self.session.json
        if self.state_at_start and places.state(path) == self.state_at_start:
            files.write_text(_text(content), path)
        else:
            path = files.create_text(_text(content), places.numbered(path))
        if path != self.session.json:
            warning = f"{self.session.json} was written by another session meanwhile, and is left as it is."
            self.session.logger.warning(warning)
        self.session.logger.info(f"Wrote benchmark data in: {path}", purple=True)

    def _save(self, content: dict[str, Any], name: str) -> None:
        """Write the record that --benchmark-save or --benchmark-autosave asks for, under the next free number."""
        storage = self.session.storage
        names = (f"{storage._next_num}_{name}.json" for _ in range(101))  # asked anew: others may count up meanwhile
        first = storage.get(next(names))
        path = files.create_text(_text(content), chain(map(storage.get, names), places.numbered(first)))
        self.session.logger.info(f"Saved benchmark data in: {path}")


def begin(config: pytest.Config) -> None:
    """Take over the writing of pytest-benchmark's session, where it times and a record was asked for."""
    session = session_of(config)
    if session and not session.disabled and (session.json or session.save or session.autosave):
        config.pluginmanager.register(Recording(config, session), "parabola-recording")
        watch(config)


def _text(content: dict[str, Any]) -> str:
    """Return a record as the text that pytest-benchmark would write."""
    text: str = safe_dumps(content, ensure_ascii=True, indent=1)
    return text
