"""The registry: what each engine is, and what follows from it."""

import inspect
import pkgutil
import re
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from parabola import registry
from parabola.ensemble.members import members_program
from parabola.machine.backends import BACKENDS
from parabola.training import engines, networks
from parabola.training.experiment import OPTIMIZERS, Experiment


def test_the_registry_says_where_each_engine_is() -> None:
    """TensorFlow and JAX have a compiled engine and members of their own; `fit` and `native` are the same for all."""
    room = "parabola.training.engines"
    assert {name: engine.classes for name, engine in registry.ENGINES.items()} == {
        "fit": dict.fromkeys(BACKENDS, f"{room}.fit:FitEngine"),
        "fused_fit": dict.fromkeys(BACKENDS, f"{room}.fit:FusedFitEngine"),
        "compiled": {"tensorflow": f"{room}.compiled:CompiledEngine", "jax": f"{room}.jax:CompiledEngine"},
        "native": dict.fromkeys(BACKENDS, f"{room}.native:NativeEngine"),
        "distributed": {"tensorflow": f"{room}.distributed:DistributedEngine"},
    }
    assert {name: engine.members for name, engine in registry.ENGINES.items() if engine.members} == {
        "compiled": {
            "tensorflow": "parabola.ensemble.members_tensorflow:MembersProgram",
            "jax": "parabola.ensemble.members_jax:MembersProgram",
        },
    }


@pytest.mark.parametrize("name", registry.ENGINES)
def test_every_engine_can_be_loaded(name: str) -> None:
    """What an entry names is there: engines of the backends that Keras has, programs of members, known optimizers."""
    entry = registry.ENGINES[name]

    assert set(entry.classes) | set(entry.members) <= set(BACKENDS)
    assert all(issubclass(registry.load(path), engines.Engine) for path in entry.classes.values())
    assert all({"reset", "run"} <= set(dir(registry.load(path))) for path in entry.members.values())
    assert set(entry.optimizers) <= set(OPTIMIZERS)
    assert set(entry.networks) <= set(registry.NETWORKS)


def concrete_classes(package: ModuleType, base: type[Any]) -> set[str]:
    """Return, as "module:Class", what the modules of a package define that is a whole engine, or a whole network."""
    modules = [import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
    return {
        f"{module.__name__}:{name}"
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and not inspect.isabstract(value)
        if value.__module__ == module.__name__
    }


def test_no_engine_or_network_is_left_out() -> None:
    """What lies in their rooms has its entry: a file alone cannot be asked for."""
    named = {path for entry in registry.ENGINES.values() for path in entry.classes.values()}

    assert concrete_classes(engines, engines.Engine) == named
    assert concrete_classes(networks, networks.Network) == set(registry.NETWORKS.values())


@pytest.mark.parametrize("name", registry.NETWORKS)
def test_every_network_can_be_loaded(name: str) -> None:
    """What the registry names is a network, and has that name."""
    network = registry.load(registry.NETWORKS[name])(name)

    assert isinstance(network, networks.Network)
    assert network.name == name


def test_what_is_chosen_by_default_is_there() -> None:
    """The default engine and network are entries; the engine is on the backend that is always there, and is timed."""
    assert registry.DEFAULT_NETWORK in registry.NETWORKS
    assert BACKENDS[0] in registry.ENGINES[registry.DEFAULT_ENGINE].classes
    assert registry.DEFAULT_ENGINE in registry.timings()


def test_what_follows_from_the_registry() -> None:
    """Which engines are timed and which are fast, which one is the limit, and which one a strategy means."""
    assert [*registry.timings()] == ["fit", "fused_fit", "compiled", "native"]
    assert registry.fast_engines() == ("compiled", "native")
    assert registry.LIMIT == "native"
    assert [registry.engine_for(strategy) for strategy in (None, "", "mirrored", "central")] == [
        *("compiled", "compiled", "distributed", "distributed"),
    ]


def test_native_runs_on_the_first_cpu_alone() -> None:
    """`native` has the device cpu, with its number or without; the other engines have every device."""
    native, compiled = registry.ENGINES["native"], registry.ENGINES["compiled"]

    assert all(native.runs_on(device) for device in ("cpu", "cpu:0"))
    assert not any(native.runs_on(device) for device in ("cpu:1", "gpu", "gpu:0"))
    assert all(compiled.runs_on(device) for device in ("cpu", "cpu:0", "cpu:1", "gpu", "gpu:0", "gpu:all"))


def test_an_entry_decides_what_an_experiment_may_ask_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices, optimizers, networks, strategies and schedules: each is refused by name where the entry lacks it."""
    entry = registry.EngineEntry(
        classes={"tensorflow": "a:A"},
        devices=("cpu", "tpu"),
        optimizers=("sgd", "adam"),
        networks=("one_neuron",),
        schedules=False,
    )
    monkeypatch.setitem(registry.ENGINES, "own", entry)
    monkeypatch.setitem(registry.ENGINES, "dealt", registry.EngineEntry({"tensorflow": "a:B"}, strategies=("ring",)))
    right: dict[str, Any] = {"engine": "own", "network": "one_neuron"}
    Experiment(**right, optimizer="sgd", device="tpu:0")
    Experiment(engine="dealt", strategy="ring")
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"optimizer": "lion"}, "engine own knows sgd, adam only. Received: optimizer='lion'"),
        ({"network": "two_neuron"}, "engine own knows one_neuron only. Received: network='two_neuron'"),
        ({"device": "gpu"}, "engine own runs on cpu, tpu only. Received: device='gpu'"),
        (
            {"final_learning_rate": 0.0001},
            "final_learning_rate needs an optimizer by its name, and an engine other than native or own",
        ),
        (
            {"strategy": "ring"},
            "engine distributed or dealt has a strategy, and no other engine has. "
            "Received: engine='own', strategy='ring'",
        ),
        (
            {"engine": "dealt", "strategy": "mirrored"},
            "engine distributed or dealt has a strategy, and no other engine has. "
            "Received: engine='dealt', strategy='mirrored'",
        ),
        ({"strategy": "star"}, "unknown strategy 'star'; known: mirrored, multi_worker, ring"),
    )
    for knobs, message in refused:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            Experiment(**{**right, **knobs})


def test_a_backend_has_members_where_an_engine_of_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine that trains members, the line says what the backend has instead."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setitem(registry.ENGINES, "compiled", registry.EngineEntry({"jax": "a:A"}, members={"jax": "a:B"}))
    message = "members is not there on the tensorflow backend, which has fit, fused_fit, native, distributed"
    with pytest.raises(ValueError, match=f"^{message}$"):
        members_program(Experiment(), 3)
