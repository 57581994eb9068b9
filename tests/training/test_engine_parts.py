"""What engines are made of, held by value without TensorFlow: registry, resets, blocks, feeds, parts of a batch."""

import re
import sys
from contextlib import nullcontext
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parabola.ensemble.members import members_program
from parabola.machine import devices
from parabola.training import engines
from parabola.training.data import order_bank
from parabola.training.engines import Engine, PeerError, distributed, feeds, fit, keras_engine, native
from parabola.training.engines.distributed import DistributedEngine
from parabola.training.engines.native import NativeEngine, make_kernel
from parabola.training.experiment import Experiment
from parabola.training.target import Array, Parabola

HAS = {
    "tensorflow": ["fit", "fused_fit", "compiled", "native", "distributed", "members"],
    "jax": ["fit", "fused_fit", "compiled", "native", "members"],
    "torch": ["fit", "fused_fit", "native"],
}


@pytest.mark.parametrize("backend", HAS)
def test_each_backend_has_its_engines(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it lacks is said with what it has, in the order of the registry, whoever asks."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    lacks = set(HAS["tensorflow"]) - set(HAS[backend])
    said = {
        name: f"{name} is not there on the {backend} backend, which has {', '.join(HAS[backend])}" for name in lacks
    }

    assert {name: engines.missing(name) for name in HAS["tensorflow"]} == dict.fromkeys(HAS["tensorflow"], "") | said
    if "compiled" in lacks:
        with pytest.raises(ValueError, match=f"^engine {re.escape(said['compiled'])}$"):
            engines.create(Experiment())
    if "members" in lacks:
        with pytest.raises(ValueError, match=f"^{re.escape(said['members'])}$"):
            members_program(Experiment(), 3)


class Noting(engines.Engine):
    """Takes note of what it is told, and takes 3 s to build."""

    now = 50.0

    def build(self) -> None:
        """Build."""
        self.said: list[Any] = ["build"]
        Noting.now += 3

    def load(self, weights: Array, learning_rate: float) -> None:
        """Take note."""
        self.said.append((weights.tolist(), learning_rate))
        Noting.now += 10

    def state(self) -> Any:
        raise NotImplementedError

    def run(self, rows: Array) -> Array:
        """Give nothing."""
        return np.zeros((len(rows), 4), np.float32)


def test_an_engine_is_built_within_the_clock_and_reset_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making and resetting it is not in compile_seconds; it has the experiment's samples and bank."""
    spec = Experiment(engine="native", samples=9, seed=5, epochs=3, learning_rate=0.25)
    monkeypatch.setattr(native, "NativeEngine", Noting)
    monkeypatch.setattr(engines, "time", SimpleNamespace(perf_counter=lambda: Noting.now))
    engine = engines.build(spec)

    assert isinstance(engine, Noting)
    assert engine.compile_seconds == 3
    assert engine.said == ["build", (spec.initial_weights(5).tolist(), 0.25)]
    assert engine.experiment is spec
    np.testing.assert_array_equal([engine.x, engine.y], spec.data)
    assert engine.bank is order_bank(9)


@pytest.mark.parametrize(
    ("told", "seed", "rate"),
    [
        ({}, 5, 0.25),
        ({"seed": 0}, 0, 0.25),
        ({"learning_rate": 0.5}, 5, 0.5),
        ({"seed": 0, "learning_rate": 0.0}, 0, 0.0),
        ({"seed": 11, "learning_rate": 0.125}, 11, 0.125),
    ],
)
def test_a_reset_is_of_the_seed_and_rate_told(told: dict[str, Any], seed: int, rate: float) -> None:
    """A value of 0 is a value; the weights and the rows are those of the seed, one row an epoch."""
    spec = Experiment(samples=9, seed=5, epochs=3, learning_rate=0.25)
    engine = Noting(spec)
    engine.build()
    rows = engine.reset(**told)

    assert engine.said[1] == (spec.initial_weights(seed).tolist(), rate)
    assert rows.tolist() == {5: [2035, 455, 3781], 0: [1731, 3635, 1523], 11: [2211, 1357, 2445]}[seed]


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_values_are_copies_read_as_the_backend_likes(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PyTorch by Keras' own way to NumPy, elsewhere by NumPy's, and never the variable's own memory."""
    memory = np.array([1.0, 2.0])
    ways: list[str] = []

    def by_keras(values: Any) -> Any:
        ways.append("keras")
        return values

    ops = SimpleNamespace(convert_to_tensor=lambda variable: variable, convert_to_numpy=by_keras)
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(ops=ops))
    monkeypatch.setenv("KERAS_BACKEND", backend)
    (values,) = keras_engine.values_of([memory])
    memory[0] = 9

    assert values.tolist() == [1.0, 2.0]
    assert ways == (["keras"] if backend == "torch" else [])


def textbook_adam(weights: Array, x: Array, y: Array, batches: list[Array], learning_rate: float) -> Array:
    """Train in float64 by gradients from complex steps, which know no chain rule; return the last weights."""
    weights = np.array(weights, complex)
    first, second = np.zeros(len(weights)), np.zeros(len(weights))

    def loss(at: Array, batch: Array) -> Any:
        w1, b1, *output = at
        w2, b2 = output or (1, 0)
        return np.mean((w2 * (w1 * x[batch] + b1) ** 2 + b2 - y[batch]) ** 2)

    for step, batch in enumerate(batches, 1):
        tiny = 1e-20j * np.eye(len(weights))
        gradient = np.array([loss(weights + one, batch).imag / 1e-20 for one in tiny])
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = learning_rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        weights = weights - rate * first / (np.sqrt(second) + 1e-7)
    return weights.real


def uncompiled(spec: Experiment) -> NativeEngine:
    """Return `native` with its kernel as the plain Python function that Numba compiles."""
    engine = NativeEngine(spec)
    engine.kernel = make_kernel(spec.network == "two_neuron", spec.batch_size == 1, 0).py_func
    return engine


@pytest.mark.parametrize("network", ["two_neuron", "one_neuron"])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 9, 10])
def test_native_is_textbook_adam(network: str, batch_size: int) -> None:
    """Two epochs in float64, each order cut into whole batches and what is left, end at the same weights."""
    knobs: dict[str, Any] = {"target": Parabola(0.5, -1, 2), "samples": 10, "low": -1.0, "high": 1.5, "data_seed": 3}
    spec = Experiment(network=network, engine="native", batch_size=batch_size, epochs=2, learning_rate=0.02, **knobs)
    engine = uncompiled(spec)
    rows = engine.reset()
    found = engine.run(rows)
    x, y = (values.ravel().astype(float) for values in spec.data)
    for epochs in (1, 2):
        batches = [
            order[first : first + batch_size]
            for order in order_bank(10)[rows[:epochs]]
            for first in range(0, 10, batch_size)
        ]
        expected = textbook_adam(spec.initial_weights(7), x, y, batches, 0.02)
        np.testing.assert_allclose(found[epochs - 1], expected, rtol=0, atol=2e-6)
    engine.reset()
    pieces = [engine.run(rows[:1]), engine.run(rows[1:])]
    np.testing.assert_array_equal(np.concatenate(pieces), found)


