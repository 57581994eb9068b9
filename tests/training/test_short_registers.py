"""Functions of Numba that leave AVX-512 out: on which processors, and which of them."""

from collections.abc import Callable

import llvmlite.binding as llvm
import numba
import pytest

from parabola.training.engines.short_registers import leave_out_slow_avx512, teach_numba


def with_mark(number: int) -> int:
    leave_out_slow_avx512()
    return number + 1


def without_mark(number: int) -> int:
    return number + 2


def features(function: Callable[[int], int]) -> list[str]:
    """Return the features of the processor that a function is compiled for, where they are not the machine's own."""
    teach_numba()
    compiled = numba.njit(function)
    assert compiled(1) == function(1)
    (code,) = compiled.inspect_llvm().values()
    lines = [line for line in code.splitlines() if "target-features" in line]
    return [line.split('"target-features"="')[1].split('"')[0] for line in lines]


@pytest.mark.parametrize(
    ("name", "has", "left_out"),
    [
        ("znver4", True, True),
        ("znver5", True, True),
        ("znver3", False, False),
        ("sapphirerapids", True, False),
    ],
)
def test_avx_512_is_left_out_on_processors_of_amd_that_have_it(
    name: str, has: bool, left_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its parts, in the function that asks for it alone; what the processor can do besides stays."""
    found = llvm.get_host_cpu_features()
    parts = {"avx512f": has, "avx512vl": has, "sse4.2": True, "rtm": False}
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: name)
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: type(found)({**found, **parts}))
    said = features(with_mark)

    assert features(without_mark) == []
    if not left_out:
        assert said == []
        return
    words = {word for line in said for word in line.split(",")}
    assert {"-avx512f", "-avx512vl", "+sse4.2", "-rtm"} <= words
    assert not [word for word in words if word.startswith("+avx512")]
    assert {word[1:] for word in words} == {*found, *parts}


def test_in_python_it_does_nothing() -> None:
    """A kernel can be called as it is written."""
    assert with_mark(1) == 2
