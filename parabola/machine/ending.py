"""How a command is asked to end by a signal, and why none of them is lost, nor comes amid what clears up."""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
PATIENCE_SECONDS, POLL_SECONDS = 1.5, 0.05
_asked = list[int]()
_held_off = list[bool]()  # as long as it is not empty, a signal is only noted; as is one that comes when all is over
_over = list[bool]()
_commands = list[int]()  # an entry for each that this process has begun
_writers = list[int]()  # the end of a pipe to which Python's own handler writes the numbers of signals


def end_as_by_ctrl_c() -> None:
    """Have SIGTERM and a closed terminal end this process as Ctrl-C does: with what it has started.

    A signal that was ignored when the process began, as nohup and a shell's background jobs have it, stays ignored.
    Where one finds the process in a call that does not return, the process ends nevertheless.
    """
    _begin(SIGNALS, late=_end)


def end_tests_by_ctrl_c() -> None:
    """Have Ctrl-C end pytest's run of benchmarks though it falls where its exception gets lost, or into a long call.

    Python drops what a destructor raises, and some libraries catch all that is raised while they compile: pytest would
    go on. It may take its time to tear down, and says by `only_note` that it has learnt of Ctrl-C.
    """
    _begin([signal.SIGINT], late=_end_or_repeat)


def _begin(signals: Iterable[signal.Signals], late: Callable[[int], None]) -> None:
    """Take signals over from now on, and watch that they end this process."""
    _asked.clear()
    _held_off.clear()
    _over.clear()
    _commands.append(len(_commands))
    sys.unraisablehook = partial(_tell_dropped, sys.unraisablehook)
    if os.name == "posix":
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=_watch, args=(reader, len(_commands), late), daemon=True).start()
        while _writers:  # the watch over the command before ends
            os.close(_writers.pop())
        _writers.append(writer)
    for ending in signals:
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, _interrupt)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let no signal interrupt a block that clears up or writes what was measured; it is noted, and can be asked for."""
    _held_off.append(True)
    try:
        yield
    finally:
        _held_off.pop()


def only_note() -> None:
    """Let no signal interrupt anything until the next command begins, as this one is over or ends already."""
    _over.append(True)


def asked() -> bool:
    """Return whether this process was asked to end."""
    return bool(_asked)


def exit_code() -> int:
    """Return the code that a shell expects of a process that a signal has ended; without one, as by Ctrl-C."""
    return 128 + (_asked[0] if _asked else signal.SIGINT)


def end_if_asked() -> None:
    """Raise KeyboardInterrupt if this process was asked to end; every loop that waits for long calls this.

    An exception that a signal's handler raises is dropped by Python when it falls into a destructor or into the
    callback of a weak reference, which imports have, too. The signal alone would then be lost.
    """
    if _asked:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: Any) -> None:
    _asked.append(number)
    if not _held_off and not _over:
        raise KeyboardInterrupt


def _tell_dropped(tell: Callable[[Any], Any], error: Any) -> None:
    """Tell of an exception that Python has dropped, unless it is a signal's or comes of what a signal has cut short."""
    if not _asked:
        tell(error)


def _end(number: int) -> None:
    """End this process as a signal does."""
    os._exit(128 + number)


def _end_or_repeat(number: int) -> None:
    """End this process if not even Python has learnt of a signal; else raise its exception again, if that got lost."""
    if not _asked:
        _end(number)
    elif not _over:
        _thread.interrupt_main()


def _watch(reader: int, command: int, late: Callable[[int], None]) -> None:
    """Act some time after a signal, unless this process has ended: Python's handler waits for the call that runs.

    Args:
        reader: the end of a pipe from which the numbers of signals come.
        command: the number of the command, after which others may have begun in this process.
        late: called with the signal's number.
    """
    pause = threading.Event()
    while signals := os.read(reader, 1):
        left = PATIENCE_SECONDS
        while left > 0:
            pause.wait(POLL_SECONDS)
            left -= 0 if _held_off else POLL_SECONDS
        if command == len(_commands) and signal.getsignal(signals[0]) is _interrupt:
            late(signals[0])
    os.close(reader)
