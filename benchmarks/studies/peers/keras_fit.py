"""The published program, timed: Keras `fit`, plain or with the best that Keras' own knobs give.

Usage: python keras_fit.py EPOCHS LEARNING_RATE BATCH_SIZE [fused]
"""

import json
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy as np

epochs, learning_rate, batch_size = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
fused = sys.argv[4:] == ["fused"]
x = np.random.RandomState(42).rand(999)
y = x**2 + 2 * x + 2
keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input((1,)),
        keras.layers.Dense(1, activation=keras.ops.square),
        keras.layers.Dense(1),
    ]
)
model.compile(
    loss="mean_squared_error",
    optimizer=keras.optimizers.Adam(learning_rate),
    steps_per_execution=-(-999 // batch_size) if fused else 1,
    jit_compile=fused,
)


class Clock(keras.callbacks.Callback):
    seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.begun)


model.fit(x, y, epochs=epochs + 1, batch_size=batch_size, verbose=0, callbacks=[Clock()])
(w1,), (b1,), (w2,), (b2,) = (w.numpy().astype(float).ravel() for w in model.weights)
print(
    json.dumps(
        {
            "seconds_per_epoch": statistics.median(Clock.seconds[1:]),
            "coefficients": [w2 * w1**2, 2 * w2 * w1 * b1, w2 * b1**2 + b2],
        }
    )
)
