"""The CPU's limit and an independent oracle: hand-derived gradient and Adam, scalar, compiled by Numba."""

import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from parabola.training.engines import Engine
from parabola.training.engines.short_registers import leave_out_slow_avx512, teach_numba
from parabola.training.engines.wide_loops import NUMBERS, wide_loops
from parabola.training.state import State
from parabola.training.target import Array

# Every flag that lets LLVM reorder and approximate, except "nnan" and "ninf": NaN and inf must show divergence.
FAST_MATH = {"reassoc", "contract", "nsz", "arcp", "afn"}


def compiled(kernel: Callable[..., None], kept: bool) -> Any:
    """Return a function that Numba compiles when it is called.

    Args:
        kernel: the plain Python function.
        kept: whether the machine code is kept beside this file, where Python keeps bytecode, for later processes on
            like processors; or where Numba can write instead. Where it can write nowhere, or Python is told to write no
            bytecode, nothing is kept.
    """
    import numba

    # Off by default in Numba. It puts the four parameters into one vector, which saves a quarter at batch size 1.
    numba.config.SLP_VECTORIZE = 1
    njit = partial(numba.njit, fastmath=FAST_MATH, error_model="numpy", nogil=True)
    try:
        return njit(kernel, cache=kept and not sys.dont_write_bytecode)
    except RuntimeError:  # Numba finds no folder, or the function is from no file
        return njit(kernel)


@cache
def make_kernel(output_neuron: bool, one_sample: bool, registers: int, kept: bool = False) -> Any:
    """Return the compiled function (x, y, bank, rows, batch_size, learning_rate, state, powers, history).

    With z = w1 x + b1 and h = z², the loss is the batch's mean of (w2 h + b2 - y)². Where d = 2 (w2 h + b2 - y) /
    batch size, its gradient is the batch's sum of 2 d w2 z x, 2 d w2 z, d h and d. One neuron is w2 = 1, b2 = 0.

    At batch size 1 the inner loop runs exactly once. Telling the compiler so avoids useless vectorisation and register
    spills, and saves a quarter of the time.

    Args:
        output_neuron: whether w2 and b2 are trained; otherwise they stay at 1 and 0.
        one_sample: whether every batch has one sample.
        registers: how many a turn of the inner loop fills, where the processor can (see `wide_loops`).
        kept: whether the machine code is kept for later processes (see `compiled`).

    Source: Kingma and Ba, "Adam", ICLR 2015, the efficient form at the end of section 2, as Keras has it.
    """
    single = np.float32

    def kernel(
        x: Array,
        y: Array,
        bank: Array,
        rows: Array,
        batch_size: int,
        learning_rate: float,
        state: Array,
        powers: Array,
        history: Array,
    ) -> None:
        if registers < 0:  # never: named here, so that what is kept on disk for one number is not taken for another
            return
        leave_out_slow_avx512()
        w1, b1, w2, b2 = state[0]
        m1, m2, m3, m4 = state[1]
        v1, v2, v3, v4 = state[2]
        beta_1_power, beta_2_power = powers
        rate_m, rate_v, epsilon, two = single(1 - 0.9), single(1 - 0.999), single(1e-7), single(2)
        negligible = 1e-30  # 1 less a smaller power is 1; and on with it, numbers would be denormal, and very slow
        partial = x.size - x.size % batch_size  # where a batch with fewer samples begins
        for epoch in range(rows.size):
            order = bank[rows[epoch]]
            for first in range(0, x.size, batch_size):
                size = 1 if one_sample else batch_size if first < partial else x.size - first
                scale = two / single(size)
                g1 = g2 = g3 = g4 = single(0)
                for k in range(first, first + size):
                    at = np.uintp(order[k])  # without a sign, so that no index counts from the end
                    xk = x[at]
                    z = w1 * xk + b1
                    h = z * z
                    d = scale * (w2 * h + b2 - y[at])
                    dz = d * w2 * two * z
                    g1 += dz * xk
                    g2 += dz
                    if output_neuron:
                        g3 += d * h
                        g4 += d
                beta_1_power = beta_1_power * 0.9 if beta_1_power > negligible else 0.0
                beta_2_power = beta_2_power * 0.999 if beta_2_power > negligible else 0.0
                alpha = single(learning_rate * np.sqrt(1 - beta_2_power) / (1 - beta_1_power))
                m1 += (g1 - m1) * rate_m
                m2 += (g2 - m2) * rate_m
                m3 += (g3 - m3) * rate_m
                m4 += (g4 - m4) * rate_m
                v1 += (g1 * g1 - v1) * rate_v
                v2 += (g2 * g2 - v2) * rate_v
                v3 += (g3 * g3 - v3) * rate_v
                v4 += (g4 * g4 - v4) * rate_v
                w1 -= alpha * m1 / (np.sqrt(v1) + epsilon)
                b1 -= alpha * m2 / (np.sqrt(v2) + epsilon)
                w2 -= alpha * m3 / (np.sqrt(v3) + epsilon)
                b2 -= alpha * m4 / (np.sqrt(v4) + epsilon)
            history[epoch, 0], history[epoch, 1], history[epoch, 2], history[epoch, 3] = w1, b1, w2, b2
        state[0, 0], state[0, 1], state[0, 2], state[0, 3] = w1, b1, w2, b2
        state[1, 0], state[1, 1], state[1, 2], state[1, 3] = m1, m2, m3, m4
        state[2, 0], state[2, 1], state[2, 2], state[2, 3] = v1, v2, v3, v4
        powers[0], powers[1] = beta_1_power, beta_2_power

    teach_numba()
    return compiled(kernel, kept)


