"""What is done before the first launch: which commands are run for which side, where, and how they fail."""

import ast
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from parabola.compare.environments import inside, running
from parabola.compare.environments.differences import Environment
from parabola.compare.environments.interpreter import INSTALLED_FIRST, Interpreter
from parabola.compare.environments.making import make
from parabola.compare.outcome import Options
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.start import PLUGIN
from parabola.machine import ending
from tests.players import setup_of

HAS = {"python": "3.11.7", "pytest": "9.2.0", "pytest-benchmark": "5.3.1"}
VARIABLES = {"PATH": "/bin", "PYTHONPATH": "/ours", "VIRTUAL_ENV": "/ours", "GIT_DIR": "/x", "PYTEST_XDIST_WORKER": "1"}


class Programs:
    """Stands in for subprocess.Popen: keeps what is run, and says what it is told to.

    Attributes:
        run: of each program the side, the command, and all that Popen was given.
        says: by a part of a command what it writes.
        codes: by a part of a command the code that it ends with; 0 for others.
    """

    def __init__(self, says: Mapping[str, str], codes: Mapping[str, int]) -> None:
        self.run = list[tuple[str, Any, dict[str, Any]]]()
        self.says, self.codes = says, codes

    def __call__(self, command: str | list[str], **options: Any) -> "Programs":
        options["env"].pop("PYTEST_CURRENT_TEST", None)  # which pytest sets while a test runs
        temporary = Path(options["env"].pop("TMPDIR"))
        assert temporary.is_dir()
        assert temporary.parts[-3:] == ("scratch", "environments", f"{options['env']['PARABOLA_SIDE']}_tmp")
        self.run.append((options["env"]["PARABOLA_SIDE"], command, options))
        words = command if isinstance(command, str) else " ".join(command)
        if "venv " in words:
            folder = Path(words.split()[-1])
            (folder / "bin").mkdir(parents=True, exist_ok=True)
            (folder / "pyvenv.cfg").touch()
        told = next((text for part, text in self.says.items() if part in words), "")
        options["stdout"].write(told.encode())
        options["stdout"].flush()
        self.code = next((code for part, code in self.codes.items() if part in words), 0)
        return self

    pid = 7001

    def wait(self, timeout: float | None = None) -> int:
        return self.code

    @property
    def commands(self) -> list[tuple[str, Any]]:
        return [(side, command) for side, command, _ in self.run]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Programs]:
    """Return what puts programs in the place of real ones; looking into an environment finds what is needed there."""

    def put(
        says: Mapping[str, str] = {}, codes: Mapping[str, int] = {}, uv: str | None = None, copied: bool = False
    ) -> Programs:
        answer = json.dumps({"packages": HAS, "copied": copied})
        made = Programs({**says, inside.__file__: f"a warning\n{answer}\n"}, codes)
        monkeypatch.setattr(subprocess, "Popen", made)
        monkeypatch.setattr("os.environ", {**VARIABLES})
        monkeypatch.setattr("shutil.which", lambda name: uv)
        return made

    return put


def of_sides(base: str, head: str = "") -> BySide[str]:
    return BySide(base, head)


def failure_of(call: Callable[[], object]) -> SideFailed:
    with pytest.raises(SideFailed) as failure:
        call()
    return failure.value


def test_nothing_is_run_where_nothing_is_asked_for(programs: Callable[..., Programs], tmp_path: Path) -> None:
    """Both sides keep the Python that runs this program, and nobody looks into it."""
    made, setup = programs(), setup_of(tmp_path)

    assert make(setup, Options("main"), print) is setup
    assert made.run == []
    assert (setup.interpreters.base, setup.environments) == (Interpreter(sys.executable, False, False), None)


def test_a_command_builds_in_both_checkouts(programs: Callable[..., Programs], tmp_path: Path) -> None:
    """A shell runs it in each folder that pytest is to run in, with the user's variables, and its side's name."""
    made, setup, told = programs(), setup_of(tmp_path), list[str]()
    options = Options("main", setup=of_sides("make", "make && make test"))
    prepared = make(setup, options, told.append)

    assert prepared == setup
    assert made.commands == [("base", "make"), ("head", "make && make test")]
    for checkout, (_, _, given) in zip((setup.base, setup.head), made.run, strict=True):
        stdout = given.pop("stdout")
        assert Path(stdout.name) == tmp_path / f"scratch/environments/{checkout.name}.log"
        assert given == {
            "shell": True,
            "cwd": checkout.folder,
            "env": {"PATH": "/bin", "PYTHONPATH": "/ours", "VIRTUAL_ENV": "/ours", "PARABOLA_SIDE": checkout.name},
            "stdin": subprocess.DEVNULL,
            "stderr": subprocess.STDOUT,
            "start_new_session": True,
        }
    assert told == ["base: --setup, 0 s", "head: --setup, 0 s"]


