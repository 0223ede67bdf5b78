"""Times as text: RFC 3339 in UTC with microseconds, and back to nanoseconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)


def rfc3339(nanoseconds: int) -> str:
    """`2026-01-02T03:04:05.000006Z`; the part below a microsecond is cut, not rounded."""
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since the epoch; ValueError when the text is no RFC 3339 time (metav1.Time, MicroTime)."""
    match = _RFC3339.fullmatch(text)
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
