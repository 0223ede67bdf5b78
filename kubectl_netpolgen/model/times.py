"""Times as text: RFC 3339 in UTC with microseconds, and back to nanoseconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST_SECOND, _LAST_SECOND = (
    int(moment.replace(tzinfo=timezone.utc).timestamp())
    for moment in (datetime.min, datetime.max.replace(microsecond=0))
)
_RFC3339 = r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))"


def rfc3339(nanoseconds: int) -> str:
    """`2026-01-02T03:04:05.000006Z`; the part below a microsecond is cut, not rounded."""
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def rfc3339_full(nanoseconds: int) -> str:
    """The same with all that is known: nine digits where there is anything below a microsecond, else six.

    What lies outside the years 1 to 9999, as in a damaged file, reads as their beginning or end.
    """
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    fraction, below = divmod(rest, 1000)
    return f"{_second_text(seconds)}.{rest:09d}Z" if below else f"{_second_text(seconds)}.{fraction:06d}Z"


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    moment = _EPOCH + timedelta(seconds=min(max(seconds, _FIRST_SECOND), _LAST_SECOND))
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since the epoch; ValueError when the text is no RFC 3339 time (metav1.Time, MicroTime)."""
    match = re.fullmatch(_RFC3339, text, re.ASCII)
    if match is None:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = int((match[7] or "").ljust(9, "0"))
    # a leap second has no place in datetime; the second before it is near enough for ordering
    moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone.utc)
    if match[8]:
        offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
        try:
            moment -= offset if match[8] == "+" else -offset
        except OverflowError as error:
            raise ValueError(f"outside the years 1 to 9999: {text!r}") from error
    whole = (moment - _EPOCH) // timedelta(seconds=1)
    return whole * 1_000_000_000 + fraction
