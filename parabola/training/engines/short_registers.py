"""AVX-512 left out of what Numba compiles, on processors that have it and are slower with it."""

from functools import cache
from typing import Any

AMD = "znver"  # how LLVM's names of AMD's processors begin


def slow_avx512() -> bool:
    """Return whether the processor has AVX-512 and the loops of `native` are slower with it: that of AMD's Zen 4 is.

    The samples of a batch are gathered from all over. At 999 a batch an epoch takes 1.4 µs there with AVX-512, 1.8 by
    masked loops of 16 numbers, and 0.8 without it. On Intel's the masked loops are the fastest. Nothing else of AMD's
    that has AVX-512 has been measured, and is taken for alike.
    """
    import llvmlite.binding as llvm

    return llvm.get_host_cpu_name().startswith(AMD) and bool(llvm.get_host_cpu_features().get("avx512f"))


def leave_out_slow_avx512() -> None:
    """Do nothing. In a function that Numba compiles: have LLVM leave out AVX-512 in this function if it is slow."""


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
