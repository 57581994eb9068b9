"""How a command is asked to end by a signal, and why none of them is lost, nor comes amid what clears up."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
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
    _asked.clear()
    _held_off.clear()
    _over.clear()
    _commands.append(len(_commands))
    sys.unraisablehook = partial(_tell_dropped, sys.unraisablehook)
    if os.name == "posix":
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=_watch, args=(reader, len(_commands)), daemon=True).start()
        while _writers:  # the watch over the command before ends
            os.close(_writers.pop())
        _writers.append(writer)
    for ending in SIGNALS:
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
    """Let no signal interrupt anything until the next command begins, as this one is over and Python itself ends."""
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
    """Tell of an exception that Python has dropped, unless it is a signal's, which is known in any case."""
    if not (_asked and isinstance(error.exc_value, KeyboardInterrupt)):
        tell(error)


def _watch(reader: int, command: int) -> None:
    """End this process some time after a signal, unless it has ended: Python's handler waits for the call that runs."""
    pause = threading.Event()
    while signals := os.read(reader, 1):
        left = PATIENCE_SECONDS
        while left > 0:
            pause.wait(POLL_SECONDS)
            left -= 0 if _held_off else POLL_SECONDS
        if command == len(_commands) and signal.getsignal(signals[0]) is _interrupt:
            os._exit(128 + signals[0])
    os.close(reader)
