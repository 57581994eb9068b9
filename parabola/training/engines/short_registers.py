"""AVX-512 left out of what Numba compiles, on processors where LLVM's code is slower with it."""

from functools import cache
from typing import Any

AMD = "znver"  # how LLVM's names of AMD's processors begin


def slow_avx512() -> bool:
    """Return whether the processor has AVX-512 and what LLVM makes of `native` is slower with it, as on AMD's Zen 4.

    At 999 samples a batch an epoch takes 1.4 µs there as LLVM likes it with AVX-512, 1.7 by masked loops of 16 numbers,
    0.8 as LLVM likes it without, and 0.7 so by two registers a turn. On an Intel Xeon the masked loops are the fastest.
    Other processors of AMD's that have AVX-512 have not been measured, and are taken for alike.
    """
    import llvmlite.binding as llvm

    return llvm.get_host_cpu_name().startswith(AMD) and bool(llvm.get_host_cpu_features().get("avx512f"))


def leave_out_slow_avx512() -> None:
    """Do nothing. In a function that Numba compiles: have LLVM leave out AVX-512 in it where `slow_avx512`."""


@cache
def teach_numba() -> None:
    """Tell Numba what `leave_out_slow_avx512` means in a function that it compiles, by its low-level extensions."""
    from numba.core import types
    from numba.extending import lower_builtin, type_callable

    def returns_nothing(context: Any) -> Any:
        return lambda: types.none

    def name_features(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if slow_avx512():
            # llvmlite's own `add` knows no attributes with a value; it writes what the set has.
            set.add(builder.function.attributes, f'"target-features"="{features_without_avx512()}"')
        return context.get_dummy_value()

    type_callable(leave_out_slow_avx512)(returns_nothing)
    lower_builtin(leave_out_slow_avx512)(name_features)


def features_without_avx512() -> str:
    """Return what the processor can do but for AVX-512, as LLVM takes it: "+avx2,-avx512f"."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features().items()
    return ",".join(f"{'+' if has and not name.startswith('avx512') else '-'}{name}" for name, has in sorted(features))
