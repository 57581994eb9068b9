"""Kinds of mutants that Cosmic Ray lacks: the other of two built-ins, one operand of a condition, one keyword less."""

from collections.abc import Iterator
from typing import Any

from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import OPERATOR_PROVIDERS

Position = tuple[tuple[int, int], tuple[int, int]]
OTHERS = {"min": "max", "max": "min", "any": "all", "all": "any"}


class SwapBuiltIn(Operator):
    """Replaces min by max and any by all, or the other way round, where they are called."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Give the place of a built-in's name that a call follows."""
        if node.type == "name" and node.value in OTHERS and _is_called(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the name with the other one in its place."""
        node.value = OTHERS[node.value]
        return node

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return what Cosmic Ray shows of it."""
        return (Example("min(x)", "max(x)"), Example("any(x)", "all(x)"))


class DropOperand(Operator):
    """Leaves one operand out of a chain of `and` or `or`."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Give the place of each operand."""
        if node.type in ("and_test", "or_test"):
            for operand in node.children[::2]:
                yield operand.start_pos, operand.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the chain without its index-th operand and the word beside it."""
        return _without(node, 2 * index)

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return what Cosmic Ray shows of it."""
        return (
            Example("a and b", "b"),
            Example("a and b", "a", occurrence=1),
            Example("a or b or c", "a or c", occurrence=1),
        )


class DropKeywordArgument(Operator):
    """Leaves one keyword argument out of a call that has others."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Give the place of each keyword argument."""
        if node.type == "arglist":
            for argument in _keywords(node):
                yield argument.start_pos, argument.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the arguments without the index-th keyword and a comma beside it."""
        return _without(node, node.children.index(_keywords(node)[index]))

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Return what Cosmic Ray shows of it."""
        return (Example("f(x, key=y)", "f(x)"), Example("f(a=x, b=y)", "f(b=y)"))


class Provider:
    """The operators above, as Cosmic Ray asks for them."""

    def __init__(self) -> None:
        self.operators = {operator.__name__: operator for operator in (SwapBuiltIn, DropOperand, DropKeywordArgument)}

    def __iter__(self) -> Iterator[str]:
        return iter(self.operators)

    def __getitem__(self, name: str) -> type[Operator]:
        return self.operators[name]


def register() -> None:
    """Make them known to Cosmic Ray in this process, beside its own."""
    OPERATOR_PROVIDERS["parabola"] = Provider()


def _without(node: Any, place: int) -> Any:
    """Return a node of parts with something between them without one part and what stands beside it."""
    prefix = node.get_first_leaf().prefix
    first = max(place - 1, 0)
    del node.children[first : first + 2]
    node.get_first_leaf().prefix = prefix
    return node


def _is_called(name: Any) -> bool:
    following = name.get_next_sibling()
    return following is not None and following.type == "trailer" and following.children[0] == "("


def _keywords(arguments: Any) -> list[Any]:
    return [child for child in arguments.children if child.type == "argument" and child.children[1] == "="]
