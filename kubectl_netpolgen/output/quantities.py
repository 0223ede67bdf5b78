"""Sizes, durations and counts as a person reads them."""

from __future__ import annotations


def size_text(size: int) -> str:
    """`512 B`, `1.5 KiB`, `20 MiB`: three significant figures at most."""
    if size < 1024:
        return f"{size} B"
    amount, units = size / 1024, ["KiB", "MiB", "GiB", "TiB"]
    while amount >= 1023.5 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{amount:.1f} {units[0]}" if amount < 9.95 else f"{amount:.0f} {units[0]}"


def duration_text(seconds: float) -> str:
    """`1h30m`, `45s`, `0.5s`: kubectl's way to write a duration; what is under a millisecond is rounded."""
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if minutes else ""
    if rest or not text:
        text += f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    return text


def count_text(count: int, one: str, many: str = "") -> str:
    """`1 pod`, `2 pods`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
