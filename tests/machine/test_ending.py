"""How a command that runs for long is asked to end."""

import os
import signal
import sys
import time
import weakref

import pytest

from parabola.machine import ending

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _default() -> None:
    """Begin as a process that nobody has told to ignore any: pytest itself may have been started by nohup."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", SIGNALS)
def test_each_signal_ends_a_process_as_ctrl_c_does(number: signal.Signals) -> None:
    """Each raises KeyboardInterrupt where the process is, and until then nothing has been asked."""
    ending.end_as_by_ctrl_c()
    ending.end_if_asked()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_python_drops_is_not_lost(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the callback of a weak reference its exception is dropped, and not told; asking raises it, each time."""
    dropped = list[type[BaseException]]()
    monkeypatch.setattr(sys, "unraisablehook", lambda told: dropped.append(told.exc_type))
    ending.end_as_by_ctrl_c()
    things = [type("Thing", (), {})() for _ in range(2)]
    references = [
        weakref.ref(things[0], lambda _: [][0]),
        weakref.ref(things[1], lambda _: os.kill(os.getpid(), number)),
    ]
    things.pop(0)
    things.clear()

    assert [reference() for reference in references] == [None, None]
    assert dropped == [IndexError]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            ending.end_if_asked()


def wait_in_short_steps() -> None:
    """Sleep ten seconds in all: an exception that is raised again comes between two calls, and ends none of them."""
    for _ in range(1000):
        time.sleep(0.01)


def test_a_benchmark_learns_of_ctrl_c_wherever_it_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost, as in the callback of a weak reference, is raised again until pytest says that it knows."""
    dropped = list[type[BaseException]]()
    monkeypatch.setattr(sys, "unraisablehook", lambda told: dropped.append(told.exc_type))
    monkeypatch.setattr(ending, "PATIENCE_SECONDS", 0.1)
    ending.end_tests_by_ctrl_c()
    things = [type("Thing", (), {})() for _ in range(2)]
    references = [
        weakref.ref(things[0], lambda _: os.kill(os.getpid(), signal.SIGINT)),
        weakref.ref(things[1], lambda _: [][0]),
    ]
    things.pop(0)
    things.clear()
    assert [reference() for reference in references] == [None, None]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            wait_in_short_steps()
    ending.only_note()
    time.sleep(0.3)
    assert dropped == []  # nor what else is raised while all that a signal has cut short is torn down


def test_a_benchmark_that_python_itself_cannot_interrupt_is_ended_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that does not return ends with the process, as its signal would end it."""
    ended = list[int]()
    monkeypatch.setattr(ending, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(os, "_exit", ended.append)
    ending.end_tests_by_ctrl_c()
    os.write(ending._writers[0], bytes([signal.SIGINT]))  # as the system does before Python's own handler runs
    time.sleep(0.3)
    assert ended == [130]


def test_a_command_begins_without_having_been_asked() -> None:
    """What an earlier command in the same process was asked is forgotten."""
    ending.end_as_by_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    ending.end_as_by_ctrl_c()

    ending.end_if_asked()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_that_was_ignored_stays_ignored(number: signal.Signals) -> None:
    """As nohup has it for a closed terminal, and a shell for Ctrl-C where it starts a job in the background."""
    signal.signal(number, signal.SIG_IGN)
    ending.end_as_by_ctrl_c()
    os.kill(os.getpid(), number)

    assert signal.getsignal(number) is signal.SIG_IGN
    ending.end_if_asked()
