"""Foreign text, such as a branch's or a benchmark's name, shown as what it is: it commands no terminal and no page."""

import codecs
import unicodedata
from typing import Any

# Format characters that reorder what stands beside them.
BIDIRECTIONAL = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
SUBSTITUTES = {
    **{"²": "^2", "³": "^3", "×": "x", "µ": "u", "±": "+-", "†": "+", "…": "...", "≠": "!=", "⁻": "^-", "₁": "1"},
    **{"–": "-", "—": "-", "−": "-", "─": "-", "━": "-", "│": "|", "┃": "|", "╸": "-", "╺": "-", "₂": "2", "·": "-"},
}
READABLE = "readable"  # the name of how what a terminal cannot show is written


def plain(text: str) -> str:
    """Return a text with its control characters, and those that reorder others, written as escapes, as "\\x1b"."""
    return "".join(_escaped(character) if _commands(character) else character for character in text)


def _commands(character: str) -> bool:
    return character in BIDIRECTIONAL or (unicodedata.category(character) in ("Cc", "Cs") and character != "\n")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape" if ord(character) < 0xD800 else "ascii", "backslashreplace").decode()


def _substitute(error: UnicodeError) -> tuple[str, int]:
    """Give what stands for characters that an encoding lacks: something readable, or else a question mark."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    readable = (SUBSTITUTES.get(one) or unicodedata.normalize("NFKD", one) for one in lacking)
    return "".join(text.encode("ascii", "ignore").decode() or "?" for text in readable), error.end


codecs.register_error(READABLE, _substitute)


def show_readably(stream: Any) -> None:
    """Let a text stream write something readable where its encoding lacks a character, instead of failing."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors=READABLE)
