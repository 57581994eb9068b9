"""What a backend is told when it starts, held without the backend: a stand-in notes the calls."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock, call

import pytest

from parabola.machine import backends

VARIABLES = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "XLA_PYTHON_CLIENT_PREALLOCATE", "XLA_FLAGS", backends.GPU_MEMORY)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin without any of the variables, and put them back."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is put back, whether it was there or not
        monkeypatch.delenv(name)


def test_a_backend_is_the_environments_or_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is none."""
    assert backends.backend() == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "")
    assert backends.backend() == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert backends.backend() == "jax"
    assert backends.BACKENDS == ("tensorflow", "jax", "torch")


def test_settings_are_those_that_every_run_needs() -> None:
    """Of an empty environment these four are made, and what XLA is told is its name for 1 MiB."""
    backends.set_environment()

    assert {name: os.environ.get(name) for name in VARIABLES[:4]} == {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "XLA_FLAGS": "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1048576",
    }


def test_settings_of_the_caller_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set already is kept as it is."""
    theirs = {"KERAS_BACKEND": "torch", "TF_CPP_MIN_LOG_LEVEL": "0", "XLA_PYTHON_CLIENT_PREALLOCATE": "true"}
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XLA_FLAGS", f"--before {backends.XLA_FLAG} --after")
    backends.set_environment()

    assert {name: os.environ[name] for name in theirs} == theirs
    assert os.environ["XLA_FLAGS"] == f"--before {backends.XLA_FLAG} --after"


def test_a_choice_reaches_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is written there; None keeps what is there, else the first; a refused one leaves all as it was."""
    monkeypatch.setattr(backends, "find_spec", lambda name: None if name == "torch" else object())
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    backends.choose(None)
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    backends.choose("jax")
    assert os.environ["KERAS_BACKEND"] == "jax"
    backends.choose(None)
    assert os.environ["KERAS_BACKEND"] == "jax"
    with pytest.raises(ValueError, match=r"^unknown backend 'theano'; known: tensorflow, jax, torch$"):
        backends.choose("theano")
    with pytest.raises(ValueError, match=r"^backend torch is not installed: pip install -e '\.\[torch\]'$"):
        backends.choose("torch")
    assert os.environ["KERAS_BACKEND"] == "jax"


