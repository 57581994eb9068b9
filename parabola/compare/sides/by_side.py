"""A pair of values of any kind: one of base, one of head."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class BySide(Generic[Value]):
    """A value for each of the two sides that are compared.

    Attributes:
        base: the value of the side that is compared with.
        head: the value of the side that may be slower, or wrong.
    """

    base: Value
    head: Value
