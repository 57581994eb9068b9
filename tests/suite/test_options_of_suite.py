"""The suite's options by value: what they may be, what grid they make, and what pytest is told to do with them."""

import argparse
import io
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from pytest_benchmark.utils import DEFAULT_COLUMNS

from benchmarks.harness import cases, options
from benchmarks.harness.cases import LEFT_OUT
from benchmarks.harness.fixed_cost import FIXED_COSTS
from benchmarks.harness.machine import peak
from benchmarks.harness.options import SELECTION, TABLE, Selection
from parabola.machine import backends, devices, host
from tests.suite.test_suite import run_pytest

Door = Any  # the module conftest.py at the root, which pytest has loaded under a name of its own
ROOT = Path(__file__).parents[2]


@pytest.fixture
def door(pytestconfig: pytest.Config) -> Door:
    plugins = pytestconfig.pluginmanager.get_plugins()
    return next(plugin for plugin in plugins if getattr(plugin, "__file__", "") == str(ROOT / "conftest.py"))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Put a backend with one CPU and two GPUs in the place of the real one; return the threads of each start."""
    starts = list[int | None]()
    monkeypatch.setattr(backends, "start", lambda threads: starts.append(threads))
    monkeypatch.setattr(devices, "available", lambda: ["cpu:0", "gpu:0", "gpu:1"])
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return starts


def parse(*arguments: str) -> argparse.Namespace:
    """Return what a command line gives, read by the suite's own declarations."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    groups: Any = SimpleNamespace(getgroup=lambda *_: SimpleNamespace(addoption=parser.add_argument))
    options.declare(groups)
    return parser.parse_args(arguments)


def test_without_options_each_has_its_default() -> None:
    """An option that is not given has this value."""
    lists = ("engine", "device", "batch_size", "learning_rate", "members", "samples")
    none = ("backend", "epochs", "rounds", "threads", "seeds")

    assert vars(parse()) == {
        "grid": "quick",
        "all": False,
        **{name: [] for name in lists},
        **dict.fromkeys(none),
    }


HELP = {
    "--grid": "quick (under 90 s) or full",
    "--engine": "only these engines; repeatable",
    "--backend": "Keras' backend: tensorflow, jax, torch; else KERAS_BACKEND's",
    "--device": "cpu, cpu:1, gpu, gpu:0, …; repeatable",
    "--batch-size": "of epoch times: 1 to samples; repeatable",
    "--learning-rate": "of epoch times: finite, above 0; repeatable",
    "--members": "of blocks: 1 or more; repeatable",
    "--samples": "of epoch times: 1 or more; repeatable",
    "--epochs": "of epoch times: epochs a round; else what fills the round",
    "--rounds": "of epoch times: timed rounds; else 10, or 3 where they are slow",
    "--threads": "the backend's threads; else its own choice",
    "--seeds": "of pass rates: the first of 400; else from the commit",
    "--all": "also cases predicted to take over a minute",
}


def test_the_options_have_a_section_of_their_own_in_the_help(door: Door) -> None:
    """The help of pytest has one section for all options of the suite, in this order, and each says what it is for."""
    groups, declared = list[tuple[str, str]](), dict[str, str]()

    def add(name: str, *, help: str, **_: Any) -> None:
        declared[name] = help

    def getgroup(name: str, description: str) -> SimpleNamespace:
        groups.append((name, description))
        return SimpleNamespace(addoption=add)

    door.pytest_addoption(SimpleNamespace(getgroup=getgroup))

    assert groups == [("parabola", "which cases the speed suite and the regression suite run")]
    assert declared == HELP
    assert list(declared) == list(HELP)


def test_the_help_names_the_values_that_an_option_takes() -> None:
    """Choices stand in braces, the first of the seeds is called FIRST, and any other value has its option's name."""
    parser = argparse.ArgumentParser()
    groups: Any = SimpleNamespace(getgroup=lambda *_: SimpleNamespace(addoption=parser.add_argument))
    options.declare(groups)
    usage = " ".join(parser.format_usage().split())

    assert usage.partition("[-h] ")[2] == (
        "[--grid {quick,full}] [--engine {fit,fused_fit,compiled,native}] [--backend BACKEND] [--device DEVICE] "
        "[--batch-size BATCH_SIZE] [--learning-rate LEARNING_RATE] [--members MEMBERS] [--samples SAMPLES] "
        "[--epochs EPOCHS] [--rounds ROUNDS] [--threads THREADS] [--seeds FIRST] [--all]"
    )