@pytest.mark.parametrize(
    ("lacks", "chosen", "says"),
    [
        (["tensorflow", "keras", "numba"], "tensorflow", "backend tensorflow is not installed: pip install -e ."),
        (["tensorflow", "keras", "numba"], "jax", "keras is not installed: pip install -e ."),
        (["numba"], "tensorflow", "numba is not installed: pip install -e ."),
        (["jax", "keras"], "jax", "backend jax is not installed: pip install -e '.[jax]'"),
    ],
)
def test_what_the_light_installation_lacks_is_said_with_the_command_that_brings_it(
    lacks: list[str], chosen: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that is missing is named: of the backends TensorFlow alone comes with the package itself."""
    monkeypatch.setattr(backends, "find_spec", lambda name: None if name in lacks else object())
    with pytest.raises(ValueError, match=f"^{re.escape(says)}$"):
        backends.choose(chosen)


def test_keras_keeps_the_backend_that_it_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another is refused once Keras is there; its own may be chosen again."""
    monkeypatch.setattr(backends, "find_spec", lambda name: object())
    running = SimpleNamespace(backend=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", running)
    backends.choose("jax")
    message = "backend torch was chosen, but Keras runs on jax already; a process has one"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        backends.choose("torch")
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_keras_limits_and_unknown_backends_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages have the variable, its value, and what to do or what is known."""
    backends.refuse_keras_limits()
    monkeypatch.setenv("KERAS_BACKEND", "numpy")
    with pytest.raises(ValueError, match=r"^KERAS_BACKEND=numpy is not supported; known: tensorflow, jax, torch$"):
        backends.refuse_keras_limits()
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "0")
    with pytest.raises(ValueError, match=r"^KERAS_MAX_EPOCHS=0 would silently shorten the run: unset it$"):
        backends.refuse_keras_limits()


@pytest.mark.parametrize("name", backends.BACKENDS)
def test_a_start_chooses_sets_and_imports(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend's own module comes back, after its settings were made with the threads asked for."""
    monkeypatch.setattr(backends, "find_spec", lambda name: object())
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    module, settings = SimpleNamespace(), MagicMock()
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(backends._SETTINGS, name, settings)
    monkeypatch.setenv("KERAS_BACKEND", name)

    assert backends.start() is module
    assert backends.start(threads=3) is module
    assert settings.call_args_list == [call(module, None), call(module, 3)]
    assert os.environ["XLA_FLAGS"] == backends.XLA_FLAG


def test_tensorflow_alone_on_a_cpu_is_told_one_thing() -> None:
    """Without threads or GPUs, no TF32 is all."""
    tf = MagicMock()
    tf.config.list_physical_devices.return_value = []
    backends._start_tensorflow(tf, None)

    assert tf.mock_calls == [
        call.config.list_physical_devices("GPU"),
        call.config.experimental.enable_tensor_float_32_execution(False),
    ]


def test_tensorflow_gets_threads() -> None:
    """Both thread pools get the number."""
    tf = MagicMock()
    tf.config.list_physical_devices.return_value = []
    backends._start_tensorflow(tf, 3)

    tf.config.threading.set_intra_op_parallelism_threads.assert_called_once_with(3)
    tf.config.threading.set_inter_op_parallelism_threads.assert_called_once_with(3)


def test_tensorflow_lets_each_gpu_grow() -> None:
    """Each GPU that does not yet grow is told so, and one that does is left alone."""
    tf = MagicMock()
    tf.config.list_physical_devices.return_value = ["gpu 0", "gpu 1"]
    tf.config.experimental.get_memory_growth.side_effect = {"gpu 0": True, "gpu 1": False}.get
    backends._start_tensorflow(tf, None)

    tf.config.experimental.set_memory_growth.assert_called_once_with("gpu 1", True)
    tf.config.set_logical_device_configuration.assert_not_called()


def test_tensorflow_gets_a_limit_of_gpu_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """In MiB, for each GPU that has no pieces yet; growth, which excludes a limit, is not asked for."""
    monkeypatch.setenv("PARABOLA_GPU_MEMORY_MIB", "3000")
    tf = MagicMock()
    tf.config.list_physical_devices.return_value = ["gpu 0", "gpu 1"]
    tf.config.get_logical_device_configuration.side_effect = {"gpu 0": None, "gpu 1": ["cut already"]}.get
    backends._start_tensorflow(tf, None)

    tf.config.LogicalDeviceConfiguration.assert_called_once_with(memory_limit=3000)
    piece = tf.config.LogicalDeviceConfiguration.return_value
    tf.config.set_logical_device_configuration.assert_called_once_with("gpu 0", [piece])
    tf.config.experimental.set_memory_growth.assert_not_called()


def test_jax_gets_full_precision_but_no_threads() -> None:
    """It has no setting for threads, and says what it received."""
    jax = MagicMock()
    backends._start_jax(jax, None)

    assert jax.mock_calls == [call.config.update("jax_default_matmul_precision", "highest")]
    with pytest.raises(ValueError, match=r"^the jax backend has no setting for its threads. Received: 1$"):
        backends._start_jax(MagicMock(), 1)


@pytest.fixture
def torch() -> Iterator[MagicMock]:
    """Give a stand-in for PyTorch with a GPU of 8 GiB, and leave no log level behind."""
    logger = logging.getLogger("torch.utils.cpp_extension")
    level = logger.level
    stand_in = MagicMock()
    stand_in.cuda.get_device_properties.return_value.total_memory = 8 * 2**30
    yield stand_in
    logger.setLevel(level)


def test_torch_gets_threads_and_full_precision(torch: MagicMock) -> None:
    """No TF32, no warning about a missing GPU, and threads where some were asked for."""
    backends._start_torch(torch, None)
    assert torch.mock_calls == []
    assert torch.backends.cuda.matmul.allow_tf32 is False
    assert logging.getLogger("torch.utils.cpp_extension").level == logging.ERROR
    backends._start_torch(torch, 4)
    assert torch.mock_calls == [call.set_num_threads(4)]


@pytest.mark.parametrize(("limit", "share"), [("2048", 0.25), ("8192", 1.0), ("9000", 1.0)])
def test_torch_gets_a_share_of_gpu_memory(
    limit: str, share: float, torch: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the limit in MiB, at most the whole; without a GPU there is nothing to limit."""
    monkeypatch.setenv("PARABOLA_GPU_MEMORY_MIB", limit)
    backends._start_torch(torch, None)
    torch.cuda.get_device_properties.assert_called_once_with(0)
    torch.cuda.set_per_process_memory_fraction.assert_called_once_with(share)

    torch.cuda.is_available.return_value = False
    torch.cuda.set_per_process_memory_fraction.reset_mock()
    backends._start_torch(torch, None)
    torch.cuda.set_per_process_memory_fraction.assert_not_called()


NOISY = r"""
import os
os.write(2, b"I0000 00:00:1 some.cc:1] informational\nWARNING: All log messages before absl\n")
os.write(2, b"E0000 00:00:1 some.cc:2] an error\nW0001 a warning\nhere I0000 is inside\nI00 too short\n")
os.write(2, b"last I0001 words")
"""


def test_an_import_is_quiet_but_for_what_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Informational lines on the file descriptor are dropped, all others are passed on, and a second import is none."""
    (tmp_path / "noisy_module.py").write_text(NOISY)
    monkeypatch.syspath_prepend(tmp_path)
    module = backends._import_quietly("noisy_module")

    kept = "E0000 00:00:1 some.cc:2] an error\nW0001 a warning\nhere I0000 is inside\nI00 too short\nlast I0001 words"
    assert capfd.readouterr().err == kept
    assert backends._import_quietly("noisy_module") is module is sys.modules.pop("noisy_module")
    os.write(2, b"I0000 the terminal again")
    assert capfd.readouterr().err == "I0000 the terminal again"


def test_an_import_that_fails_gives_the_terminal_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the module said before is passed on, with its error."""
    (tmp_path / "failing_module.py").write_text(f"{NOISY}\nraise OSError('no such library')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(OSError, match="no such library"):
        backends._import_quietly("failing_module")

    assert capfd.readouterr().err.startswith("E0000 00:00:1 some.cc:2] an error\n")
