"""How LLVM vectorises the loops of what Numba compiles, where its own choice is a poor one."""

from collections.abc import Iterator
from contextlib import contextmanager

NUMBERS = 16  # float32 values in a register of AVX-512


@contextmanager
def wide_loops(registers: int) -> Iterator[None]:
    """Have loops that Numba compiles meanwhile take 16 numbers a register, and mask what is left at their end.

    By itself LLVM takes 32 numbers a turn, and what is left one by one: in a batch of 27 that is all of them. Without
    AVX-512 nothing changes: this has been measured nowhere else, and masks are slow on processors that have none.

    Args:
        registers: how many a turn fills; 0 leaves all to LLVM. More are faster in long loops, and slower in short ones.
    """
    import llvmlite.binding as llvm

    if not registers or not llvm.get_host_cpu_features().get("avx512f"):
        yield
        return
    try:
        set_options(f"{NUMBERS}", f"{registers}", "predicate-else-scalar-epilogue")
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
