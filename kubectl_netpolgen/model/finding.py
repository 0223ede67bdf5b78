"""Warnings as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Severity(str, Enum):
    """How much a finding weighs, heaviest first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing a person should know: the object, what is the case, and the way out."""

    code: str
    """Stable, lower-case, dashed: `pod-not-captured`."""
    severity: Severity
    subject: str
    """The object it is about, as a person would name it."""
    message: str
    way_out: str = ""


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Heaviest first, then by code and subject; the same finding once."""
    order = tuple(Severity)
    return tuple(
        sorted(
            set(findings),
            key=lambda f: (order.index(f.severity), f.code, f.subject, f.message, f.way_out),
        )
    )
