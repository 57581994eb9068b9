"""Which cases measure other work on the two sides, as a file that says what they measure is not the same in both."""

import ast
import os
import shlex
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.verdicts import Judgement, Verdict

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
MENTIONED_IN = ("id", "attr", "arg", "value")  # the fields of a syntax tree's nodes that may hold another's name
Statement = tuple[tuple[str, ...], str]  # the names of the class and function that it is, or is in; and what it says


def _read(path: Path) -> tuple[list[Statement], set[object]]:
    """Return the statements of a file, of its classes too, and all names and other constants that these mention.

    What is no Python, or cannot be read by this Python, is one statement, of all its bytes.
    """
    content = path.read_bytes() if path.is_file() else b""
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        tree = _without_texts(content)
        mentioned = {getattr(node, field, None) for node in ast.walk(tree) for field in MENTIONED_IN}
        return [*_statements(tree.body)], mentioned
    return [((), repr(content))], set()


def _without_texts(content: bytes) -> ast.Module:
    """Return the syntax tree of a module, without statements that are but a text, as docstrings are."""
    with warnings.catch_warnings(action="ignore"):  # they are for whoever writes the suite
        tree = ast.parse(content)
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    return tree


def _statements(body: Sequence[ast.stmt], within: tuple[str, ...] = ()) -> Iterator[Statement]:
    """Yield statements, of classes first those in them."""
    for node in body:
        names = (*within, node.name) if isinstance(node, Definition) else within
        if isinstance(node, ast.ClassDef):
            yield from _statements(node.body, names)
            node.body = []
        yield names, ast.dump(node)


def other_work(files: BySide[dict[str, list[str]]], base: Checkout, head: Checkout) -> dict[str, Judgement]:
    """Return by case why its times say nothing of the code that it measures: its harness is not the same on both sides.

    Comments, layout and docstrings do not count, nor do other tests of a case's own file.

    Args:
        files: of each side by case the paths of the files that say what it measures, its own first.
        base, head: the sides' checkouts, in which these lie.
    """
    tests = {name for case in (*files.base, *files.head) for name in _names(case)}
    read = cache(lambda path: (_read(base.top / path), _read(head.top / path)))

    @cache
    def differ(path: str, own: frozenset[str] | None = None) -> bool:
        """Return whether both sides' statements of a file differ; but for other tests, if a test's own names are given.

        A test that something mentions is no other: a test may call it, and so may what has an odd name.
        """
        (one, in_one), (other, in_other) = read(path)
        defined = {name for names, _ in one + other for name in names}
        are_tests = {name for name in defined if name in tests or name.lower().startswith("test")}
        others = set() if own is None else are_tests - own - in_one - in_other
        one, other = ([it for it in statements if not others & {*it[0]}] for statements in (one, other))
        return one != other

    found = dict[str, Judgement]()
    for case in files.head:
        paths = [_inside(said.get(case, ()), side.top) for said, side in ((files.head, head), (files.base, base))]
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
