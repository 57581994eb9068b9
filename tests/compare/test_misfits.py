"""Whatever a side says when it does not fit ends in one sentence; without processes, by lines in a socket."""

import json
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from parabola.compare.sides.failure import Failure, SideFailed
from parabola.compare.sides.launch import Launch
from parabola.compare.sides.side import Side
from tests.players import setup_of

Said = dict[str, Any]
COLLECTED: Said = {"kind": "collected", "cases": ["a", "b"]}
CALIBRATE: Said = {"kind": "calibrate", "case": "a"}
CALIBRATED: Said = {"kind": "calibrated", "iterations": 3}
READY: Said = {"kind": "ready", "case": "a", "rounds": 2, "warmup_rounds": 0}
PASSED: Said = {"kind": "passed"}
FINISHED: Said = {"kind": "finished", "case": "a", "seconds": [1.0, 2.0], "extra_info": {}}
SKIPPED: Said = {"kind": "skipped", "case": "a"}
FAILED: Said = {"kind": "failed", "case": "a", "why": "no", "output": ["E no"]}
ENDED: Said = {"kind": "ended", "strangers": {}}
ALL = (COLLECTED, CALIBRATE, CALIBRATED, READY, PASSED, FINISHED, SKIPPED, FAILED, ENDED)
NO_CONTROL: Said = {**SKIPPED, "case": "control"}
REST: list[Said] = [{**SKIPPED, "case": "b"}, ENDED]
WHOLE = [COLLECTED, NO_CONTROL, CALIBRATE, CALIBRATED, READY, PASSED, PASSED, FINISHED, *REST]


@dataclass(frozen=True)
class Moment:
    """Where a conversation is: what head has said, what fits next, and what is said to be expected."""

    before: list[Said]
    fits: list[Said]
    expected: str


MOMENTS = {
    "collecting": Moment(WHOLE[:0], [COLLECTED], '"collected"'),
    "before a case": Moment(
        WHOLE[:2], [CALIBRATE, READY, SKIPPED, FAILED, ENDED], "one of 2 cases that are left to run"
    ),
    "calibrating": Moment(WHOLE[:3], [CALIBRATED, SKIPPED, FAILED], '"calibrated" of a'),
    "calibrated": Moment(WHOLE[:4], [READY, SKIPPED, FAILED], '"ready" of a'),
    "in the first round": Moment(WHOLE[:5], [PASSED, SKIPPED, FAILED], '"passed" of a'),
    "in the last round": Moment(WHOLE[:6], [PASSED, SKIPPED, FAILED], '"passed" of a'),
    "after the rounds": Moment(WHOLE[:7], [FINISHED, SKIPPED, FAILED], '"finished" of a'),
    "after a case": Moment(WHOLE[:8], [ENDED], "one of 1 cases that are left to run"),
}
Conduct = Callable[..., Launch]


@pytest.fixture
def conduct(tmp_path: Path) -> Iterator[Conduct]:
    """Return what conducts a launch whose base says all, and whose head has said some lines and closed its end."""
    opened = list[socket.socket]()
    setup = setup_of(tmp_path)

    def side(name: str, lines: Sequence[bytes], code: int) -> Side:
        ours, theirs = socket.socketpair()
        ours.settimeout(5.0)
        opened.extend([ours, theirs])
        theirs.sendall(b"".join(line + b"\n" for line in lines))
        theirs.shutdown(socket.SHUT_WR)
        (tmp_path / f"{name}.log").write_text("bye\n")
        process: Any = SimpleNamespace(wait=lambda timeout=None: code, pid=7001)
        return Side(name, process, ours, tmp_path / f"{name}.log")

    def run(head: Sequence[Said | bytes], code: int = 0, base: Sequence[Said] = WHOLE) -> Launch:
        lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in head]
        launch = Launch(setup, 0, [], None)
        launch.sides = [side("base", [json.dumps(line).encode() for line in base], 0), side("head", lines, code)]
        launch._agree_on_cases()
        launch._conduct()
        return launch

    yield run
    for end in opened:
        end.close()


def failure_of(call: Callable[[], object]) -> SideFailed:
    with pytest.raises(SideFailed) as failure:
        call()
    return failure.value


