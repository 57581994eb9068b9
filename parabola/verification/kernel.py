"""Adam on a network's own formula, compiled by Numba: in float64, or with every intermediate randomly rounded."""

import math
from functools import cache
from typing import Any

import numpy as np

from parabola.training.target import Array

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7  # Keras' defaults of Adam
STEP = 1e-100  # along the imaginary axis: its square vanishes, so that the slope is exact to rounding
HALF_UNIT = 2.0**-24  # the largest relative error of rounding to float32


@cache
def make_kernel(predict: Any) -> Any:
    """Return the function that trains one epoch, compiled; its arguments are as in `Reference.train_on`.

    The learning rate decays along half a cosine to a part of itself, `floor`, over `decay_steps` steps; 0 keeps it. The
    function returns the weights after the epoch, shape (weights,), float64, and the largest size of a gradient in it.

    Random rounding is Monte Carlo arithmetic: a value is moved by up to half a unit in float32's last place and rounded
    to float32. Within the network's formula, of which nothing is known, it is the weights that are moved instead.
    With `units` above 0 a batch is summed in such units, and each addition is rounded to the nearest: random errors of
    many additions cancel, those of rounding to the nearest need not, as all terms meet sums of about the same size.

    Args:
        predict: the network's formula, as a method: (network, weights one by one, x) to the output.

    Source: Parker, "Monte Carlo arithmetic", UCLA CSD-970002, 1997; Squire and Trapp, "Using complex variables to
    estimate derivatives of real functions", SIAM Review 40, 1998; Kingma and Ba, "Adam", ICLR 2015, section 2;
    Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5.
    """
    import numba

    formula = numba.njit(predict)
    largest_number = float(np.finfo(np.float32).max)

    @numba.njit  # type: ignore[untyped-decorator]
    def stored(value: float, spread: float) -> float:
        if spread == 0.0:
            return value * math.inf if abs(value) > largest_number else value
        return float(np.float32(value))

    @numba.njit  # type: ignore[untyped-decorator]
    def rounded(value: float, spread: float, random: Array) -> float:
        if spread == 0.0:
            return float(stored(value, spread))
        bits = random[0]  # xorshift: Marsaglia, Journal of Statistical Software 8(14), 2003
        bits ^= bits << np.uint64(13)
        bits ^= bits >> np.uint64(7)
        bits ^= bits << np.uint64(17)
        random[0] = bits
        return float(stored(value * (1 + spread * (np.int64(bits) * 2.0**-63)), spread))

    @numba.njit  # type: ignore[untyped-decorator]
    def decayed(share: float, floor: float, spread: float, random: Array) -> float:
        angle = rounded(math.pi * rounded(share, spread, random), spread, random)
        height = rounded(1 + rounded(math.cos(angle), spread, random), spread, random) / 2
        return float(rounded(rounded((1 - floor) * height, spread, random) + floor, spread, random))

    @numba.njit  # type: ignore[untyped-decorator]
    def train(
        x: Array,
        y: Array,
        order: Array,
        batch_size: int,
        learning_rate: float,
        state: Array,
        gradient: Array,
        point: Array,
        steps: int,
        spread: float,
        forward: float,
        random: Array,
        floor: float = 1.0,
        decay_steps: int = 0,
        units: float = 0.0,
    ) -> float:
        size = gradient.size
        w, m, v = state[0], state[1], state[2]
        rate, epsilon = rounded(learning_rate, spread, random), rounded(EPSILON, spread, random)
        beta_1, beta_2 = rounded(BETA_1, spread, random), rounded(BETA_2, spread, random)
        part_1, part_2 = rounded(1 - BETA_1, spread, random), rounded(1 - BETA_2, spread, random)
        largest = 0.0
        for first in range(0, order.size, batch_size):
            last = min(first + batch_size, order.size)
            for i in range(size):
                gradient[i] = 0.0
            scale = rounded(2 / (last - first) * (units or 1.0), spread, random)
            for k in range(first, last):
                sample = complex(x[order[k]], 0.0)
                for i in range(size):
                    point[i] = complex(rounded(w[i], forward, random), 0.0)
                output = stored(rounded(formula(None, point, sample).real, forward, random), spread)
                error = rounded(output - y[order[k]], spread, random)
                factor = rounded(scale * error, spread, random)
                for i in range(size):
                    real = point[i]
                    point[i] = complex(real.real, STEP)
                    slope = rounded(formula(None, point, sample).imag / STEP, spread, random)
                    point[i] = real
                    total = gradient[i] + rounded(factor * slope, spread, random)
                    gradient[i] = stored(total, spread) if units else rounded(total, spread, random)
            if decay_steps:
                part = decayed(steps / decay_steps, floor, spread, random)
                rate = rounded(learning_rate * part, spread, random)
            steps += 1
            power_1 = rounded(beta_1**steps, spread, random)
            power_2 = rounded(beta_2**steps, spread, random)
            root = rounded(math.sqrt(rounded(1 - power_2, spread, random)), spread, random)
            alpha = rounded(rounded(rate * root, spread, random) / rounded(1 - power_1, spread, random), spread, random)
            for i in range(size):
                g = gradient[i] / (units or 1.0)
                largest = max(largest, abs(g))
                square = rounded(g * g, spread, random)
                m[i] = stored(m[i] + rounded(rounded(g - m[i], spread, random) * part_1, spread, random), spread)
                v[i] = stored(v[i] + rounded(rounded(square - v[i], spread, random) * part_2, spread, random), spread)
                below = rounded(rounded(math.sqrt(v[i]), spread, random) + epsilon, spread, random)
                w[i] = stored(w[i] - rounded(rounded(alpha * m[i], spread, random) / below, spread, random), spread)
        return largest

    def train_on_copies(x: Array, y: Array, order: Array, batch_size: int, learning_rate: float, *given: Any) -> Any:
        state = np.stack(given[:3])
        room = np.zeros(state.shape[1]), np.zeros(state.shape[1], np.complex128)  # to make it in there compiles longer
        return state, train(x, y, order, batch_size, learning_rate, state, *room, *given[3:])

    return train_on_copies