class NativeEngine(Engine):
    """The arithmetic of the other engines without a framework, for Adam on a CPU.

    Attributes:
        keeps: whether kernels are taken from the disk, where an earlier process has left them, and left there.
    """

    keeps = True

    def forget(self) -> None:
        """Forget the kernels that were compiled for other engines of this process, and those on disk from now on."""
        make_kernel.cache_clear()
        NativeEngine.keeps = False

    def build(self) -> None:
        """Compile the kernel by running no epochs, or take it from the disk."""
        self.device = "cpu:0"
        batch_size = self.experiment.batch_size
        registers = 0 if batch_size == 1 else 1 if batch_size < 2 * NUMBERS else 2
        sort = self.experiment.net.output_kernel is not None, batch_size == 1, registers
        self.reset()
        with wide_loops(registers):
            try:
                self.kernel = make_kernel(*sort, self.keeps)
                self.run(np.zeros(0, np.int32))
            except OSError:  # the disk is full, say
                self.kernel = make_kernel(*sort)
                self.run(np.zeros(0, np.int32))

    def load(self, weights: Array, learning_rate: float) -> None:
        """Set the weights, with w2 = 1 and b2 = 0 where the network has none, and Adam's moments and powers of beta."""
        self.learning_rate, self.powers, self.steps = float(learning_rate), np.ones(2), 0
        self.values = np.zeros((3, 4), np.float32)
        self.values[0] = (0, 0, 1, 0)
        self.values[0, : len(weights)] = weights

    def run(self, rows: Array) -> Array:
        """Run the kernel."""
        history = np.empty((len(rows), 4), np.float32)
        knobs = self.experiment.batch_size, self.learning_rate, self.values, self.powers
        self.steps += len(rows) * self.experiment.steps
        self.kernel(self.x.ravel(), self.y.ravel(), self.bank, rows, *knobs, history)
        return history[:, : self.experiment.net.size]

    def state(self) -> State:
        """Return copies of what the kernel has left."""
        weights, momentum, velocity = self.values[:, : self.experiment.net.size].copy()
        return State(weights, {"momentum": momentum, "velocity": velocity}, self.steps)
