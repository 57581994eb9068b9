"""Which mutants there are of the project's files, and which of them a study draws."""

import ast
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import cosmic_ray.commands
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, WorkItem

from tests.mutation import operators

Range = tuple[tuple[int, int], tuple[int, int]]  # first and end, each a line from 1 and a column from 0


def all_mutants(paths: Iterable[Path], session: Path) -> list[WorkItem]:
    """Return every mutant of some files, in a fixed order, without those that change a type or nothing at all.

    Args:
        paths: files, as they are named from the project's folder.
        session: where Cosmic Ray keeps them; the file is replaced.
    """
    operators.register()
    session.unlink(missing_ok=True)
    paths = list(paths)
    with use_db(session) as database:
        cosmic_ray.commands.init(paths, database, {})
        found: tuple[WorkItem, ...] = database.work_items
    ignored = {path: list(_ignored(path.read_text(encoding="utf-8"))) for path in paths}
    kept = [item for item in found if not any(_lies_in(item.mutations[0], *one) for one in ignored[_path(item)])]
    return sorted(kept, key=lambda item: (_site(item), item.mutations[0].operator_name, item.mutations[0].occurrence))


def draw(mutants: Iterable[WorkItem], number: int, seed: int) -> list[WorkItem]:
    """Return mutants at so many places, drawn at random without weights: of each place one of its mutants.

    A `+` has eleven mutants and a `not` has one; places are drawn, so that neither counts more.

    Args:
        mutants: in a fixed order.
        number: how many to draw; all places where there are fewer.
        seed: decides the draw.
    """
    generator, places = random.Random(seed), defaultdict[object, list[WorkItem]](list)
    for mutant in mutants:
        places[_site(mutant)].append(mutant)
    drawn = generator.sample(list(places.values()), min(number, len(places)))
    return [generator.choice(variants) for variants in drawn]


def keep(mutants: Iterable[WorkItem], session: Path) -> None:
    """Put mutants into a session of Cosmic Ray's, in place of what was there."""
    session.unlink(missing_ok=True)
    with use_db(session, WorkDB.Mode.create) as database:
        database.add_work_items(mutants)


def _path(item: WorkItem) -> Path:
    path: Path = item.mutations[0].module_path
    return path


def _site(item: WorkItem) -> tuple[str, object, object, str]:
    """Return where a mutant is, and of which family: operators that turn the same sign are one."""
    mutation = item.mutations[0]
    return str(mutation.module_path), mutation.start_pos, mutation.end_pos, mutation.operator_name.partition("_")[0]


def _lies_in(mutation: MutationSpec, family: str, place: Range) -> bool:
    return family in mutation.operator_name and bool(place[0] <= mutation.start_pos and mutation.end_pos <= place[1])


def _ignored(source: str) -> Iterator[tuple[str, Range]]:
    """Give what no test should notice: a family of operators, and the place where it means nothing.

    `int | None` as an annotation is for readers and type checkers, and so is what is imported for them alone.
    """
    lines = source.splitlines()

    def place(node: ast.expr) -> Range:
        first, last = lines[node.lineno - 1], lines[(node.end_lineno or node.lineno) - 1]  # ast counts bytes
        start = len(first.encode()[: node.col_offset].decode())
        end = len(last.encode()[: node.end_col_offset].decode())
        return (node.lineno, start), (node.end_lineno or node.lineno, end)

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
            yield "BinaryOperator", place(node.annotation)
        elif isinstance(node, ast.FunctionDef) and node.returns:
            yield "BinaryOperator", place(node.returns)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield "AddNot", place(node.test)