def test_a_whole_conversation_fits(conduct: Conduct) -> None:
    """The case that both sides finish is kept."""
    assert list(conduct(WHOLE).measured) == ["a"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("message", ALL, ids=lambda message: message["kind"])
def test_each_message_at_each_moment(message: Said, moment: str, conduct: Conduct) -> None:
    """What does not fit is named with its side, its case and what was expected; a failure says its own words."""
    now = MOMENTS[moment]
    what = f'"{message["kind"]}"' + (f" of {message['case']}" if "case" in message else "")
    doing = {"collecting": "starting", "before a case": "in control"}.get(moment, "in a")
    if message == FAILED:
        says = "head failed in a: no"
    elif message == ENDED and message not in now.fits:
        says = f"head ended with exit code 0, {doing}: bye"
    else:
        says = f"head said {what}, where {now.expected} was expected"
    if message not in now.fits:
        assert str(failure_of(lambda: conduct([*now.before, message]))) == says


@pytest.mark.parametrize("moment", [name for name, now in MOMENTS.items() if SKIPPED in now.fits])
@pytest.mark.parametrize("over", [SKIPPED, FAILED], ids=lambda message: message["kind"])
def test_a_case_may_be_skipped_or_fail_at_any_moment(
    over: Said, moment: str, conduct: Conduct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A side that gives a case up is told no more of it; the other measures it to its end, and the launch goes on."""
    told: dict[str, list[str]] = {"base": [], "head": []}
    monkeypatch.setattr(Side, "tell", lambda side, **message: told[side.name].append(next(iter(message))))
    launch = conduct([*MOMENTS[moment].before, over, *REST])
    failure = Failure("head", "failed", "no", in_head_alone=True, output=["E no"])

    assert launch.measured == {}
    assert launch.failed == ({"a": failure} if over == FAILED else {})
    assert [side.ahead for side in launch.sides] == [[], []]
    assert launch.doing == "b"
    whole = ["run", "go", "iterations", "go", "go", "go_on"]
    heard = {"before a case": 1, "calibrating": 2, "calibrated": 3, "in the first round": 4, "in the last round": 5}
    assert told == {"base": whole, "head": whole[: heard.get(moment, 6)]}


@pytest.mark.parametrize("left_out_by", ["base", "head"])
def test_a_side_may_leave_out_a_case_without_a_word(left_out_by: str, conduct: Conduct) -> None:
    """As one whose plugin deselects it late: the other side measures it alone, and both measure the next together."""
    last = [{**message, "case": "b"} if "case" in message else message for message in WHOLE[4:8]]
    without, alone = [*WHOLE[:2], *last, ENDED], [*WHOLE[:8], *last, ENDED]
    base, head = (without, alone) if left_out_by == "base" else (alone, without)
    launch = conduct(head, base=base)

    assert list(launch.measured) == ["b"]
    assert [side.ahead for side in launch.sides] == [["a"] if side.name == left_out_by else [] for side in launch.sides]


@pytest.mark.parametrize("said", range(1, len(WHOLE)))
@pytest.mark.parametrize(("code", "end"), [(3, "ended with exit code 3"), (-9, "was killed by SIGKILL")])
def test_a_side_that_is_gone_in_the_middle(said: int, code: int, end: str, conduct: Conduct) -> None:
    """After each line that it might have said last, the failure says how it ended, and in which case."""
    case = ["starting", "in control", *["in a"] * 6, "in b"][said - 1]
    failure = failure_of(lambda: conduct(WHOLE[:said], code))

    assert str(failure) == f"head {end}, {case}" + (": bye" if code > 0 else "")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("line", "quoted"),
    [
        (b"Traceback (most recent call last):", "'Traceback (most recent call last):' (Expecting value"),
        (b'{"kind": "ready", "case": "a"}', "(Object missing required field `rounds`)"),
        (b'{"kind": "maybe"}', "(Invalid value 'maybe' - at `$.kind`)"),
        (b"\xff\xfe", "'\ufffd\ufffd' ("),
    ],
)
def test_a_line_that_is_no_message(line: bytes, quoted: str, moment: str, conduct: Conduct) -> None:
    """A garbled line is quoted, whenever it comes, with the side and what it was doing."""
    says = str(failure_of(lambda: conduct([*MOMENTS[moment].before, line])))

    assert says.startswith("head said what is no message, ")
    assert quoted in says


def test_a_case_that_was_not_planned_and_fails(conduct: Conduct) -> None:
    """As a file that cannot be collected, it ends the launch in its own words, with the end of pytest's report."""
    failure = failure_of(lambda: conduct([*WHOLE[:2], {**FAILED, "case": "c.py"}]))
    nameless = failure_of(lambda: conduct([{**FAILED, "case": ""}]))

    assert (str(failure), failure.output, failure.usage) == ("head failed in c.py: no", ["E no"], False)
    assert str(nameless) == "head failed in collecting: no"


def test_a_case_fails_on_both_sides(conduct: Conduct) -> None:
    """Both may fail in their own moment, and the next case is measured on both."""
    last = [{**message, "case": "b"} if "case" in message else message for message in WHOLE[4:8]]
    base = [*WHOLE[:4], {**FAILED, "why": "odd"}, *last, ENDED]
    launch = conduct([*WHOLE[:6], FAILED, *last, ENDED], base=base)

    assert list(launch.measured) == ["b"]
    assert launch.failed == {"a": Failure("both sides", "failed", "base: odd; head: no", output=["E no"])}
    assert [side.ahead for side in launch.sides] == [[], []]


@pytest.mark.parametrize("kind", ["calibrate", "ready", "skipped"])
@pytest.mark.parametrize("case", ["c", "", "control"])
def test_a_case_that_was_not_planned(kind: str, case: str, conduct: Conduct) -> None:
    """One that no one asked for, and one that is over, are named; those that are left are counted."""
    message = {**READY, "kind": kind, "case": case}
    failure = failure_of(lambda: conduct([*WHOLE[:2], message]))

    assert str(failure) == f'head said "{kind}" of {case}, where one of 2 cases that are left to run was expected'


@pytest.mark.parametrize("at", [4, 5, 6, 7])
@pytest.mark.parametrize("kind", ["ready", "finished", "skipped", "calibrate"])
def test_another_case_in_the_middle_of_one(kind: str, at: int, conduct: Conduct) -> None:
    """Only the case in work may be spoken of until it is over."""
    message = {**READY, **FINISHED, "kind": kind, "case": "b"}
    failure = failure_of(lambda: conduct([*WHOLE[:at], message]))
    expected = ["ready", "passed", "passed", "finished"][at - 4]

    assert str(failure) == f'head said "{kind}" of b, where "{expected}" of a was expected'
