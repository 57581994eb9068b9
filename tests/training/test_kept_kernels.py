"""The machine code of `native` on disk: who keeps it, who takes it, and what becomes of it where it cannot be kept."""

import errno
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import caching

from parabola.training import engines
from parabola.training.engines import native
from parabola.training.engines.native import NativeEngine, make_kernel
from parabola.training.experiment import Experiment
from parabola.training.target import Array

SPEC = Experiment(engine="native", batch_size=1, samples=9, epochs=3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have kernels kept in an empty folder, and none of another test in memory."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(NativeEngine, "keeps", True)
    monkeypatch.setattr(native, "make_kernel", cache(make_kernel.__wrapped__))
    return tmp_path


def built() -> Any:
    """Return an engine as the first one of a process is."""
    native.make_kernel.cache_clear()
    return engines.build(SPEC)


def hits(engine: Any) -> int:
    """Return how many kernels were found on disk."""
    return sum(engine.kernel.stats.cache_hits.values())


def test_a_kernel_is_compiled_once_for_all_processes(folder: Path) -> None:
    """The second engine takes what the first has left, and trains the same bits; one that is to be new does not."""
    first = built()
    kept = sorted(path.suffix for path in folder.rglob("*.nb?"))
    second = built()
    assert (hits(first), kept, hits(second)) == (0, [".nbc", ".nbi"], 1)
    np.testing.assert_array_equal(first.run(first.reset()), second.run(second.reset()))

    third = engines.build(SPEC, anew=True)
    assert hits(third) == 0
    np.testing.assert_array_equal(first.run(first.reset()), third.run(third.reset()))
    assert (hits(built()), NativeEngine.keeps) == (0, False)  # nor does any other engine of this process


def test_kernels_that_llvm_makes_differently_are_told_apart(folder: Path) -> None:
    """The number of registers is no part of what is computed: yet what was kept for one is not taken for another."""

    def key(*sort: Any) -> Any:
        kernel = make_kernel.__wrapped__(*sort, True)
        return kernel._cache._index_key((), numba.core.registry.cpu_target.target_context.codegen())

    keys = [key(True, False, 1), key(True, False, 2), key(False, False, 1), key(True, True, 1)]
    assert len(set(keys)) == 4
    assert key(True, False, 1) == keys[0]


def test_without_a_place_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Numba finds no folder to write to it refuses; then the function is compiled for this process alone."""
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(hits, cache=True)
    kernel = make_kernel.__wrapped__(True, True, 0, True)

    assert isinstance(kernel._cache, caching.NullCache)


@pytest.mark.parametrize("written", [True, False])
def test_where_python_writes_no_bytecode_no_kernel_is_kept(
    written: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks Python to leave its folders as they are, asks that of kernels, too."""
    monkeypatch.setattr(sys, "dont_write_bytecode", not written)
    kernel = make_kernel.__wrapped__(True, True, 0, True)

    assert isinstance(kernel._cache, caching.NullCache) is not written


def test_on_a_full_disk_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of writing ends nothing: the kernel is made once more, and not kept."""
    asked, plain = list[bool](), make_kernel(True, True, 0).py_func

    def made(*sort: Any) -> Any:
        kept = len(sort) == 4 and sort[3]
        asked.append(kept)

        def kernel(*arguments: Array) -> None:
            if kept:
                raise OSError(errno.ENOSPC, "No space left on device")
            plain(*arguments)

        return kernel

    monkeypatch.setattr(NativeEngine, "keeps", True)
    monkeypatch.setattr(native, "make_kernel", made)
    engine = engines.build(SPEC)

    assert asked == [True, False]
    assert np.isfinite(engine.run(engine.reset())).all()
