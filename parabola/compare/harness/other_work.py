"""Which cases measure other work on the two sides, as a file that says what they measure is not the same in both."""

import ast
import os
import shlex
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import accumulate
from pathlib import Path

from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.verdicts import Judgement, Verdict

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MENTIONED_IN = ("id", "attr", "arg", "value")  # the fields of a syntax tree's nodes that may hold another's name
# The names of the class and function that it is, or is in; whether others may call it by a decorator; and what it says.
Statement = tuple[tuple[str, ...], bool, str]


def _read(content: bytes) -> tuple[list[Statement], set[object]]:
    """Return the statements of a file, of its classes too, and all names and other constants that these mention.

    What is no Python, or cannot be read by this Python, is one statement, of all its bytes.
    """
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        tree = _without_texts(content)
        mentioned = {getattr(node, field, None) for node in ast.walk(tree) for field in MENTIONED_IN}
        return [*_statements(tree.body)], mentioned
    return [((), False, repr(content))], set()


def _without_texts(content: bytes) -> ast.Module:
    """Return the syntax tree of a module, without statements that are but a text, as docstrings are."""
    with warnings.catch_warnings(action="ignore"):  # they are for whoever writes the suite
        tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    return tree


def _statements(body: Sequence[ast.stmt], within: tuple[str, ...] = (), called: bool = False) -> Iterator[Statement]:
    """Yield statements, of classes first those in them. What has a decorator that is no mark is called, as fixtures."""
    for node in body:
        names = (*within, node.name) if isinstance(node, Definition) else within
        is_called = called or not all(map(_is_mark, getattr(node, "decorator_list", [])))
        if isinstance(node, ast.ClassDef):
            yield from _statements(node.body, names, is_called)
            node.body = []
        yield names, is_called, ast.dump(node)


def _is_mark(decorator: ast.expr) -> bool:
    """Return whether a decorator is one of pytest's marks, with arguments or without."""
    return ast.unparse(getattr(decorator, "func", decorator)).rpartition(".")[0] in {"pytest.mark", "mark"}


def other_work(files: BySide[dict[str, list[str]]], base: Checkout, head: Checkout) -> dict[str, Judgement]:
    """Return by case why its times say nothing of the code that it measures: its harness is not the same on both sides.

    Comments, layout and docstrings do not count, nor do other tests of a case's own file. A file that cannot be read
    counts as one that differs.

    Args:
        files: of each side by case the paths of the files that say what it measures, its own first.
        base, head: the sides' checkouts, in which these lie.
    """
    sides = ((files.head, head), (files.base, base))
    cases = {
        (path, names)
        for said, side in sides
        for case, paths in said.items()
        for path in _inside(paths[:1], side.top)
        for names in accumulate((name,) for name in _names(case))  # its class, too
    }

    @cache
    def read(path: str) -> tuple[list[list[Statement]], set[str]]:
        """Return both sides' statements of a file, none if its bytes are the same; and what tests stand alone.

        A test that something mentions does not: others may call it, and so may what has an odd name. Nor does what
        a decorator may have others call, unless it is a case.
        """
        in_both = [file.read_bytes() if file.is_file() else b"" for file in (base.top / path, head.top / path)]
        said = [*map(_read, in_both)] if in_both[0] != in_both[1] else []
        defined = [(names, called) for statements, _ in said for names, called, _ in statements if names]
        tests = {it for it, _ in defined if (path, it) in cases or it[-1].lower().startswith("test")}
        linked = {name for _, mentioned in said for name in mentioned}
        linked |= {names[-1] for names, called in defined if called and (path, names) not in cases}
        return [statements for statements, _ in said], {names[-1] for names in tests if names[-1] not in linked}

    @cache
    def differ(path: str, own: frozenset[str] | None = None) -> bool:
        """Return whether a file's statements differ; if a test's own names are given, but for other tests."""
        with suppress(OSError):
            said, alone = read(path)
            others = set() if own is None else alone - own
            counted = [[it for it in statements if others.isdisjoint(it[0])] for statements in said]
            return counted[:1] != counted[1:]
        return True

    found = dict[str, Judgement]()
    for case in files.head:
        paths = [_inside(said.get(case, ()), side.top) for said, side in sides]
        own = {path for of_side in paths for path in of_side[:1]}
        differing = [
            os.path.relpath(base.top / path, base.folder)
            for path in dict.fromkeys(paths[0] + paths[1])
            if differ(path) and (path not in own or differ(path, frozenset(_names(case))))
        ]
        if differing and case in files.base:
            options = " ".join(f"--harness {shlex.quote(path)}" for path in differing)
            why = f"base and head differ in {', '.join(differing)}; {options} lays head's over base"
            found[case] = Judgement(Verdict.OTHER_WORK, why)
    return found


def _names(case: str) -> Iterator[str]:
    """Yield what stands in a case's name after its file: names of classes and of a function, without parameters."""
    yield from (name.partition("[")[0] for name in case.split("::")[1:])


def _inside(paths: Sequence[str], top: Path) -> list[str]:
    """Return the paths that lie in a checkout, as they lie there."""
    return [str(Path(path).relative_to(top)) for path in paths if Path(path).is_relative_to(top)]
