"""Findings as text: heaviest first, each with its way out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from kubectl_netpolgen.model.finding import Finding, Severity, sort_findings
from kubectl_netpolgen.output.escape import terminal_text
from kubectl_netpolgen.output.quantities import count_text

_STYLES = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1"}
"""SGR parameters (ECMA-48 8.3.117)."""


def findings_text(findings: Iterable[Finding], *, colour: bool = False) -> str:
    """A heading a severity and a few lines a finding; empty when there are none."""
    parts = []
    for severity, members in groupby(sort_findings(findings), key=lambda finding: finding.severity):
        group = list(members)
        heading = count_text(len(group), severity.value) + ":"
        if colour:
            heading = f"\x1b[{_STYLES[severity]}m{heading}\x1b[0m"
        parts.append(heading + "\n" + "".join(map(finding_text, group)))
    return "\n".join(parts)


def finding_text(finding: Finding) -> str:
    """Subject, message and code in a line, then the way out, indented."""
    line = terminal_text(f"{finding.subject}: {finding.message} [{finding.code}]")
    return f"  {line}\n" + "".join(f"      {terminal_text(way)}\n" for way in finding.way_out.splitlines())
