from __future__ import annotations

import pytest

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.output.findings import finding_text, findings_text
from tests.goldens import check_golden
from tests.output.factories import HOSTILE

FINDINGS = (
    Finding("port-unused", Severity.NOTE, "shop/deployment/api", "port 9091 stayed closed: nobody used it"),
    Finding(
        "pod-not-captured",
        Severity.WARNING,
        "shop/pod/web-1",
        "was not captured: PodSecurity refused it",
        "allow the baseline profile:\nkubectl label ns shop pod-security.kubernetes.io/enforce=baseline",
    ),
    Finding(
        "peer-unknown", Severity.ERROR, "shop/deployment/web", "talks to 10.2.3.4, and nobody knows who it is"
    ),
    Finding(
        "peer-unknown", Severity.ERROR, "shop/deployment/api", "talks to 10.2.3.5, and nobody knows who it is"
    ),
)


def test_heaviest_first_with_the_way_out_below() -> None:
    check_golden("output/findings.txt", findings_text(FINDINGS))
    assert findings_text(FINDINGS) == findings_text(reversed(FINDINGS))


def test_colour_is_only_in_the_headings() -> None:
    coloured = findings_text(FINDINGS, colour=True)
    assert [line for line in coloured.splitlines() if "\x1b" in line] == [
        "\x1b[1;31m2 errors:\x1b[0m",
        "\x1b[1;33m1 warning:\x1b[0m",
        "\x1b[1m1 note:\x1b[0m",
    ]


def test_the_same_finding_is_told_once_and_none_are_nothing() -> None:
    assert findings_text([FINDINGS[0], FINDINGS[0]]) == findings_text([FINDINGS[0]])
    assert findings_text([]) == ""


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_stays_in_its_line(text: str) -> None:
    shown = finding_text(Finding("code", Severity.NOTE, text, text))
    assert shown.count("\n") == 1
    assert "\x1b" not in shown
