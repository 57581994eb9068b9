"""A case of another suite, which knows no engines and devices: it is told by its name alone."""

import msgspec

from parabola.records.case import Case, short_name

Params = tuple[tuple[str, str | float], ...]


class ForeignCase(Case, frozen=True):
    """A case of another suite.

    Attributes:
        params: names and values of those parameters that a table can show, in their order.
        short: short name, where the function's alone is that of another case, too; else empty.
    """

    params: Params = ()
    short: str = ""

    @property
    def parameters(self) -> str:
        """The short name: what stands between the brackets means nothing without the function."""
        return self.label

    @property
    def label(self) -> str:
        """The short name."""
        return self.short or short_name(self.name)

    @property
    def on_any_device(self) -> "ForeignCase":
        """What is equal for the same case of two records: all but what tables show."""
        return msgspec.structs.replace(self, params=(), short="")


def foreign_case(name: str, group: str | None, params: Params) -> ForeignCase:
    """Return a case of another suite; its group makes its kind.

    Args:
        name: full name of the benchmark, as pytest has it.
        group: name of the group that the suite gave it; None for none.
        params: names and values of the parameters that a table can show, in their order.
    """
    kind = f"group {group}" if group else "time"
    return ForeignCase(name, kind, None, engine="", device="", params=params)