def test_each_side_gets_an_environment_that_is_filled_before_it_builds(
    programs: Callable[..., Programs], tmp_path: Path
) -> None:
    """It is made by Python itself, activated, filled and looked into, base's first; its copy is what is measured."""
    made, setup = programs(copied=True), setup_of(tmp_path, logs=tmp_path / "logs")
    setup.own_names.base["projects"].append("my.lib")
    options = Options("main", install=of_sides("pip install a", "pip install b"), setup=of_sides("", "make"))
    try:
        prepared = make(setup, options, lambda doing: None)
    finally:
        setup.own_names.base["projects"].clear()

    base, head = (tmp_path / "scratch/environments" / name for name in ("base", "head"))
    assert made.commands == [
        ("base", [sys.executable, "-m", "venv", "--clear", str(base)]),
        ("base", "pip install a"),
        ("base", [f"{base}/bin/python", inside.__file__, str(setup.base.top), "my.lib"]),
        ("head", [sys.executable, "-m", "venv", "--clear", str(head)]),
        ("head", "pip install b"),
        ("head", "make"),
        ("head", [f"{head}/bin/python", inside.__file__, str(setup.head.top)]),
    ]
    activated = {
        "PATH": f"{base}/bin:/bin", "VIRTUAL_ENV": str(base), "UV_PROJECT_ENVIRONMENT": str(base),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PARABOLA_SIDE": "base",
    }  # fmt: skip
    assert [given["env"] for _, _, given in made.run][1:3] == [activated, activated]
    assert [given["shell"] for _, _, given in made.run] == [False, True, False, False, True, True, False]
    assert prepared.interpreters == BySide(
        Interpreter(f"{base}/bin/python", own=True, copied=True), Interpreter(f"{head}/bin/python", True, True)
    )
    assert prepared.environments == BySide(*[Environment(HAS, copied=True)] * 2)
    assert (tmp_path / "logs/environments/base.log").read_text().startswith('a warning\n{"packages": ')


@pytest.mark.parametrize("able", [True, False])
def test_uv_makes_environments_where_it_can(able: bool, programs: Callable[..., Programs], tmp_path: Path) -> None:
    """It puts pip into them; where it cannot, as it is not told where from, the given Python makes them."""
    made = programs(codes={} if able else {"/usr/bin/uv": 2}, uv="/usr/bin/uv")
    python = str(tmp_path / "python3.12")
    options = Options("main", install=of_sides("pip install a"), python=of_sides(python))
    make(setup_of(tmp_path), options, lambda doing: None)

    folder = str(tmp_path / "scratch/environments/base")
    by_uv = ("base", ["/usr/bin/uv", "venv", "--seed", "--python", python, folder])
    by_itself = ("base", [python, "-m", "venv", "--clear", folder])
    assert made.commands[:-3] == ([by_uv] if able else [by_uv, by_itself])
    assert made.commands[-1] == ("head", [sys.executable, inside.__file__, str(tmp_path / "scratch/head")])


def test_a_python_that_is_there_is_looked_into_alone(programs: Callable[..., Programs], tmp_path: Path) -> None:
    """Nothing is made or installed; what is beside it comes first on the PATH, and no variable of ours reaches it."""
    made = programs(copied=True)
    prepared = make(setup_of(tmp_path), Options("main", python=of_sides("", "/opt/bin/python3.9")), lambda doing: None)

    assert [command[0] for _, command in made.commands] == [sys.executable, "/opt/bin/python3.9"]
    assert made.run[1][2]["env"] == {
        "PATH": "/opt/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PARABOLA_SIDE": "head"
    }  # fmt: skip
    assert made.run[0][2]["env"] == {
        "PATH": "/bin", "PYTHONPATH": "/ours", "VIRTUAL_ENV": "/ours", "PARABOLA_SIDE": "base"
    }  # fmt: skip
    assert prepared.interpreters == BySide(Interpreter(), Interpreter("/opt/bin/python3.9", own=True, copied=True))


@pytest.mark.parametrize(
    ("said", "last"),
    [("one\n\nno rule to make\n\n", "no rule to make"), ("", "no word"), (" \n", "no word"), ("\n" * 9 + "x", "x")],
)
@pytest.mark.parametrize("option", ["install", "setup"])
def test_a_command_that_fails(
    option: str, said: str, last: str, programs: Callable[..., Programs], tmp_path: Path
) -> None:
    """Its side, its exit code and its last line are told, with the end of what it wrote; the other side is left."""
    made = programs(says={"false": said}, codes={"false": 2})
    options: Any = {option: of_sides("false", "false")}
    failure = failure_of(lambda: make(setup_of(tmp_path), Options("main", **options), lambda doing: None))

    assert (str(failure), failure.usage) == (f"base: --{option} ended with exit code 2: {last}", False)
    assert failure.output == said.splitlines()
    assert made.commands[-1] == ("base", "false")