@pytest.mark.parametrize(
    ("network", "batch_size", "made"),
    [
        ("two_neuron", 1, (True, True, 0)),
        ("two_neuron", 2, (True, False, 1)),
        ("two_neuron", 31, (True, False, 1)),
        ("two_neuron", 32, (True, False, 2)),
        ("one_neuron", 1, (False, True, 0)),
    ],
)
def test_native_compiles_the_kernel_of_its_run(
    network: str, batch_size: int, made: tuple[bool, bool, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Building calls it once without any epoch, with the types that a run has, and a reset of the run's weights."""
    calls = list[Any]()

    def kernel(x: Array, y: Array, bank: Array, rows: Array, *knobs: Any) -> None:
        calls.append((x.shape, y.shape, bank is order_bank(99), rows.tolist(), rows.dtype, knobs))

    monkeypatch.setattr(NativeEngine, "keeps", True)
    monkeypatch.setattr(native, "make_kernel", lambda *told: kernel if told == (*made, True) else None)
    spec = Experiment(network=network, engine="native", batch_size=batch_size, samples=99, epochs=2)
    engine = NativeEngine(spec)
    engine.build()
    ((x, y, bank, rows, kind, (size, rate, state, powers, history)),) = calls
    weights = [*spec.initial_weights(7), 1, 0][:4]

    assert (x, y, bank, rows, kind, size, rate) == ((99,), (99,), True, [], np.int32, batch_size, 0.001)
    assert (history.shape, history.dtype) == ((0, 4), np.float32)
    assert state.tolist() == [weights, [0] * 4, [0] * 4]
    assert state.dtype == np.float32
    assert powers.tolist() == [1, 1]
    assert engine.run(np.zeros(3, np.int32)).shape == (3, 4 if network == "two_neuron" else 2)
    assert engine.device == "cpu:0"


def test_native_forgets_its_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel is made once for all engines of its kind; after forgetting, the next engine makes another one."""
    assert make_kernel(True, True, 0) is make_kernel(True, True, 0)
    monkeypatch.setattr(native, "make_kernel", cache(make_kernel.__wrapped__))  # the other tests' kernels stay
    monkeypatch.setattr(NativeEngine, "keeps", True)
    kept = native.make_kernel(True, True, 0)
    assert native.make_kernel(True, True, 0) is kept
    NativeEngine(Experiment(engine="native", samples=9)).forget()

    assert native.make_kernel(True, True, 0) is not kept


@pytest.mark.parametrize("anew", [True, False])
def test_an_engine_forgets_before_its_clock_starts(anew: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that is to be anew first forgets what others left, outside of the clock; any other keeps it."""
    now, happened = [100.0], list[str]()

    class Slow(NativeEngine):
        def forget(self) -> None:
            happened.append("forget")
            now[0] += 50

        def build(self) -> None:
            happened.append("build")
            now[0] += 2

    monkeypatch.setattr(engines, "create", Slow)
    monkeypatch.setattr(engines, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    engine = engines.build(Experiment(engine="native", samples=9), anew=anew)

    assert happened == (["forget", "build"] if anew else ["build"])
    assert engine.compile_seconds == 2


def test_natives_smallest_steps_have_keras_epsilon() -> None:
    """A gradient of 1.5e-5, whose root mean square is near to epsilon, makes a step of four fifths of the usual."""
    engine = uncompiled(Experiment(engine="native", samples=1, epochs=1))
    engine.y = (1 + (engine.x.astype(float) + 1) ** 2).astype(np.float32)
    engine.load(np.array([1, 1, 1, 1 + 2.0**-17], np.float32), 0.5)
    step = engine.run(np.zeros(1, np.int32))[0, 3] - 1 - 2.0**-17
    root = np.sqrt(0.001) * 2 * 2.0**-17

    assert step == pytest.approx(-0.5 * root / (root + 1e-7), rel=0.02)


def test_arrays_are_put_into_each_epochs_order() -> None:
    """In place, from the untouched samples, so that Keras' own arrays change with them."""
    engine: Any = SimpleNamespace(
        x=np.array([[0.0], [1], [2]], np.float32),
        y=np.array([[0.0], [10], [20]], np.float32),
        bank=np.array([[2, 0, 1], [1, 2, 0]]),
        experiment=Experiment(samples=3, batch_size=2),
    )
    feed: Any = feeds.ArrayFeed(engine)
    feed.choose(np.array([1, 0, 1]))
    seen = []
    for epoch in range(3):
        feed.begin_epoch(epoch)
        seen.append([feed.arguments["x"].ravel().tolist(), feed.arguments["y"].ravel().tolist()])

    assert seen == [[[1, 2, 0], [10, 20, 0]], [[2, 0, 1], [20, 0, 10]], [[1, 2, 0], [10, 20, 0]]]
    assert feed.arguments["batch_size"] == 2
    assert feed.arguments.keys() == {"x", "y", "batch_size"}
    assert engine.x.ravel().tolist() == [0, 1, 2]
    assert engine.y.ravel().tolist() == [0, 10, 20]


@pytest.mark.parametrize(("backend", "default"), [("tensorflow", False), ("jax", True), ("torch", False)])
def test_fit_compiles_where_keras_does(backend: str, default: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fit` as Keras does by itself, step by step; `fused_fit` always; off TensorFlow both are fed arrays."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    engine, fused = (object.__new__(kind) for kind in (fit.FitEngine, fit.FusedFitEngine))

    assert (engine.jit_compile, engine.one_iterator, engine.steps_per_execution) == (default, False, 1)
    assert (fused.jit_compile, fused.one_iterator) == (True, True)
    if backend != "tensorflow":
        engine.x = engine.y = np.zeros((3, 1), np.float32)
        engine.experiment = Experiment(samples=3)
        assert type(engine.make_feed()) is feeds.ArrayFeed


@pytest.mark.parametrize(("backend", "steps"), [("tensorflow", 3), ("jax", 3), ("torch", 1)])
def test_fused_fit_puts_an_epoch_into_a_call(backend: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the backend can; PyTorch makes one step a call, forgets what it compiled, and refuses to go uncompiled."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(fit.FitEngine, "compile", lambda engine: None)
    resets, settings = list[int](), SimpleNamespace(fail_on_recompile_limit_hit=False)
    engine: Any = object.__new__(fit.FusedFitEngine)
    engine.experiment = Experiment(samples=5, batch_size=2)
    engine.framework = SimpleNamespace(
        compiler=SimpleNamespace(reset=lambda: resets.append(1)), _dynamo=SimpleNamespace(config=settings)
    )
    engine.compile()

    assert engine.steps_per_execution == steps
    assert (resets, settings.fail_on_recompile_limit_hit) == (([1], True) if backend == "torch" else ([], False))


def test_a_jit_that_keras_turns_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras does so for some models without a word; the message says what was asked for, and what became of it."""
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace())
    told = dict[str, Any]()
    model = SimpleNamespace(compile=told.update, jit_compile=False)
    engine: Any = SimpleNamespace(model=model, optimizer="an Adam", jit_compile=True, steps_per_execution=9)
    with pytest.raises(RuntimeError, match=r"^Keras turned jit_compile=True into False$"):
        fit.FitEngine.compile(engine)
    knobs = {"optimizer": "an Adam", "jit_compile": True, "steps_per_execution": 9}
    assert told == {"loss": "mean_squared_error", **knobs}


def dealt(replicas: list[int], number: int, local: list[str]) -> tuple[list[Any], list[str]]:
    """Deal out 7 samples in batches of 3 to those of a number of replicas that are here; return it by input."""
    used = list[str]()

    def place(name: str) -> Any:
        used.append(name)
        return nullcontext()

    def on_each(own: Any) -> list[Any]:
        return [own(SimpleNamespace(replica_id_in_sync_group=replica)) for replica in replicas]

    engine: Any = SimpleNamespace(
        framework=SimpleNamespace(device=place, constant=lambda values: values.tolist()),
        experiment=Experiment(samples=7, batch_size=3),
        strategy=SimpleNamespace(num_replicas_in_sync=number, experimental_distribute_values_from_function=on_each),
        local=local,
        x=np.arange(7).reshape(-1, 1),
        y=10 * np.arange(7).reshape(-1, 1),
        bank=np.array([[6, 5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 4, 5, 6]]),
    )
    return DistributedEngine._deal_out(engine), used


def test_a_batch_is_dealt_out_sample_by_sample() -> None:
    """Of 3 samples two replicas get 2 and 1, of the last batch's one 1 and 0; what is missing has no weight."""
    (x, y, bank, places, weights), used = dealt([0, 1], 2, ["a", "b"])
    third = float(np.float32(1) / np.float32(3))

    assert x == [[0, 1, 2, 3, 4, 5, 6]] * 2
    assert y == [[0, 10, 20, 30, 40, 50, 60]] * 2
    assert bank == [[6, 5, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 5, 6]] * 2
    assert places == [[[[0], [2]], [[3], [5]], [[6], [0]]], [[[1], [0]], [[4], [0]], [[0], [0]]]]
    assert weights == [
        [[[third], [third]], [[third], [third]], [[1], [0]]],
        [[[third], [0]], [[third], [0]], [[0], [0]]],
    ]
    assert used == ["a", "b"] * 5


def test_replicas_of_another_process_use_its_own_devices() -> None:
    """The third and fourth of four have the first and second device of the second process; parts are of one sample."""
    (_, _, _, places, weights), used = dealt([2, 3], 4, ["a", "b"])

    assert places == [[[[2]], [[5]], [[0]]], [[[0]], [[0]], [[0]]]]
    assert np.array(weights).round(3).tolist() == [[[[0.333]], [[0.333]], [[0.0]]], [[[0.0]], [[0.0]], [[0.0]]]]
    assert used == ["a", "b"] * 5


def distributed_engine(strategy: str, device: str, found: list[str], hidden: list[Any] | None = None) -> Any:
    """Return an engine not yet placed, around a stand-in for TensorFlow whose strategies have such devices."""

    def make(names: list[str] | None = None) -> Any:
        return SimpleNamespace(asked=names, extended=SimpleNamespace(worker_devices=tuple(found)))

    engine: Any = object.__new__(DistributedEngine)
    engine.experiment = Experiment(engine="distributed", strategy=strategy, device=device)
    engine.framework = SimpleNamespace(
        distribute=SimpleNamespace(MirroredStrategy=make, MultiWorkerMirroredStrategy=make),
        config=SimpleNamespace(set_visible_devices=lambda *told: (hidden if hidden is not None else []).append(told)),
        errors=SimpleNamespace(OpError=OSError),
    )
    return engine


JOB = "/job:worker/replica:0/task:1/device:"


def test_mirrored_is_placed_on_the_devices_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a kind are asked for; the first of what the strategy found is where the engine says it is."""
    monkeypatch.setattr(devices, "resolve_all", lambda name: {"gpu:all": ["gpu:0", "gpu:1"]}[name])
    engine = distributed_engine("mirrored", "gpu:all", [JOB + "GPU:0", JOB + "GPU:1"])

    assert engine.place() == "gpu:0"
    assert engine.strategy.asked == ["gpu:0", "gpu:1"]
    assert engine.names == ["gpu:0", "gpu:1"]
    assert engine.local == [JOB + "GPU:0", JOB + "GPU:1"]


@pytest.mark.parametrize(("device", "hidden"), [("cpu", [([], "GPU")]), ("gpu", [])])
def test_a_worker_on_the_cpu_hides_the_gpus(device: str, hidden: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow would take all of them; a worker on GPUs keeps them."""
    monkeypatch.setattr(distributed, "index_here", lambda: 0)
    told = list[Any]()
    engine = distributed_engine("multi_worker", device, [JOB + device.upper() + ":0"], told)

    assert engine.place() == f"{device}:0"
    assert told == hidden


def test_a_strategy_that_cannot_be_placed_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TF_CONFIG, and where TensorFlow took other devices than were asked for, whichever of them."""
    monkeypatch.setattr(distributed, "index_here", lambda: None)
    with pytest.raises(ValueError, match=r"^strategy multi_worker needs TF_CONFIG, which says who the other processes"):
        distributed_engine("multi_worker", "cpu", [JOB + "CPU:0"]).place()
    monkeypatch.setattr(distributed, "index_here", lambda: 0)
    with pytest.raises(ValueError, match=r"^multi_worker is on gpu:0, cpu:0 here, not on gpu$"):
        distributed_engine("multi_worker", "gpu", [JOB + "GPU:0", JOB + "CPU:0"]).place()


def test_a_peer_that_is_gone_is_said_in_a_line() -> None:
    """The first line of TensorFlow's error follows; with one process it is an error of TensorFlow's own."""
    error: Any = OSError()
    error.message = "Connection reset by peer\nAdditional GRPC error information: …"
    with (
        pytest.raises(PeerError, match=r"^a worker is gone, or cannot be reached: Connection reset by peer$"),
        distributed_engine("multi_worker", "cpu", [])._peers(),
    ):
        raise error
    with pytest.raises(OSError), distributed_engine("mirrored", "cpu", [])._peers():  # noqa: PT011
        raise error


def test_an_engine_has_to_say_how_it_builds_loads_and_runs_and_where_it_is() -> None:
    """An engine that lacks one of the four cannot be made, so that none is forgotten."""
    assert Engine.__abstractmethods__ == {"build", "load", "run", "state"}


def test_native_drops_powers_that_change_nothing() -> None:
    """Powers of beta_1 become 0 long before they would be denormal numbers, and have no weight changed by that."""
    spec = Experiment(engine="native", samples=10, batch_size=1, epochs=100)
    engine = NativeEngine(spec)
    engine.build()
    rows = engine.reset()
    found = engine.run(rows)
    x, y = (values.ravel().astype(float) for values in spec.data)
    batches = [order[at : at + 1] for order in order_bank(10)[rows] for at in range(10)]

    assert engine.powers[0] == 0
    assert engine.powers[1] == pytest.approx(0.999**1000, rel=1e-12)
    np.testing.assert_allclose(found[-1], textbook_adam(spec.initial_weights(7), x, y, batches, 0.001), rtol=1e-5)
