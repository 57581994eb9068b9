"""Which tests of the everyday suite run which lines, found by one run of it under coverage.py."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from coverage import CoverageData

READ_SOURCES = "tests/test_structure.py"  # its tests run no line of the project, and read every file
SECONDS = "MUTATION_SECONDS"  # names the file where the plugin leaves how long each test took


def measure(copy: Path, folder: Path, processes: int) -> None:
    """Run the everyday suite of a copy once, and keep in a folder which test runs which lines and how long it takes.

    Raises:
        SystemExit: if a test fails: of a suite that fails, no mutant can be told.
    """
    packages = [f"--cov={name}" for name in ("parabola", "benchmarks", "conftest")]
    command = [sys.executable, "-m", "pytest", "-q", f"-n{processes}", "-p", "tests.mutation.seconds", *packages]
    own = {"COVERAGE_FILE": str(folder / "coverage"), SECONDS: str(folder / "seconds.json"), "PYTHONPATH": str(copy)}
    done = subprocess.run([*command, "--cov-context=test", "--cov-report="], cwd=copy, env={**os.environ, **own})
    if done.returncode:
        raise SystemExit("the everyday suite fails before anything is changed: mend that first")


class Covering:
    """What a run of the suite under coverage.py has shown.

    Args:
        copy: folder of the project that was run.
        folder: where `measure` has left its files.
    """

    def __init__(self, copy: Path, folder: Path) -> None:
        self.copy = copy
        self.data = CoverageData(str(folder / "coverage"))
        self.data.read()
        self.seconds: dict[str, float] = json.loads((folder / "seconds.json").read_text())

    def tests(self, path: Path, line: int) -> list[str]:
        """Return the tests that run the function around a line: first those that run its statement, the fastest first.

        Of a line that belongs to no function, or whose function no test is seen to run (compiled code is not seen),
        those that run anything in the file; and where even that is nothing, as all of it runs when tests are collected,
        the tests of each file that imports it. Those that read source files are always among them.

        Args:
            path: of the file, from the project's folder.
            line: counted from 1.
        """
        by_line = self._by_line(path)
        statement, function = _around((self.copy / path).read_text(encoding="utf-8"), line)
        first = {test for number in statement for test in by_line.get(number, ())}
        inside = {test for number in function for test in by_line.get(number, ())}
        every = inside or {test for tests in by_line.values() for test in tests} or self._importing(path)
        every = every | {test for test in self.seconds if test.partition("::")[0] == READ_SOURCES}
        fastest = dict[str, float]()
        for test in every:
            file = test.partition("::")[0]
            fastest[file] = min(self.seconds.get(test, 0.0), fastest.get(file, 1e9))

        def turn(test: str) -> tuple[bool, float, str, float]:
            file = test.partition("::")[0]
            return test not in first, fastest[file], file, self.seconds.get(test, 0.0)

        return sorted(every, key=turn)

    def _importing(self, path: Path) -> set[str]:
        module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        package, _, name = module.rpartition(".")
        there = re.compile(rf"\b(from {re.escape(module)} import|from {re.escape(package)} import .*\b{name}\b)")
        files = {test.partition("::")[0] for test in self.seconds}
        having = {file for file in files if there.search((self.copy / file).read_text(encoding="utf-8"))}
        return {test for test in self.seconds if test.partition("::")[0] in having}

    @cache  # noqa: B019 - there is one of these, and it lives as long as the program
    def _by_line(self, path: Path) -> dict[int, set[str]]:
        contexts = self.data.contexts_by_lineno(str(self.copy / path))
        named = {line: {one.partition("|")[0] for one in found if one} for line, found in contexts.items()}
        return {line: {test for test in tests if test in self.seconds} for line, tests in named.items()}


def _around(source: str, line: int) -> tuple[range, range]:
    """Return the lines of the statement that a line belongs to, and those of its function's body (none outside one).

    Of a statement that holds others, only the lines before the first of these.
    """
    statement, function = range(line, line + 1), range(0)
    for node in _nested(ast.parse(source), line):
        if isinstance(node, ast.FunctionDef):
            function = range(node.body[0].lineno, (node.end_lineno or 0) + 1) if line >= node.lineno else function
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            statement = range(node.lineno, body[0].lineno if body else (node.end_lineno or 0) + 1)
    return statement, function


def _nested(node: ast.AST, line: int) -> Iterator[ast.AST]:
    """Give the nodes that a line lies in, from the outermost in."""
    for child in ast.iter_child_nodes(node):
        if getattr(child, "lineno", 0) <= line <= (getattr(child, "end_lineno", 0) or 0):
            yield child
            yield from _nested(child, line)
