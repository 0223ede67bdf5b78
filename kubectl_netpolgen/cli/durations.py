"""Durations as people type them: `60s`, `5m`, `1h30m`, bare seconds."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)", re.ASCII)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

LONGEST = 366 * 24 * 3600.0
"""Seconds; beyond this a duration is taken for a typing error."""


def parse_duration(text: str) -> float:
    """Seconds of `1h30m`, `5m`, `60s`, `250ms` or bare seconds; ValueError says what was wrong.

    The units are those of Go's time.ParseDuration that make sense for a capture, so what kubectl takes as
    `--request-timeout` is taken here too.
    """
    if _NUMBER.fullmatch(text):
        seconds = float(text)
    elif _DURATION.fullmatch(text):
        seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))
    else:
        raise ValueError(f'"{text}" is no duration; write it like 60s, 5m or 1h30m')
    if seconds > LONGEST:
        raise ValueError(f'"{text}" is longer than a year')
    return seconds