EVERY_OPTION = (
    *("--grid=full", "--engine=native", "--engine=fit", "--engine=native", "--backend=tensorflow", "--all"),
    *("--epochs=7", "--rounds=1"),
    *("--device=gpu", "--device=cpu:0", "--device=cpu", "--device=gpu:1", "--device=gpu:0"),
    *("--batch-size=9", "--batch-size=3", "--batch-size=9", "--learning-rate=0.5", "--learning-rate=1e-4"),
    *("--samples=77", "--samples=9", "--members=3", "--members=1", "--threads=5", "--seeds=10000"),
)


def test_every_option_is_in_the_selection(started: list[int | None]) -> None:
    """Options become a selection: what is given twice is there once, in the order given, and a device has one name."""
    given = {argument.partition("=")[0] for argument in EVERY_OPTION}

    assert given == {option.flag for option in TABLE.values()}
    assert options.read(parse(*EVERY_OPTION)) == Selection(
        name="full",
        engines=("native", "fit"),
        backend="tensorflow",
        devices=("gpu:0", "cpu", "gpu:1"),
        batch_sizes=(9, 3),
        learning_rates=(0.5, 0.0001),
        members=(3, 1),
        samples=(77, 9),
        epochs=7,
        rounds=1,
        threads=5,
        seeds=10_000,
        everything=True,
    )


def test_a_record_has_the_options_that_chose_its_cases(started: list[int | None]) -> None:
    """A record has these keys, and by default the quick grid, which is left to choose."""
    assert Selection().recorded() == {
        "name": "quick",
        "engines": (),
        "devices": (),
        "batch_sizes": (),
        "learning_rates": (),
        "samples": (),
        "members": (),
        "epochs": None,
        "rounds": None,
        "everything": False,
    }
    assert options.read(parse(*EVERY_OPTION)).recorded() == {
        "name": "full",
        "engines": ("native", "fit"),
        "devices": ("gpu:0", "cpu", "gpu:1"),
        "batch_sizes": (9, 3),
        "learning_rates": (0.5, 0.0001),
        "samples": (77, 9),
        "members": (3, 1),
        "epochs": 7,
        "rounds": 1,
        "everything": True,
    }


def test_without_options_the_grid_chooses(started: list[int | None]) -> None:
    """Without options the quick grid is left to choose."""
    assert options.read(parse()) == Selection()
    assert not Selection().full
    assert Selection("full").full


