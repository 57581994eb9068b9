"""How a command that runs for long is asked to end."""

import os
import signal
import sys
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
        weakref.ref(things[0], lambda _: os.kill(os.getpid(), number)),
        weakref.ref(things[1], lambda _: [][0]),
    ]
    things.clear()

    assert [reference() for reference in references] == [None, None]
    assert dropped == [IndexError]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            ending.end_if_asked()


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
