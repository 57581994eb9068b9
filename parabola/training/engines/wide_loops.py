"""How LLVM vectorises the loops of what Numba compiles, where its own choice is a poor one."""

from collections.abc import Iterator
from contextlib import contextmanager

from parabola.training.engines.short_registers import slow_avx512

NUMBERS = 16  # float32 values in a register of AVX-512
SHORT = 8  # and in one of AVX2


@contextmanager
def wide_loops(registers: int) -> Iterator[None]:
    """Have loops that Numba compiles meanwhile take 16 numbers a register, and mask what is left at their end.

    By itself LLVM takes 32 numbers a turn, and what is left one by one: in a batch of 27 that is all of them. Where
    AVX-512 is left out (see `short_registers`), a register has 8 numbers and nothing is masked, and loops of one
    register are left to LLVM. Without AVX-512 nothing changes: this has been measured nowhere else.

    Args:
        registers: how many a turn fills; 0 leaves all to LLVM. More are faster in long loops, and slower in short ones.
    """
    import llvmlite.binding as llvm

    if slow_avx512():
        fewest, width, end = 2, SHORT, "scalar-epilogue"
    else:
        fewest, width, end = 1, NUMBERS, "predicate-else-scalar-epilogue"
    if registers < fewest or not llvm.get_host_cpu_features().get("avx512f"):
        yield
        return
    try:
        set_options(f"{width}", f"{registers}", end)
        yield
    finally:
        set_options("0", "0", "scalar-epilogue")


def set_options(width: str, interleave: str, end: str) -> None:
    """Set what LLVM does from now on in this process; 0 lets it choose.

    Args:
        width: how many numbers a register holds.
        interleave: how many registers a turn fills.
        end: what becomes of the numbers that do not fill a turn.
    """
    import llvmlite.binding as llvm

    llvm.set_option("", f"-force-vector-width={width}")
    llvm.set_option("", f"-force-vector-interleave={interleave}")
    llvm.set_option("", f"-prefer-predicate-over-epilogue={end}")
