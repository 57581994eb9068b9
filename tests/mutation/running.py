"""Mutants are tried in copies of the project, one at a time in each, by the tests that run what they change."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_item import WorkItem, WorkResult

from tests.mutation import operators
from tests.mutation.covering import Covering

SPARE_SECONDS, TIMES = 60, 4  # a mutant may take so many times as long as its tests do, and what starting takes


def copy_project(root: Path, copy: Path) -> Path:
    """Copy a working tree as it stands, ignored files apart, into a repository of its own; return the copy."""
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", "--shared", str(root), str(copy)], check=True)
    changed = ["git", "ls-files", "-z", "--modified", "--others", "--deleted", "--exclude-standard"]
    names = subprocess.run(changed, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, dict.fromkeys(names)):
        if (root / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
        else:
            (copy / name).unlink(missing_ok=True)
    own = ["-c", "user.name=copy", "-c", "user.email=copy@example.org"]
    subprocess.run(["git", "add", "--all"], cwd=copy, check=True)
    subprocess.run(["git", *own, "commit", "--quiet", "--allow-empty", "--message", "copy"], cwd=copy, check=True)
    return copy


def restore(root: Path, copy: Path) -> None:
    """Put a copy back to what it was: a mutant may have removed the folder that it worked in, or left files there."""
    for command in (["git", "reset", "--quiet", "--hard"], ["git", "clean", "--quiet", "-d", "--force"]):
        if not (copy / ".git").is_dir() or subprocess.run(command, cwd=copy).returncode:
            copy_project(root, copy)
            return


def everyday_command(tests: Iterable[str], chosen: Path) -> str:
    """Return the command that runs tests in this order, up to the first that fails; their names go to a file."""
    tests = list(tests)
    chosen.write_text("".join(f"{test}\n" for test in tests), encoding="utf-8")
    files = " ".join(dict.fromkeys(test.partition("::")[0] for test in tests))
    # With a space before it pytest would take the name of that file for one of tests, and look for conftest.py there.
    plugin = f"-p tests.mutation.chosen --chosen={chosen}" if tests else "--collect-only"
    return f"{sys.executable} -m pytest -x -q -p no:cacheprovider --hypothesis-seed=0 {plugin} {files}"


def hold_unchanged(mutants: Iterable[WorkItem], covering: Covering, copy: Path) -> None:
    """Run what tries one of the mutants where nothing is changed: else a test that always fails would catch them all.

    Args:
        mutants: to be tried; the one whose tests take the shortest is taken.
        covering: which tests run what.
        copy: an unchanged copy of the project.

    Raises:
        SystemExit: with the end of what pytest printed, if a test fails there.
    """
    tried = [tests for tests in (_tests(mutant, covering) for mutant in mutants) if tests]
    if not tried:
        return
    tests = min(tried, key=lambda tests: sum(covering.seconds[test] for test in tests))
    command = everyday_command(tests, copy.with_suffix(".tests"))
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(shlex.split(command), cwd=copy, env=environment, capture_output=True, text=True)
    if done.returncode:
        end = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise SystemExit(f"these tests fail without any change, so that nothing could be learnt: {command}\n{end}")


def try_all(
    mutants: Iterable[WorkItem], covering: Covering, root: Path, copies: Sequence[Path]
) -> Iterator[tuple[WorkItem, WorkResult]]:
    """Try mutants by the everyday tests; give each with its result as soon as it has one.

    A mutant whose lines no test runs survives without one being started.

    Args:
        mutants: to be tried.
        covering: which tests run what.
        root: the project's folder.
        copies: copies of the project, as many as mutants are tried side by side.
    """
    context = get_context("spawn")
    free: Queue[Path] = context.Queue()
    for copy in copies:
        free.put(copy)
    with ProcessPoolExecutor(len(copies), context, initializer=_settle, initargs=(free,)) as pool:
        running = {}
        for mutant in mutants:
            tests = _tests(mutant, covering)
            limit = SPARE_SECONDS + TIMES * sum(covering.seconds[test] for test in tests)
            running[pool.submit(_try, mutant, tests, limit, root)] = mutant
        for future in as_completed(running):
            yield running[future], future.result()


def _tests(mutant: WorkItem, covering: Covering) -> list[str]:
    change = mutant.mutations[0]
    return covering.tests(change.module_path, change.start_pos[0])


def _settle(free: "Queue[Path]") -> None:
    """Let this process work in a copy of its own."""
    copy = free.get()
    os.chdir(copy)
    os.environ["PYTHONPATH"] = str(copy)
    operators.register()


def _try(mutant: WorkItem, tests: list[str], limit: float, root: Path) -> WorkResult:
    # Where no test is to be run, all are collected, which is what finds a file that cannot be imported.
    copy = Path(os.environ["PYTHONPATH"])
    command = everyday_command(tests, copy.with_suffix(".tests"))
    result = mutate_and_test(mutant.mutations, command, limit)
    restore(root, copy)
    os.chdir(copy)  # which may be a new one
    return result


def caught_end_to_end(mutant: WorkItem, root: Path, copy: Path, limit: float) -> bool:
    """Say whether an end-to-end test fails with a mutant and passes without it.

    This process moves into the copy while it plants the mutant.
    """
    operators.register()  # where a study goes on, this process has drawn none
    here = Path.cwd()
    os.chdir(copy)
    try:
        os.environ["PYTHONPATH"] = str(copy)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "end_to_end"]
        result = mutate_and_test(mutant.mutations, shlex.join([*command, "-x", "-n", "auto"]), limit)
    finally:
        os.chdir(here)
        restore(root, copy)
    if result.output == "timeout":  # Cosmic Ray's word for it
        return True
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+\.py(?:::.+?)?)(?: - .*)?$", result.output or "", re.MULTILINE)
    if not result.is_killed or not failed:
        return False
    without = subprocess.run([*command, *failed], cwd=copy, capture_output=True)
    restore(root, copy)  # a test may have left files there
    return without.returncode == 0
