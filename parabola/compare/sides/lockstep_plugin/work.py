"""What a round does: its target, repeated or with more work planted; and how many rounds of how many calls."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

# Of benchmark(f). Rounds are short, so that what strikes a core meanwhile strikes a few of them, or many of both sides
# alike: where other work kept the machine busy, 10 rounds of 10 ms told launches of the same code 6 % apart (median of
# 18 cases), and 100 of 1 ms less than 1 %.
ROUND_SECONDS, CASE_SECONDS, LEAST_ROUNDS, MOST_ROUNDS = 0.001, 0.1, 10, 100
TRIAL_SECONDS = 0.005  # calls are timed over at least so long

BLOCK, BLOCKS = bytes(1 << 16), 12  # hashed in a round of the control: about 0.6 ms, as few are struck then; all in C


def hash_blocks() -> None:
    """Do the work of the control's rounds."""
    for _ in range(BLOCKS):
        hashlib.sha256(BLOCK).digest()


def slowed(target: Callable[..., Any], share: float) -> Callable[..., Any]:
    """Return a target that goes on working, after what it had to do, for a share of the time that took."""

    def go_on_working(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = target(*args, **kwargs)
        until = time.perf_counter() + share * (time.perf_counter() - start)
        while time.perf_counter() < until:
            pass
        return result

    return go_on_working


def repeated(target: Callable[..., Any], iterations: int) -> Callable[..., Any]:
    """Return a target that calls the first so many times."""

    def repeat(*args: Any, **kwargs: Any) -> Any:
        result = None
        for _ in range(iterations):
            result = target(*args, **kwargs)
        return result

    return repeat


def calibrate(target: Callable[[], Any]) -> float:
    """Return how long a call lasts, in seconds."""
    calls = 1
    while True:
        start = time.perf_counter()
        repeated(target, calls)()
        seconds = time.perf_counter() - start
        if seconds >= TRIAL_SECONDS:
            return seconds / calls
        calls *= 2


def plain_iterations(seconds: float) -> int:
    """Return how many calls, of so many seconds each, last about as long as a round of benchmark(f) should."""
    return max(1, round(ROUND_SECONDS / seconds))


def plain_rounds(seconds: float) -> int:
    """Return how many rounds of benchmark(f), of so many seconds each, last about as long as a case should."""
    return min(max(round(CASE_SECONDS / seconds), LEAST_ROUNDS), MOST_ROUNDS)
