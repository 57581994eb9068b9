"""One member of a block, as what a check takes: it trains as the rest of the block does, in the same program."""

from dataclasses import replace

import numpy as np

from parabola.ensemble.members import Program
from parabola.machine.backends import backend
from parabola.training.state import State
from parabola.training.target import Array
from parabola.verification.refusal import subject_of


class Member:
    """One member of a block, with what `Trained` asks for."""

    def __init__(self, program: Program, seeds: Array, learning_rates: Array, place: int) -> None:
        """Take one member out of a block.

        Args:
            program: the block's program.
            seeds: shape (n,), integers: every member's seed.
            learning_rates: shape (n,): every member's learning rate.
            place: which member, from 0.
        """
        self.program, self.seeds, self.learning_rates, self.place = program, seeds, learning_rates, place
        seed, learning_rate = int(seeds[place]), float(learning_rates[place])
        self.experiment = replace(program.experiment, seed=seed, learning_rate=learning_rate)
        self.device = program.device
        again = f"benchmarks/bench_members.py --benchmark-only --backend {backend()} --device {self.experiment.device}"
        label = f"member {place + 1} of {len(seeds)}: "
        self.subject = subject_of(self.experiment, self.device, label, f"{again} --members {len(seeds)}")

    def reset(self) -> Array:
        """Give the whole block fresh weights and a fresh optimizer; return this member's rows of the whole run."""
        self.left = self.program.reset(self.seeds, self.learning_rates)
        return np.array(self.left[:, self.place])

    def run(self, rows: Array) -> Array:
        """Train the whole block on, this member by the given rows; return this member's weights after each epoch."""
        block, self.left = self.left[: len(rows)].copy(), self.left[len(rows) :]
        block[:, self.place] = rows
        return self.of(self.program.run(self.program.place(block)))

    def state(self) -> State:
        """Return what the next run of this member begins with."""
        return self.program.state(self.place)

    def of(self, weights: Array) -> Array:
        """Return this member's part of a block's weights: shape (epochs, size of the network), float32."""
        return weights[..., self.place]