def test_of_what_a_command_writes_the_end_is_told(programs: Callable[..., Programs], tmp_path: Path) -> None:
    """Thirty lines, and none of the command before it; all of it is in the log."""
    programs(says={"first": "of the first\n", "then": "".join(f"{line}\n" for line in range(40))}, codes={"then": 1})
    runner = running.Runner("head", tmp_path, tmp_path / "logs/head.log", tmp_path / "scratch", lambda doing: None)
    runner.run("--install", "first", {})
    failure = failure_of(lambda: runner.run("--setup", "then", {}))

    assert failure.output == [str(line) for line in range(10, 40)]
    assert (tmp_path / "logs/head.log").read_text().startswith("of the first\n0\n1\n")


def test_ctrl_c_ends_a_command_with_all_that_it_has_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the signal alone was lost: its group of processes is killed, and waited for."""
    killed, waited = list[tuple[int, int]](), list[float | None]()

    class Endless:
        pid = 7002

        def __init__(self, command: str, **options: Any) -> None:
            pass

        def wait(self, timeout: float | None = None) -> int:
            waited.append(timeout)
            if timeout:
                ending._asked.append(signal.SIGTERM)
                raise subprocess.TimeoutExpired("sleep", timeout)
            return -9

    monkeypatch.setattr(subprocess, "Popen", Endless)
    monkeypatch.setattr("os.killpg", lambda group, sent: killed.append((group, sent)))
    with pytest.raises(KeyboardInterrupt):
        running.Runner("base", tmp_path, tmp_path / "log", tmp_path, lambda doing: None).run("--setup", "sleep 60", {})

    assert killed == [(7002, signal.SIGKILL)]
    assert waited == [running.POLL_SECONDS, None]


@pytest.mark.parametrize(
    ("python", "packages", "lacks"),
    [
        ("3.8.18", {}, "has python 3.8.18: add 'python>=3.9' to what is there"),
        ("3.9.0", {}, "has no pytest: add 'pytest>=7.0' to what is there"),
        ("3.10.1", {"pytest": "6.2.5"}, "has pytest 6.2.5: add 'pytest>=7.0' to what is there"),
        ("3.13.0", {"pytest": "8"}, "has no pytest-benchmark: add 'pytest-benchmark>=4.0' to what is there"),
        (
            "3.13.0",
            {"pytest": "10.0rc1", "pytest-benchmark": "3.4.1"},
            "has pytest-benchmark 3.4.1: add 'pytest-benchmark>=4.0' to what is there",
        ),
    ],
)
def test_an_environment_that_lacks_something_is_not_measured(
    python: str, packages: dict[str, str], lacks: str, programs: Callable[..., Programs], tmp_path: Path
) -> None:
    """Which, where, and what to add, before anything is installed for the other side."""
    made = programs()
    made.says = {inside.__file__: json.dumps({"packages": {"python": python, **packages}, "copied": False})}
    options = Options("main", python=of_sides("/opt/bin/python"), install=of_sides("", "pip install x"))
    failure = failure_of(lambda: make(setup_of(tmp_path), options, lambda doing: None))

    assert str(failure) == f"base's environment (/opt/bin/python) {lacks}"
    assert not failure.usage
    assert len(made.run) == 1


def test_a_copy_comes_before_the_checkout_it_was_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else pytest is begun as ever; with a copy, what is installed is found first, and the folder of the tests last."""
    (tmp_path / "mylib.py").write_text("raise ImportError('of the checkout')")
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed/mylib.py").touch()
    (tmp_path / "installed/pytest.py").write_text("console_main = lambda: (__import__('mylib'), 0)[1]")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "installed")])
    monkeypatch.delitem(sys.modules, "pytest")

    assert Interpreter("p").pytest() == ["p", "-m", "pytest"]
    assert Interpreter("p", True, True).pytest() == ["p", "-c", INSTALLED_FIRST]
    with pytest.raises(SystemExit) as ended:
        exec(INSTALLED_FIRST, {})
    assert ended.value.code == 0
    assert sys.path == [str(tmp_path / "installed"), str(tmp_path)]
    sys.modules.pop("mylib")


@pytest.mark.parametrize("path", [*sorted(PLUGIN.glob("*.py")), Path(inside.__file__)], ids=lambda path: path.name)
def test_what_a_sides_python_runs_is_python_3_9(path: Path) -> None:
    """Its grammar is, and no annotation is evaluated, as those of later versions could not be."""
    tree = ast.parse(path.read_text(), feature_version=inside.OLDEST)
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    futures = [node.names[0].name for node in imports if node.module == "__future__"]

    assert futures == ["annotations"]