def test_reading_options_starts_no_backend(started: list[int | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither are devices asked for, whatever the options."""
    monkeypatch.setattr(devices, "available", lambda: pytest.fail("devices are asked for"))
    options.read(parse())
    options.read(parse(*EVERY_OPTION))

    assert started == []


def test_the_backend_is_started_by_devices_and_threads(started: list[int | None]) -> None:
    """It is started once, with the threads that were asked for; without a device or threads it is not."""
    for arguments in (["--device=cpu", "--device=gpu:1"], ["--threads=1"], list(EVERY_OPTION), ["--engine=native"], []):
        options.start_backend(parse(*arguments))

    assert started == [None, 1, 5]


@pytest.mark.parametrize(
    "arguments",
    [
        "--rounds=1",
        "--epochs=1",
        "--members=1",
        "--samples=1",
        "--batch-size=999",
        "--samples=1000 --batch-size=1000",
        "--learning-rate=1e-300",
        "--threads=1",
        "--threads=1024",
        "--seeds=10000",
        "--seeds=4611686018427387903",
        "--engine=native --device=cpu",
        "--engine=native --device=cpu:0",
        "--engine=native --device=gpu:0 --device=cpu",
        "--engine=native --engine=fit --device=gpu:0",
        "--engine=fit --device=gpu:1",
        "--backend=tensorflow",
    ],
)
def test_values_within_bounds_are_taken(arguments: str, started: list[int | None]) -> None:
    """The smallest and the largest value that an option may have are taken."""
    options.start_backend(parse(*arguments.split()))

    assert isinstance(options.read(parse(*arguments.split())), Selection)


REFUSED = (
    ("--rounds=0", "rounds must be a whole number of at least 1. Received: 0"),
    ("--rounds=-3", "rounds must be a whole number of at least 1. Received: -3"),
    ("--epochs=0", "epochs must be a whole number from 1 to 2147483647. Received: 0"),
    ("--members=5 --members=0", "members must be a whole number of at least 1. Received: 0"),
    ("--samples=5 --samples=0", "samples must be a whole number from 1 to 2147483647. Received: 0"),
    ("--batch-size=1 --batch-size=0", "batch_size must be a whole number from 1 to 999. Received: 0"),
    ("--batch-size=1000", "batch_size must be a whole number from 1 to 999. Received: 1000"),
    ("--samples=9 --samples=8 --batch-size=9", "batch_size must be a whole number from 1 to 8. Received: 9"),
    ("--learning-rate=0.1 --learning-rate=0", "learning_rate must be finite and above 0. Received: 0.0"),
    ("--learning-rate=-0.1", "learning_rate must be finite and above 0. Received: -0.1"),
    ("--threads=0", "threads must be a whole number from 1 to 1024. Received: 0"),
    ("--threads=1025", "threads must be a whole number from 1 to 1024. Received: 1025"),
    (
        "--seeds=9999",
        "seeds must begin from 10000, after the baseline's, to 4611686018427387903. Received: 9999",
    ),
    (
        "--seeds=4611686018427387904",
        "seeds must begin from 10000, after the baseline's, to 4611686018427387903. Received: 4611686018427387904",
    ),
    ("--device=cpu --device=tpu", "unknown device 'tpu'; devices are named cpu, cpu:1, gpu, gpu:0, …"),
    ("--engine=native --device=gpu:1", "engine native runs on cpu only. Received: --device gpu:1"),
    ("--engine=native --engine=native --device=gpu:0", "engine native runs on cpu only. Received: --device gpu:0"),
    ("--backend=mxnet", "unknown backend 'mxnet'; known: tensorflow, jax, torch"),
)


@pytest.mark.parametrize(("arguments", "says"), REFUSED)
def test_values_out_of_bounds_are_refused(arguments: str, says: str, started: list[int | None]) -> None:
    """A value just outside of an option's bounds is a usage error, whose whole text says what was received.

    No backend is started for it, though a device and threads were asked for, too.
    """
    with pytest.raises(pytest.UsageError) as raised:
        options.read(parse(*arguments.split()))
    with pytest.raises(pytest.UsageError):
        options.read(parse("--device=gpu:1", "--threads=1", *arguments.split()))

    assert str(raised.value) == says
    assert started == []


def test_every_option_has_a_value_that_is_refused() -> None:
    """Of those whose values are neither a choice nor a switch."""
    refused = {argument.partition("=")[0] for arguments, _ in REFUSED for argument in arguments.split()}
    free = {option.flag for option in TABLE.values() if option.type and not option.choices}

    assert free <= refused


def test_a_device_that_is_not_there_is_refused(started: list[int | None]) -> None:
    """Once the backend is asked, the message names the devices that are there."""
    given = parse("--device=gpu:1", "--device=gpu:2", "--threads=3")
    options.read(given)
    with pytest.raises(pytest.UsageError) as raised:
        options.start_backend(given)

    assert str(raised.value) == "device gpu:2 is not there; here: cpu:0, gpu:0, gpu:1"
    assert started == [3]


def test_an_engine_that_the_backend_lacks_is_refused(
    started: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that was asked for by name is refused where the backend does not have it."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setattr(backends, "choose", lambda name: None)  # PyTorch need not be installed
    with pytest.raises(pytest.UsageError) as raised:
        options.read(parse("--engine=native", "--engine=compiled"))

    assert str(raised.value) == ("engine compiled is not there on the torch backend, which has fit, fused_fit, native")
    assert options.read(parse("--engine=fit")).engines == ("fit",)


def test_the_backend_is_chosen(started: list[int | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The option's backend is the one that is chosen."""
    chosen = list[str | None]()
    monkeypatch.setattr(backends, "choose", chosen.append)
    for arguments in (["--backend=jax"], []):
        options.read(parse(*arguments))

    assert chosen == ["jax", None]


@pytest.mark.parametrize(
    ("processes", "device", "refused"),
    [(2, "gpu:1", True), (2, "gpu:0", False), (2, "gpu", False), (2, "cpu", False), (0, "gpu:1", False)],
)
def test_under_n_a_process_has_one_gpu(processes: int, device: str, refused: bool, started: list[int | None]) -> None:
    """With -n a GPU other than the first is refused; the option is named as it was given."""
    given = parse("--device=cpu", f"--device={device}")
    given.numprocesses = processes
    if refused:
        with pytest.raises(pytest.UsageError) as raised:
            options.read(given)
        assert str(raised.value) == f"under -n each process has a GPU of its own, named gpu. Received: {device}"
    else:
        assert options.read(given).devices[-1] == {"gpu": "gpu:0"}.get(device, device)


def test_what_would_shorten_runs_is_refused(started: list[int | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras' own limit of epochs in the environment is a usage error, whatever the options."""
    given = parse()
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "3")
    with pytest.raises(pytest.UsageError, match=r"^KERAS_MAX_EPOCHS=3 would silently shorten the run: unset it$"):
        options.read(given)


@pytest.mark.parametrize(("name", "value"), [("KERAS_MAX_STEPS_PER_EPOCH", "3"), ("KERAS_BACKEND", "mxnet")])
def test_what_is_refused_does_not_keep_conftest_from_being_loaded(
    name: str, value: str, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the environment is not to be run in, the options are there to refuse it, and no import fails before."""
    monkeypatch.setenv(name, value)
    runpy.run_path(cases.__file__)
    runpy.run_path(door.__file__)
    with pytest.raises(pytest.UsageError, match=value):
        options.read(parse())


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("KERAS_MAX_EPOCHS", "3", "KERAS_MAX_EPOCHS=3 would silently shorten the run: unset it"),
        ("KERAS_MAX_STEPS_PER_EPOCH", "", "KERAS_MAX_STEPS_PER_EPOCH= would silently shorten the run: unset it"),
        ("KERAS_BACKEND", "mxnet", "unknown backend 'mxnet'; known: tensorflow, jax, torch"),
    ],
)
@pytest.mark.parametrize("given", [[], ["--benchmark-only"], ["-n2"]])
def test_an_environment_not_to_be_run_in_is_a_line(
    name: str, value: str, says: str, given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of pytest, it ends with a usage error of one line and without a traceback."""
    monkeypatch.setenv(name, value)
    answer = run_pytest(*given)

    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert answer.stderr.splitlines() == [f"ERROR: {says}", ""]
    assert answer.stdout == ""


def test_choices_are_the_engines_and_grids() -> None:
    """An engine or a grid that is not known is refused, and so is a size that is no whole number."""
    for argument in ("--engine=distributed", "--grid=whole", "--batch-size=1.5", "--members=x", "--seeds=1e5"):
        with pytest.raises(argparse.ArgumentError):
            parse(argument)
    engines = ["fit", "fused_fit", "compiled", "native"]
    assert parse(*(f"--engine={name}" for name in engines)).engine == engines


def configuration(*arguments: str, **others: Any) -> Any:
    """Return a stand-in for pytest's configuration that has the suite's options and others."""
    option, stash = parse(*arguments), pytest.Stash()
    stash[SELECTION] = options.read(option)
    vars(option).update(others)
    return SimpleNamespace(
        option=option,
        getoption=lambda name, default=None: getattr(option, name, default),
        stash=stash,
        rootpath=Path("/suite"),
    )


CODSPEED = "--codspeed would keep the times of runs that are found to be wrong: use --benchmark-only"
TIMING = ("only", "json", "save", "autosave", "compare", "compare_fail", "histogram", "cprofile", "enable")


@pytest.mark.parametrize("name", TIMING)
def test_what_times_is_not_run_side_by_side(name: str, door: Door, started: list[int | None]) -> None:
    """Each option that asks for times is refused with -n, and with another --dist; alone it times."""
    asked, option = {f"benchmark_{name}": "x"}, f"--benchmark-{name.replace('_', '-')}"
    for others in ({"numprocesses": 2, "dist": "no"}, {"numprocesses": None, "dist": "load"}, {"dist": "each"}):
        with pytest.raises(pytest.UsageError) as raised:
            door.pytest_configure(configuration(**asked, **others))
        assert str(raised.value) == (f"{option} times, and -n would run cases side by side: leave one of them out")
    xdist = {"numprocesses": None, "dist": "no"}
    for plugins in ({**xdist, "codspeed": False}, xdist, {}):  # another plugin need not be there
        alone = configuration("--epochs=3", **asked, **plugins, benchmark_disable=False)
        door.pytest_configure(alone)
        assert alone.option.benchmark_disable is False
        assert alone.stash[SELECTION] == Selection(epochs=3)
        assert alone.stash[LEFT_OUT] == []


@pytest.mark.parametrize(
    ("given", "environment", "refused"),
    [
        ({"codspeed": True}, False, True),
        ({"codspeed": True, "benchmark_only": True}, False, True),
        ({"codspeed": False}, True, True),  # by its variable pytest-codspeed takes over without the option
        ({}, True, False),  # and does nothing where it is not installed
        ({"codspeed": False, "benchmark_only": True}, False, False),
    ],
)
def test_codspeed_is_refused(
    given: dict[str, Any],
    environment: bool,
    refused: bool,
    door: Door,
    started: list[int | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would time shortened bodies, and would keep the time of a run that turns out to be wrong."""
    monkeypatch.delenv("CODSPEED_ENV", raising=False)
    if environment:
        monkeypatch.setenv("CODSPEED_ENV", "")
    if not refused:
        door.pytest_configure(configuration(**given))
        return
    with pytest.raises(pytest.UsageError) as raised:
        door.pytest_configure(configuration(**given))
    assert str(raised.value) == CODSPEED


def test_the_first_option_that_times_is_named(door: Door, started: list[int | None]) -> None:
    """Where several options ask for times, the message names the first of them in the order above."""
    config = configuration(benchmark_histogram=True, benchmark_save="x", numprocesses=2)
    with pytest.raises(pytest.UsageError, match=r"^--benchmark-save times"):
        door.pytest_configure(config)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (DEFAULT_COLUMNS, ["median", "iqr", "rounds", "iterations"]),
        (["min", "ops"], ["min", "ops"]),
        ([*DEFAULT_COLUMNS, "median"], [*DEFAULT_COLUMNS, "median"]),
    ],
)
def test_tables_have_four_columns_unless_others_are_asked_for(
    asked: list[str], shown: list[str], door: Door, started: list[int | None]
) -> None:
    """pytest-benchmark's own ten are wider than most terminals."""
    config = configuration(benchmark_columns=list(asked), benchmark_only=True)
    door.pytest_configure(config)

    assert config.option.benchmark_columns == shown


@pytest.mark.parametrize("others", [{}, {"numprocesses": 2, "dist": "load"}, {"codspeed": False}])
def test_nothing_is_timed_that_nobody_asked_for(others: dict[str, Any], door: Door, started: list[int | None]) -> None:
    """Without an option that asks for times pytest-benchmark is switched off, with -n, too."""
    unasked = {f"benchmark_{name}": None for name in TIMING} | {"benchmark_disable": False, "benchmark_skip": True}
    config = configuration("--members=3", **unasked, **others)
    door.pytest_configure(config)

    assert config.option.benchmark_disable is True
    assert config.stash[SELECTION] == Selection(members=(3,))


def test_a_worker_takes_part_before_options_are_read(
    door: Door, started: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of -n takes its part of the machine, and the environment is set, before the backend may start.

    It is started once the session begins, before anything is recorded.
    """
    happened, config = list[str](), configuration("--device=cpu", numprocesses=2)
    monkeypatch.setattr(door.sharing, "take_part", lambda config: happened.append("part"))
    monkeypatch.setattr(backends, "set_environment", lambda: happened.append("environment"))
    monkeypatch.setattr(backends, "choose", lambda name: happened.append("options"))
    monkeypatch.setattr(backends, "start", lambda threads: happened.append("start"))
    monkeypatch.setattr(door.recording, "begin", lambda config: happened.append("record"))
    door.pytest_configure(config)
    assert happened == ["part", "environment", "options"]

    door.pytest_sessionstart(SimpleNamespace(config=config))
    assert happened[3:] == ["start", "record"]


@pytest.mark.parametrize(
    ("path", "only", "ignored"),
    [
        ("/suite/tests/test_it.py", True, True),
        ("/suite/tests/test_it.py", False, None),
        ("/suite/benchmarks/test_coefficients.py", True, True),
        ("/suite/benchmarks/bench_it.py", True, None),
        ("/suite/benchmarks/conftest.py", True, None),
        ("/suite/benchmarks/a_bench_it.py", True, True),
        ("/elsewhere/test_it.py", True, None),
    ],
)
def test_only_benchmarks_are_collected(path: str, only: bool, ignored: bool | None, door: Door) -> None:
    """With --benchmark-only the suite's files other than benchmarks are ignored, and nobody else's files."""
    config = configuration(benchmark_only=only)

    assert door.pytest_ignore_collect(Path(path), config) is ignored


def test_folders_are_collected(door: Door, tmp_path: Path) -> None:
    """A folder is never ignored, whatever its name."""
    config = configuration(benchmark_only=True)
    config.rootpath = tmp_path
    (tmp_path / "tests").mkdir()

    assert door.pytest_ignore_collect(tmp_path / "tests", config) is None
    assert door.pytest_ignore_collect(tmp_path / "it.py", config) is True


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the machine two facts: its processor's name and the threads that were asked for."""
    monkeypatch.setattr(host, "facts", lambda threads: {"cpu_model": "Some CPU", "threads": threads})
    monkeypatch.setattr(host, "lines", lambda known: [f"{known['cpu_model']}, {known['threads']} threads"])


def test_the_head_of_a_session(facts: None, door: Door) -> None:
    """The machine's facts, those of the threads asked for, are the head of a session."""
    assert door.pytest_report_header(configuration("--threads=3")) == ["Some CPU, 3 threads"]


def test_machine_information_names_no_host(facts: None, door: Door) -> None:
    """The host's name and what changes from run to run are dropped; the machine's facts are added."""
    cpu = {"arch": "X86_64", "brand_raw": "Some CPU", "hz_actual": [1, 2], "count": 8, "flags": ["sse"]}
    information = {"node": "my-laptop", "processor": "x86_64", "cpu": cpu, "threads": "before"}
    door.pytest_benchmark_update_machine_info(configuration("--threads=3"), information)

    assert information == {
        "processor": "x86_64",
        "cpu": {"arch": "X86_64", "brand_raw": "Some CPU", "count": 8},
        "cpu_model": "Some CPU",
        "threads": 3,
    }
    bare: dict[str, Any] = {}
    door.pytest_benchmark_update_machine_info(configuration(), bare)
    assert bare == {"cpu": {}, "cpu_model": "Some CPU", "threads": None}


def test_a_record_is_kept_from_the_beginning(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recording begins with the session."""
    begun = list[Any]()
    monkeypatch.setattr(door.recording, "begin", begun.append)
    config = configuration()
    door.pytest_sessionstart(SimpleNamespace(config=config))

    assert begun == [config]


def summary(
    door: Door,
    *,
    disabled: bool,
    measured: bool,
    left_out: list[str],
    terminal: bool = False,
    colours: bool = False,
    failed: tuple[str | None, ...] = (),
    fixed_costs: tuple[str, ...] = (),
) -> str:
    """Return what the end of a session prints; a test that failed has such a message, or no report of a crash."""
    info = {"engine": "native", "device": "cpu", "batch_size": 9, "learning_rate": 0.01, "samples": 999}

    class Benchmark(dict[str, float]):
        extra_info: ClassVar = {**info, "verdict": "pass"}

    stream = io.StringIO()
    writer = SimpleNamespace(_file=stream, fullwidth=60)
    reporter = SimpleNamespace(
        write_line=lambda text, **markup: stream.write(f"{text}\n"),
        getreports=lambda name: [crashed(message) for message in failed if name == "failed"],
        _tw=writer,
        isatty=terminal,
        hasmarkup=colours,
    )
    config = configuration(benchmark_disable=disabled)
    config._benchmarksession = SimpleNamespace(benchmarks=[Benchmark(median=31.2e-6, min=1e-6)] if measured else [])
    config.stash[LEFT_OUT] = left_out
    config.stash[FIXED_COSTS] = list(fixed_costs)
    door.pytest_terminal_summary(reporter, config)
    return stream.getvalue()


def test_the_summary_of_a_session(door: Door) -> None:
    """After an empty line stands what was left out, in lines as long as they are in a pipe, and the medians."""
    long = "a case: predicted 99 s, more than 60 " + "x" * 100
    text = summary(door, disabled=False, measured=True, left_out=[long])

    assert text.startswith(f"\nleft out: {long}\n")
    assert re.search(r"^ *9 +0\.01 +31\.2 µs *$", text, flags=re.MULTILINE)
    assert summary(door, disabled=False, measured=False, left_out=["x"]) == "\nleft out: x\n"
    assert "left out" not in summary(door, disabled=False, measured=True, left_out=[])


def test_the_most_memory_on_a_device_is_told_after_the_table(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a session that times; it is the last line."""
    monkeypatch.setattr(peak, "device_lines", lambda: iter(["most memory on gpu:0 in this process: 3.0 MiB"]))

    text = summary(door, disabled=False, measured=True, left_out=[], fixed_costs=("c: 9 %",))
    assert text.endswith("c: 9 %\nmost memory on gpu:0 in this process: 3.0 MiB\n")
    assert summary(door, disabled=True, measured=False, left_out=[]) == ""


def test_fixed_costs_are_told_last_and_whole(door: Door) -> None:
    """Each in a line of its own, as it is, however narrow the terminal."""
    lines = ("a[b]: 64 % of a round " + "x" * 100, "c: 9 %")
    text = summary(door, disabled=False, measured=True, left_out=[], terminal=True, fixed_costs=lines)

    assert text.endswith("\n".join(("", *lines, "")))


def crashed(message: str | None) -> Any:
    """Return the report of a test that failed, as far as the summary reads it."""
    crash = SimpleNamespace(message=message)
    return SimpleNamespace(longrepr=SimpleNamespace(reprcrash=crash) if message else "cut short")


def test_runs_that_were_refused_are_named_in_the_summary(door: Door) -> None:
    """Each by its one line, whole on a narrow terminal, too; other failures are pytest's own to tell."""
    refusal = "native on cpu:0, batch size 9: after epoch 1 weight 2 of 4 is 0.5 " + "x" * 100
    failed = (f"parabola.verification.refusal.WrongRun: {refusal}\nmore", "AssertionError: other", None)
    text = summary(door, disabled=True, measured=False, left_out=[], terminal=True, failed=failed)

    assert text == f"refused: {refusal}\n"


def test_a_terminals_width_bounds_the_summary(door: Door) -> None:
    """On a terminal a line is no longer than that is wide."""
    text = summary(door, disabled=False, measured=False, left_out=["word " * 40], terminal=True)

    assert 50 < max(map(len, text.splitlines())) <= 60


def test_a_terminals_colours_are_for_tables(door: Door) -> None:
    """On a terminal with colours a line is plain, whatever numbers and names are in it, and a table's title is not."""
    left_out = ["native-cpu: predicted 99 s, more than 60"]
    text = summary(door, disabled=False, measured=True, left_out=left_out, terminal=True, colours=True)

    assert text.splitlines()[1] == f"left out: {left_out[0]}"
    assert "\x1b[" in text
    assert "\x1b[" not in summary(door, disabled=False, measured=True, left_out=left_out, terminal=True)


def test_no_summary_where_nothing_was_measured(door: Door) -> None:
    """Where nothing is timed, or nothing was measured or left out, nothing is printed."""
    assert summary(door, disabled=True, measured=True, left_out=["x"]) == ""
    assert summary(door, disabled=False, measured=False, left_out=[]) == ""
