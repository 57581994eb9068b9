"""What tests share: a small project that comparing is tried on, and a watch over the programs that they start."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from parabola.__main__ import leave_memory
from parabola.machine import ending

SUITE = {
    "src/thing.py": """
NAME = "first"
def work(n=30_000):
    return sum(i * i for i in range(n))
""",
    "test_it.py": """
import thing
def test_pedantic(benchmark):
    benchmark.pedantic(thing.work, rounds=8, warmup_rounds=1)
    benchmark.extra_info.update(name=thing.NAME, passed=True, coefficient_error=0.5)
""",
    "pyproject.toml": """
[tool.pytest.ini_options]
pythonpath = ["src"]
""",
}

# Variables with which pytest, that a comparison starts some twenty times, loads no other plugins: half of its start.
FEW_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_benchmark.plugin"}

SELDOM = 50_000, 20, 100  # as many new objects, and then as many searches among younger ones, before garbage is sought


def git(folder: Path, *arguments: str) -> str:
    """Return what git says; as somebody, where it asks who."""
    who = ["-c", "user.name=parabola", "-c", "user.email=parabola@example.org"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def users_environment() -> dict[str, str]:
    """Return the environment without what pytest has put there: a suite of its own is to be run."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


class Watch:
    """Refuses to start a program through `subprocess` in a test that is not marked as one that does so.

    Those take long, and are run apart. Listening begins with the first test of this folder, and cannot be ended: a
    session that times has none of them, and is not slowed down.
    """

    allowed = ("git", "lscpu", "nvidia-smi", "uname")  # which answer at once, whoever asks
    listens = refuses = False

    def begin(self, item: pytest.Item) -> None:
        """Watch over a test, its fixtures of any scope included."""
        if not self.listens:
            self.listens = True
            sys.addaudithook(self.hear)
        self.refuses = item.get_closest_marker("end_to_end") is None

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hear of what the interpreter does."""
        if self.refuses and event == "subprocess.Popen" and Path(os.fsdecode(arguments[0])).name not in self.allowed:
            raise AssertionError(f"this test starts {arguments[0]}: mark it with @pytest.mark.end_to_end")


WATCH = Watch()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, Any, Any]:
    """Have no garbage sought in what modules made: TensorFlow's takes half a second each time, and is none.

    Later it is sought more rarely than Python does by itself, which takes one thirtieth of the time of all tests. A
    session that times is left as it is.
    """
    if not session.config.getoption("benchmark_disable"):
        return (yield)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(*SELDOM)
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin to watch."""
    WATCH.begin(item)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """End it."""
    WATCH.refuses = False


def pytest_unconfigure() -> None:
    """Seek garbage once, and leave the rest: pytest would seek five times after this, and Python again when it ends."""
    gc.collect()
    leave_memory()


@pytest.fixture(scope="session", autouse=True)
def signals() -> None:
    """A shell's background jobs, and nohup, have tests and what they start ignore signals; ours are to heed them."""
    for number in ending.SIGNALS:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes a repository whose one commit has the suite above, with some of its files replaced."""

    def make(**files: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir()
        git(folder, "init", "--quiet", "--initial-branch=main")
        replaced = {"src/thing.py": files.get("thing"), "test_it.py": files.get("test_it")}
        for name, text in SUITE.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(replaced.get(name) or text)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "first")
        return folder

    return make


@pytest.fixture
def few_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a test starts see the variables above."""
    for name, value in FEW_PLUGINS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def _signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave the signals of this process as they were, whatever command a test runs in it."""
    monkeypatch.setattr(ending, "_asked", [])
    monkeypatch.setattr(ending, "_held_off", [])
    monkeypatch.setattr(ending, "_over", [])
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = {number: signal.getsignal(number) for number in ending.SIGNALS}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)
