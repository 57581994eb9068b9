"""What a round does: its target, repeated or with more work planted; and how often a target is called in a round."""

import time
from collections.abc import Callable
from typing import Any

PLAIN_SECONDS = 0.01  # about so long is a round of benchmark(f)


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


def calibrate(target: Callable[[], Any]) -> int:
    """Return how many calls last about as long as a round of benchmark(f) should."""
    iterations = 1
    while True:
        start = time.perf_counter()
        repeated(target, iterations)()
        seconds = time.perf_counter() - start
        if seconds >= PLAIN_SECONDS / 2:
            return max(1, round(iterations * PLAIN_SECONDS / seconds))
        iterations *= 2
