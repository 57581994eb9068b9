"""Foreign text is shown as what it is, and on any terminal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parabola.display.plain import plain, show_readably


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x² – µs\n[red]", "x² – µs\n[red]"),
        ("\x1b[2J\x07a\rb\tc\x7f\x9b", "\\x1b[2J\\x07a\\rb\\tc\\x7f\\x9b"),
        ("a\u202eb\u2066c\u200f", "a\\u202eb\\u2066c\\u200f"),
        ("lone \udc80", "lone \\udc80"),
    ],
)
def test_control_characters_are_written_as_escapes(text: str, shown: str) -> None:
    """Those that command a terminal, those that turn the order of others around, and halves of characters."""
    assert plain(text) == shown


@given(st.text())
def test_what_is_plain_can_be_printed_anywhere(text: str) -> None:
    """It can be encoded, has no control character but line breaks, and is plain already."""
    shown = plain(text)
    shown.encode()

    assert [character for character in shown if ord(character) < 32 and character != "\n"] == []
    assert plain(shown) == shown


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", "x^2 3 us +-5 % a-b e+ ?"),
        ("latin-1", "x² 3 µs ±5 % a-b é+ ?"),
        ("cp1252", "x² 3 µs ±5 % a–b é† ?"),
        ("utf-8", "x² 3 µs ±5 % a–b é† 数"),
    ],
)
def test_a_stream_writes_something_readable_for_what_it_lacks(encoding: str, written: str) -> None:
    """The nearest of ASCII where there is one, and a question mark else; what the encoding has stays."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    show_readably(stream)
    stream.write("x² 3 µs ±5 % a–b é† 数")
    stream.flush()

    assert raw.getvalue().decode(encoding) == written


def test_a_stream_that_cannot_be_changed_is_left_alone() -> None:
    """As where a test catches the output in memory."""
    stream = io.StringIO()
    show_readably(stream)

    assert stream.write("²") == 1
