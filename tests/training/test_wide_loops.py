"""Loops that Numba compiles sixteen numbers wide: when, for how long, and without a word on the terminal."""

from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

from parabola.training.engines import native
from parabola.training.engines.native import NativeEngine, make_kernel
from parabola.training.engines.wide_loops import wide_loops
from parabola.training.experiment import Experiment

WIDE = ["-force-vector-width=16", "-force-vector-interleave=2"]
MASKED, ALONE = "-prefer-predicate-over-epilogue=predicate-else-scalar-epilogue", "-prefer-predicate-over-epilogue="
OWN = ["-force-vector-width=0", "-force-vector-interleave=0", f"{ALONE}scalar-epilogue"]


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what LLVM is told from now on, on a processor with AVX-512."""
    told = list[str]()
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "sapphirerapids")
    monkeypatch.setattr(llvm, "get_host_cpu_features", lambda: {"avx512f": True})
    monkeypatch.setattr(llvm, "set_option", lambda name, option: told.append(option))
    return told


def test_options_hold_within_the_block_alone(options: list[str]) -> None:
    """LLVM has its own choice back after the block, and also after one that ends in an error."""
    with wide_loops(2):
        assert options == [*WIDE, MASKED]
    assert options[3:] == OWN

    with pytest.raises(ZeroDivisionError), wide_loops(1):
        raise ZeroDivisionError
    assert options[6:] == ["-force-vector-width=16", "-force-vector-interleave=1", MASKED, *OWN]


def test_nothing_is_set_without_registers_or_masks(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop of one turn, and a processor without AVX-512, are left to LLVM."""
    with wide_loops(0):
        pass
    for features in ({}, {"avx512f": False}):
        monkeypatch.setattr(llvm, "get_host_cpu_features", lambda found=features: found)
        with wide_loops(2):
            pass

    assert options == []


def test_where_avx_512_is_slow_long_loops_fill_two_short_registers(
    options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short loops are left to LLVM, and no loop is masked."""
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "znver4")
    for registers in (0, 1):
        with wide_loops(registers):
            pass
    assert options == []

    with wide_loops(2):
        assert options == ["-force-vector-width=8", "-force-vector-interleave=2", f"{ALONE}scalar-epilogue"]
    assert options[3:] == OWN


@pytest.mark.parametrize("batch_size", [1, 27, 111])
def test_native_compiles_without_a_word(
    batch_size: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LLVM remarks on loops that it was told to make wide and cannot; the kernel has none, and learns the same."""
    monkeypatch.setattr(native, "make_kernel", make_kernel.__wrapped__)  # so that it is compiled here
    spec = Experiment(engine="native", batch_size=batch_size, samples=250, epochs=3)
    engine: Any = NativeEngine(spec)
    engine.build()
    found = engine.run(engine.reset())
    engine.kernel = engine.kernel.py_func
    expected = engine.run(engine.reset())

    assert capfd.readouterr() == ("", "")
    np.testing.assert_allclose(found, expected, rtol=1e-5)
