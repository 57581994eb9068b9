"""Which cases a launch can measure: those that are asked for, and those that are lost with a file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from parabola.compare.sides.failure import Failure, SideFailed, failure_of
from parabola.compare.sides.protocol import Collected


def having(part: str, cases: Sequence[str]) -> list[str]:
    """Return the case of that name, or else all that have it in their name."""
    return [part] if part in cases else [case for case in cases if part in case]


def named(names: Sequence[str], cases: Sequence[str]) -> Sequence[str]:
    """Return for each name the case that it is, or those that have it in their name; without names all of them.

    Raises:
        SideFailed: if a name is in none.
    """
    found = {name: having(name, cases) for name in names}
    for name, cases_named in found.items():
        if not cases_named:
            raise SideFailed(
                f"--case: none of the {len(cases)} benchmarks of both sides has {name!r} in its name", True
            )
    return [case for of_name in found.values() for case in of_name] if names else cases


def planted(slower: Mapping[str, float], cases: Sequence[str]) -> dict[str, float]:
    """Return by case the share of extra work to plant, from what was asked for by parts of names.

    Raises:
        SideFailed: if a part is in no name, or in several.
    """
    found = {part: having(part, cases) for part in slower}
    for part, ones in found.items():
        if len(ones) != 1:
            raise SideFailed(f"--inject plants in one case, but {len(ones)} have {part!r} in their name", usage=True)
    return {found[part][0]: share for part, share in slower.items()}


def lost(collected: Mapping[str, Collected]) -> dict[str, Failure]:
    """Return why cases cannot be measured whose file a side could not collect.

    Args:
        collected: what each side could collect, by the side's name.

    Returns:
        By case, or by the file itself where the other side has no cases of it either.
    """
    found = dict[str, Failure]()
    for file in dict.fromkeys(broken.case for said in collected.values() for broken in said.uncollected):
        broken = {name: one for name, said in collected.items() for one in said.uncollected if one.case == file}
        failure = failure_of(broken)
        assert failure is not None
        sides = Counter(case for said in collected.values() for case in said.cases)
        cases = [case for case, number in sides.items() if number == 1 and _is_of(case, file)]
        found |= dict.fromkeys(cases or [file], replace(failure, did=f"could not collect {file}"))
    return found


def _is_of(case: str, file: str) -> bool:
    """Return whether a case is of a file, a class in one, or a folder."""
    return case.startswith((f"{file}::", f"{file}/"))
