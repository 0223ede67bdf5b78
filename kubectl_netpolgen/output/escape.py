"""The one door to the terminal for text from outside: what could steer it is made visible."""

from __future__ import annotations

import re

# C0, DEL and C1 controls; soft hyphen, bidirectional marks, overrides and isolates, zero-width and other
# format characters, line and paragraph separators (Trojan Source, CVE-2021-42574); lone surrogates, which no
# stream can encode; noncharacters that XML forbids; tag characters. An explicit list, because the
# categories of `unicodedata` change between Python releases and the output must not.
_STEERING = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def terminal_text(text: str) -> str:
    """Return the text with every steering character written out, like `\\x1b`; the result is one line.

    kubectl does the same to what it prints (kubernetes issue 101695).
    """
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_STEERING, _visible, text)
