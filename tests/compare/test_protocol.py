"""The messages of a side: what each line is read as, and what is said of a line that is none."""

import json
import math
from typing import Any, get_args

import pytest

from parabola.compare.sides.protocol import (
    Begun,
    Calibrate,
    Calibrated,
    Collected,
    Ended,
    Failed,
    Finished,
    Message,
    NoMessage,
    Passed,
    Ready,
    Said,
    Skipped,
    decode,
)

LINES: list[tuple[dict[str, Any], Message, str]] = [
    ({"kind": "collected", "cases": ["a", "b"]}, Collected(["a", "b"]), '"collected"'),
    ({"kind": "begun", "case": "a"}, Begun("a"), '"begun" of a'),
    ({"kind": "calibrate", "case": "a"}, Calibrate("a"), '"calibrate" of a'),
    ({"kind": "calibrated", "iterations": 7}, Calibrated(7), '"calibrated"'),
    ({"kind": "ready", "case": "a", "rounds": 3, "warmup_rounds": 0}, Ready("a", 3, 0), '"ready" of a'),
    ({"kind": "passed"}, Passed(), '"passed"'),
    (
        {"kind": "finished", "case": "a", "seconds": [0.5], "extra_info": {"x": [1]}},
        Finished("a", [0.5], {"x": [1]}),
        '"finished" of a',
    ),
    ({"kind": "skipped", "case": "a"}, Skipped("a"), '"skipped" of a'),
    ({"kind": "failed", "case": "a", "why": "no", "output": ["x"]}, Failed("a", "no", ["x"]), '"failed" of a'),
    ({"kind": "ended", "strangers": {"m": "/m.py"}}, Ended({"m": "/m.py"}), '"ended"'),
]


@pytest.mark.parametrize(("line", "message", "words"), LINES, ids=[line["kind"] for line, *_ in LINES])
def test_each_line_is_read_as_its_message(line: dict[str, Any], message: Message, words: str) -> None:
    """The kind chooses the type, and a message is named by its kind and its case; there is no other kind."""
    assert decode(json.dumps(line).encode()) == message
    assert str(message) == words
    assert {kind.kind() for kind in get_args(Said)} == {line["kind"] for line, *_ in LINES}


def test_files_that_could_not_be_collected() -> None:
    """Each has the words of a case that failed."""
    line = {
        "kind": "collected",
        "cases": [],
        "uncollected": [{"kind": "failed", "case": "x", "why": "no", "output": []}],
    }

    assert decode(json.dumps(line).encode()) == Collected([], {}, [Failed("x", "no", [])])


@pytest.mark.parametrize(
    ("line", "key"), [(line, key) for line, *_ in LINES for key in line], ids=lambda part: str(part)[:30]
)
def test_no_key_may_be_missing(line: dict[str, Any], key: str) -> None:
    """The reason names the key."""
    rest = {name: value for name, value in line.items() if name != key}
    with pytest.raises(NoMessage) as refused:
        decode(json.dumps(rest).encode())

    assert str(refused.value) == f"{json.dumps(rest)!r} (Object missing required field `{key}`)"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"hello", "'hello' (Expecting value: line 1 column 1 (char 0))"),
        (b"", "'' (Expecting value: line 1 column 1 (char 0))"),
        (b'{"kind": "pass', '\'{"kind": "pass\' (Unterminated string starting at: line 1 column 10 (char 9))'),
        (b'"\xff"', "'\"\ufffd\"' ("),
        (b"[" * 100_000, f"'{'[' * 100}…' (maximum recursion depth exceeded"),
        (b"x" * 100, f"'{'x' * 100}' ("),
        (b"x" * 101, f"'{'x' * 100}…' ("),
        (b"7", "'7' (Expected `object`, got `int`)"),
        (b'{"kind": "nonsense"}', "'{\"kind\": \"nonsense\"}' (Invalid value 'nonsense' - at `$.kind`)"),
        (b'{"kind": "collected", "cases": [7]}', "(Expected `str`, got `int` - at `$.cases[0]`)"),
        (b'{"kind": "calibrated", "iterations": 0}', "(Expected `int` >= 1 - at `$.iterations`)"),
        (b'{"kind": "calibrated", "iterations": true}', "(Expected `int`, got `bool` - at `$.iterations`)"),
        (b'{"kind": "ready", "case": "a", "rounds": -1, "warmup_rounds": 0}', "(Expected `int` >= 0 - at `$.rounds`)"),
        (b'{"kind": "finished", "case": "a", "seconds": [], "extra_info": {}}', "of length >= 1 - at `$.seconds`)"),
        (b'{"kind": "finished", "case": "a", "seconds": ["1"], "extra_info": {}}', "got `str` - at `$.seconds[0]`)"),
    ],
)
def test_a_line_that_is_no_message_is_quoted_with_the_reason(line: bytes, says: str) -> None:
    """Whatever it is, the error is one, in one line that is not too long."""
    with pytest.raises(NoMessage) as refused:
        decode(line)

    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 300


def test_a_suite_may_tell_what_json_does_not_have() -> None:
    """Python writes NaN and infinity into JSON, so they are read: an error of a run that diverged is one."""
    message = decode(b'{"kind": "finished", "case": "a", "seconds": [1], "extra_info": {"e": NaN, "i": -Infinity}}\n')

    assert isinstance(message, Finished)
    assert message.seconds == [1.0]
    assert math.isnan(message.extra_info["e"])
    assert message.extra_info["i"] == -math.inf
