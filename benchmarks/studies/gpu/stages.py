"""The stages of the study in their order, in which what matters most comes first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.studies.gpu import prediction
from parabola import registry
from parabola.training.engines import missing

PARTS = "parts"  # name of a folder in which each stage leaves a record of its own
REPEAT = "repeat"  # name of the folder of the first timed stage, once more at the end
COMMAND_BUFFERS = "command_buffers"  # name of the folder of what is timed with them
# XLA drives loops from the host of a GPU, unless its command buffers may take a whole loop.
COMMAND_BUFFER_FLAGS = "--xla_gpu_enable_command_buffer=+WHILE --xla_gpu_graph_min_graph_size=1"
# The tests that hold every engine of each device against the reference over some epochs. The other exact tests train
# for a thousand, and say whether it learns.
ANSWERS, PASS_RATES = "references or agree or bits", "pass_rates"
STUDY = "benchmarks.studies.gpu"


@dataclass(frozen=True)
class Stage:
    """One command, which is done once it has left its file.

    Attributes:
        name: name of the stage, as it is printed.
        command: module that is run, and its arguments.
        leaves: path in the study's folder of the file that is there only after a command that did not fail.
        record: whether that file is a record of the speed suite; otherwise it is what the command has printed.
        seconds: how long it is predicted to take.
        guess: whether that is a guess, as no such stage has been measured.
        decides: whether there is no time of a device on which it fails.
        environment: variables that its process has besides those of the study, by name.
    """

    name: str
    command: tuple[str, ...]
    leaves: str
    record: bool = True
    seconds: float = 0.0
    guess: bool = True
    decides: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sizes:
    """What is trained in the stages.

    Attributes:
        batch_sizes: the batch sizes that are timed, by number of samples.
        members: the numbers of members that are timed, trained together.
        engines: names of the engines that are timed; all that the backend has where it is empty.
        timed: options for each of these stages.
        map: options for the map.
        answers, learning: which tests are run, as pytest's -k has it.
    """

    batch_sizes: Mapping[int, Sequence[int]]
    members: Sequence[int]
    engines: Sequence[str] = ()
    timed: tuple[str, ...] = ()
    map: tuple[str, ...] = ("--seeds=200",)
    answers: str = ANSWERS
    learning: str = f"not ({ANSWERS} or {PASS_RATES})"


FULL = Sizes(
    {999: (1, 9, 27, 111, 999), 1_000_000: (1_000, 10_000, 100_000, 1_000_000)},
    (1, 10, 100, 1_000, 10_000, 100_000),
)
SMALL = Sizes(  # a rehearsal
    {999: (999,)},
    (8,),
    ("compiled",),
    ("--rounds=3", "--epochs=9"),
    ("--seeds=4", "--learning-rates=0.1", "--batch-sizes=999", "--epochs=9"),
    "bits and native",
    "every_seed",
)


def stages(device: str, folder: Path, sizes: Sizes = FULL) -> Iterator[Stage]:
    """Yield the stages in the order in which they are run.

    Args:
        device: name of the device that is held against the CPU: "gpu:0", …
        folder: the study's folder, in which the stages leave their files.
        sizes: what is trained.
    """
    gpu, start = device.startswith("gpu"), prediction.start_seconds(device)
    state = Stage("state before", (f"{STUDY}.device_state",), "state_before.txt", record=False, seconds=1.0, guess=gpu)
    yield state
    checked = (STUDY, "--check", "--device", device)
    yield Stage("device checks", checked, "checks.txt", record=False, seconds=start, guess=gpu, decides=True)
    # Without --device they run on the CPU and the first GPU, and leave out small batches, which take a GPU minutes.
    tests = ("pytest", "-q", "benchmarks/test_coefficients.py", "-k")
    held = Stage("same answers", (*tests, sizes.answers), "answers.txt", record=False, guess=gpu, decides=True)
    yield replace(held, seconds=prediction.answers_seconds(device))
    pairs = [*timed(device, sizes)]
    yield from pairs
    of_device = [stage for stage in pairs if f"--device={places(device)[0]}" in stage.command]
    for stage in of_device:
        yield replace(
            stage,
            name=f"{COMMAND_BUFFERS}-{stage.name}",
            leaves=f"{COMMAND_BUFFERS}/{stage.leaves}",
            guess=True,
            environment={"XLA_FLAGS": COMMAND_BUFFER_FLAGS},
        )
    if not missing("members"):
        drawn = f"--json={folder / 'map/learning_map.json'}"  # in a folder of its own, because it is no record
        command = ("parabola", "map", f"--device={device}", *sizes.map, drawn)
        yield Stage("map", command, "map.txt", record=False, seconds=start + prediction.map_seconds(device))
    for stage in of_device[:1]:
        yield replace(stage, name=f"repeat of {stage.name}", leaves=f"{REPEAT}/{stage.name}")
    yield replace(state, name="state after", leaves="state_after.txt")
    seconds = prediction.learning_seconds(device)
    yield replace(held, name="learning", command=(*tests, sizes.learning), leaves="learning.txt", seconds=seconds)


def places(device: str) -> Sequence[str]:
    """Return the devices to time on: the one that is asked for, and the CPU, unless that is the same."""
    return ("cpu",) if device in ("cpu", "cpu:0") else (device, "cpu")


def timed(device: str, sizes: Sizes) -> Iterator[Stage]:
    """Yield the stages that time: each size on the device, and then on the CPU, so that a pair lies close together."""
    for samples, batch_sizes in sizes.batch_sizes.items():
        for size in batch_sizes:
            for place in places(device):
                engines = [name for name in timed_engines(sizes) if registry.ENGINES[name].runs_on(place)]
                options = [f"--samples={samples}", f"--batch-size={size}", "--learning-rate=0.001", "--all"]
                command = ("-k", "epoch_time", *(f"--engine={engine}" for engine in engines), *options, *sizes.timed)
                seconds = sum(prediction.epoch_time_seconds(engine, place, samples, size) for engine in engines)
                yield time_stage(place, f"samples_{samples}-batch_{size}", command, seconds)
    for number in () if missing("members") else sizes.members:
        for place in places(device):
            command = ("-k", "members", f"--members={number}")
            yield time_stage(place, f"members_{number}", command, prediction.members_seconds(place, number))


def time_stage(place: str, size: str, options: Sequence[str], seconds: float) -> Stage:
    """Return the stage that times one size on one device, by the speed suite."""
    name = f"{place.replace(':', '_')}-{size}.json"
    command = ("pytest", "--benchmark-only", "-q", *options, f"--device={place}")
    seconds += prediction.start_seconds(place)
    return Stage(name, command, f"{PARTS}/{name}", seconds=seconds, guess=place.startswith("gpu"))


def timed_engines(sizes: Sizes = FULL) -> tuple[str, ...]:
    """Return the engines to time: whole runs and the limit; all engines where the backend has no whole runs."""
    there = [name for name in sizes.engines or registry.timings() if not missing(name)]
    return tuple(name for name in there if registry.ENGINES[name].fast or missing(registry.DEFAULT_ENGINE))
