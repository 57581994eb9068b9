"""Before the first launch: each side's environment is made, and its checkout is built in place."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec

from parabola.compare.environments import inside
from parabola.compare.environments.differences import Environment
from parabola.compare.environments.interpreter import Interpreter
from parabola.compare.environments.running import Runner, Tell
from parabola.compare.harness.laying import lay
from parabola.compare.outcome import Options
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout, Repository
from parabola.compare.sides.failure import SideFailed
from parabola.compare.sides.projects import own_names
from parabola.compare.sides.start import Setup

NEEDED = {"python": inside.OLDEST, "pytest": (7, 0), "pytest-benchmark": (4, 0)}  # for each side, or newer


def common_setup(options: Options, repository: Repository, sides: Sequence[Checkout], scratch: Path) -> Setup:
    """Return what all launches of a comparison have in common, before anything is made for them; lay head's harness.

    Args:
        options: what was asked for.
        repository: the user's.
        sides: base's checkout and head's.
        scratch: the folder that these lie in.

    Raises:
        ValueError: if head has no such harness.
    """
    base, head = sides
    laid = lay(options.harness, repository, base, head)
    return Setup(
        base=base,
        head=head,
        scratch=scratch,
        elsewhere=repository.top.resolve(),
        pytest_options=options.pytest_options,
        slower=options.slower,
        limit_seconds=options.limit_seconds,
        own_names=BySide(own_names(base), own_names(head)),
        allowed=options.allowed,
        logs=Path(options.logs).absolute() if options.logs else None,
        wanted=options.only_cases,
        laid=laid,
    )


def make(setup: Setup, options: Options, tell: Tell) -> Setup:
    """Make the environments that are asked for, one after the other, so that the second finds in caches what it needs.

    Then, or if none is asked for, let each side build in its checkout.

    Args:
        setup: what all launches of the comparison have in common.
        options: what was asked for.
        tell: what is told several times a second what is going on.

    Returns:
        The setup with each side's Python and, unless both are this program's, with what is installed for each.

    Raises:
        SideFailed: if a command fails, or an environment lacks what measuring needs.
    """
    own = any((*vars(options.install).values(), *vars(options.python).values()))
    if not own and not any(vars(options.setup).values()):
        return setup
    interpreters, environments = dict[str, Interpreter](), dict[str, Environment]()
    for checkout in (setup.base, setup.head):
        name = checkout.name
        install, python, build = (getattr(each, name) for each in (options.install, options.python, options.setup))
        logs = (setup.logs or setup.scratch) / "environments"
        runner = Runner(name, checkout.folder, logs / f"{name}.log", setup.scratch, tell)
        interpreter = Interpreter(python, own=True) if python else Interpreter()
        if install:
            interpreter = _new(interpreter, setup.scratch / "environments" / name, runner)
            runner.run("--install", install, interpreter.variables())
        if build:
            runner.run("--setup", build, interpreter.variables())
        if own:
            environments[name] = _look_into(interpreter, checkout, getattr(setup.own_names, name)["projects"], runner)
            interpreter = replace(interpreter, copied=interpreter.own and environments[name].copied)
        interpreters[name] = interpreter
    return replace(setup, interpreters=BySide(**interpreters), environments=BySide(**environments) if own else None)


def _new(given: Interpreter, folder: Path, runner: Runner) -> Interpreter:
    """Make a virtual environment with pip in it, by uv where it is there and can, else by the given Python itself."""
    made = Interpreter(str(folder / "bin" / "python"), own=True)
    if uv := shutil.which("uv"):
        with suppress(SideFailed):  # as where only pip is told of the place that it may install from
            by_uv = [uv, "venv", "--seed", "--python", given.path, str(folder)]
            runner.run("making an environment by uv", by_uv, given.variables())
            return made
    by_itself = [given.path, "-m", "venv", "--clear", str(folder)]
    runner.run("making an environment", by_itself, given.variables())
    return made


def _look_into(interpreter: Interpreter, checkout: Checkout, projects: list[str], runner: Runner) -> Environment:
    """Return what is installed for a side. Raises SideFailed if that is not enough to measure it."""
    question = [interpreter.path, inside.__file__, str(checkout.top), *projects]
    lines = runner.run("looking into its environment", question, interpreter.variables())
    answer = next(line for line in reversed(lines) if line.startswith('{"packages"'))
    environment = msgspec.json.decode(answer, type=Environment)
    for package, oldest in NEEDED.items():
        version = environment.packages.get(package)
        if version is None or _numbers(version) < oldest:
            has = f"{package} {version}" if version else f"no {package}"
            add = f"add '{package}>={'.'.join(map(str, oldest))}' to what is there"
            raise SideFailed(f"{checkout.name}'s environment ({interpreter.path}) has {has}: {add}")
    return environment


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that a version begins with, up to the second."""
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")[:2])
