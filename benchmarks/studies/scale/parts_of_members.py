"""What takes longer in a larger block of members: python -m benchmarks.studies.scale.parts_of_members

A batch passes over all members for each of its samples, to add each one's gradient to its sum. Here these passes are
compiled alone, beside the whole program, which also puts the samples of each member into order.
"""

import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.bench_members import BATCH_SIZE, LEARNING_RATE
from parabola.display.console import tracked
from parabola.display.tables import markdown_lines, table_of
from parabola.display.units import duration
from parabola.ensemble.members import members_program
from parabola.machine import backends
from parabola.training.experiment import Experiment

EXPERIMENT = Experiment(batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, epochs=4)
MEMBERS = [320, 1024, 3008, 10016, 30016, 100000]  # whole turns of XLA's loops
ROUNDS = 5


def whole_program(members: int) -> Callable[[], Any]:
    """Return what trains a block for four epochs, compiled."""
    program = members_program(EXPERIMENT, members)
    rows = program.reset(np.arange(members), np.full(members, EXPERIMENT.learning_rate))
    placed = program.place(rows)
    return lambda: program.run(placed)


def sums_alone(members: int) -> Callable[[], Any]:
    """Return what adds up as many gradients as four epochs do, of three samples that all members share, compiled."""
    tf, net = backends.start(), EXPERIMENT.net
    weights = tf.Variable(np.ones((net.size, members), np.float32))
    samples = tf.constant(np.linspace(0, 1, 3 * members, dtype=np.float32).reshape(3, members))

    def gradient(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            own = tf.unstack(weights.read_value())
            tape.watch(own)
            loss = tf.reduce_sum(tf.square(net.predict(own, x) - y))
        return tf.stack(tape.gradient(loss, own))

    def add(at: Any, total: Any) -> Any:
        return at + 1, total + gradient(tf.gather(samples, at % 3), tf.gather(samples, (at + 1) % 3))

    def sums(number: Any) -> Any:
        begin = tf.constant(0), tf.zeros(weights.shape)
        return tf.while_loop(lambda at, _: at < number, add, begin)[1]

    compiled, number = tf.function(sums, autograph=False, jit_compile=True), EXPERIMENT.samples * EXPERIMENT.epochs
    return lambda: compiled(tf.constant(number)).numpy()


def seconds(run: Callable[[], Any], members: int) -> float:
    """Return the shortest of some times of a member and epoch, in seconds."""
    run()
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return min(times) / members / EXPERIMENT.epochs


def main(
    members: Annotated[list[int] | None, typer.Option(help="Only blocks of so many; repeatable.")] = None,
) -> None:
    """Print a row a block: what a member and epoch take in the whole program, and the sums alone."""
    backends.choose("tensorflow")
    rows = []
    for number in tracked(members or MEMBERS, "blocks"):
        parts = {"whole program": whole_program(number), "sums alone": sums_alone(number)}
        found = {name: duration(seconds(run, number)) for name, run in parts.items()}
        rows.append({"members": f"{number:,}", **found})
    print("\n".join(markdown_lines(table_of("", rows, leading=("members",)))))


if __name__ == "__main__":
    typer.run(main)
