"""The published run as a JAX user would write it fast: nested lax.scan, jitted whole. `pip install jax`.

The epochs' orders are made before the clock starts, as for every engine.
Usage: python jax_scan.py EPOCHS LEARNING_RATE BATCH_SIZE [keras]   (BATCH_SIZE divides 999)
With `keras` the same by hand on what Keras carries from step to step: weights of the shapes (1, 1) and (1,), by matrix
products, the rate as an input, and steps counted in an integer.
"""

import json
import statistics
import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

EPOCHS, LEARNING_RATE, BATCH = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
SAMPLES = 999
STEPS = SAMPLES // BATCH
KERAS = sys.argv[4:] == ["keras"]
SHAPES = ((1, 1), (1,), (1, 1), (1,)) if KERAS else ((),) * 4
BATCHES = (STEPS, BATCH, 1) if KERAS else (STEPS, BATCH)


def loss(weights: Any, x: Any, y: Any) -> Any:
    w1, b1, w2, b2 = weights
    if KERAS:
        return jnp.mean((y - (jnp.square(x @ w1 + b1) @ w2 + b2)) ** 2)
    return jnp.mean((w2 * (w1 * x + b1) ** 2 + b2 - y) ** 2)


def step(state: Any, batch: Any) -> Any:
    w, m, v, t, rate = state
    g = jax.grad(loss)(w, *batch)
    t = t + 1
    power = t.astype(jnp.float32)
    alpha = rate * jnp.sqrt(1 - 0.999**power) / (1 - 0.9**power)
    m = tuple(a + (b - a) * 0.1 for a, b in zip(m, g))
    v = tuple(a + (b * b - a) * 0.001 for a, b in zip(v, g))
    w = tuple(a - alpha * b / (jnp.sqrt(c) + 1e-7) for a, b, c in zip(w, m, v))
    return (w, m, v, t, rate), None


def run(state: Any, orders: Any, x: Any, y: Any) -> Any:
    def epoch(state: Any, order: Any) -> Any:
        batches = x[order].reshape(BATCHES), y[order].reshape(BATCHES)
        return jax.lax.scan(step, state, batches)[0], None

    return jax.lax.scan(epoch, state, orders)[0]


train = jax.jit(run)


f = jnp.float32
x = jnp.asarray(np.random.RandomState(42).rand(SAMPLES), f)
y = x**2 + 2 * x + 2
orders = jnp.asarray(
    np.random.default_rng(0).permuted(np.tile(np.arange(SAMPLES, dtype=np.int32), (EPOCHS, 1)), axis=1)
)
weights = tuple(jnp.full(shape, value, f) for shape, value in zip(SHAPES, (-1, 0, 0.8, 0)))
zeros = tuple(map(jnp.zeros_like, weights))
start = weights, zeros, zeros, jnp.int32(0) if KERAS else f(0), f(LEARNING_RATE)
seconds = []
for _ in range(6):
    begun = time.perf_counter()
    (w1, b1, w2, b2), *_ = jax.block_until_ready(train(start, orders, x, y))
    seconds.append(time.perf_counter() - begun)
w1, b1, w2, b2 = (float(weight.ravel()[0]) for weight in (w1, b1, w2, b2))
print(
    json.dumps(
        {
            "seconds_per_epoch": statistics.median(seconds[1:]) / EPOCHS,
            "compile_seconds": seconds[0] - statistics.median(seconds[1:]),
            "coefficients": [w2 * w1**2, 2 * w2 * w1 * b1, w2 * b1**2 + b2],
        }
    )
)
