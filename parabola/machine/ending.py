"""How a command that runs for long is asked to end by a signal, and why none of them is lost."""

import signal
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_asked = list[int]()


def end_as_by_ctrl_c() -> None:
    """Have SIGTERM and a closed terminal end this process as Ctrl-C does: with what it has started.

    A signal that was ignored when the process began, as nohup and a shell's background jobs have it, stays ignored.
    """
    _asked.clear()
    for ending in SIGNALS:
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, _interrupt)


def end_if_asked() -> None:
    """Raise KeyboardInterrupt if this process was asked to end; every loop that waits for long calls this.

    An exception that a signal's handler raises is dropped by Python when it falls into a destructor or into the
    callback of a weak reference, which imports have, too. The signal alone would then be lost.
    """
    if _asked:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: Any) -> None:
    _asked.append(number)
    raise KeyboardInterrupt
