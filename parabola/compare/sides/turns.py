"""One case of a launch: its sides calibrate one after the other, and then take turns, round by round."""

from collections.abc import Mapping, Sequence

from parabola.compare.sides.protocol import Calibrate, Calibrated, Finished, OfCase, Passed, Ready
from parabola.compare.sides.side import Kind, Side


def measure(case: str, sides: Sequence[Side]) -> dict[Side, OfCase]:
    """Conduct a case from the first that is said of it to the last.

    Args:
        case: its name.
        sides: those that have come to it, in the order of their turns; one alone if the other does not run it.

    Returns:
        What each side says at the end: that it has finished the case, or that its test was skipped or failed, which it
        may say in place of anything else.

    Raises:
        SideFailed: if a side ends, or says what does not fit.
    """
    for side in sides:
        side.ahead.remove(case)
    _calibrate(case, [side for side in sides if isinstance(side.peek(), Calibrate)])
    ready = _answers(Ready, case, sides)
    if ready:
        _take_turns(case, ready)
    finished = _answers(Finished, case, list(ready))
    return {side: finished.get(side) or side.hear(OfCase, case) for side in sides}


def _calibrate(case: str, sides: Sequence[Side]) -> None:
    """Let the sides find how many calls make a round, one after the other, and give all the larger number."""
    calibrated = dict[Side, Calibrated]()
    for side in sides:
        side.hear(Calibrate, case)
        side.tell(go=True)
        calibrated |= _answers(Calibrated, case, [side])
    for side in calibrated:
        side.tell(iterations=max(message.iterations for message in calibrated.values()))


def _take_turns(case: str, ready: Mapping[Side, Ready]) -> None:
    """Give the sides their turns: first what one warms up longer, then in pairs, then what one has more of."""
    sides = list(ready)
    warmups = min(message.warmup_rounds for message in ready.values())
    rounds = min(message.rounds for message in ready.values())
    for side in sides:
        _turns(case, side, ready[side].warmup_rounds - warmups)
    for pair in range(warmups + rounds):
        for side in sides if pair % 2 == 0 else sides[::-1]:
            _turns(case, side, 1)
    for side in sides:
        _turns(case, side, ready[side].rounds - rounds)
    for side in sides:
        if not side.gives_up(case):
            side.tell(go_on=True)


def _turns(case: str, side: Side, turns: int) -> None:
    """Give a side so many turns, one after the other, unless it gives the case up."""
    for _ in range(turns):
        if not side.gives_up(case):
            side.tell(go=True)
            side.expect(Passed, case)


def _answers(kind: type[Kind], case: str, sides: Sequence[Side]) -> dict[Side, Kind]:
    """Return what each side says of a case; of a side that gives it up, nothing."""
    messages = {side: side.expect(kind, case) for side in sides}
    return {side: message for side, message in messages.items() if message is not None}
