"""Findings come heaviest first, each once, in one order."""

from __future__ import annotations

import random

from kubectl_netpolgen.model.finding import Finding, Severity, sort_findings

FINDINGS = (
    Finding("b", Severity.ERROR, "x", "m"),
    Finding("a", Severity.WARNING, "x", "m"),
    Finding("a", Severity.WARNING, "y", "m"),
    Finding("a", Severity.WARNING, "y", "n"),
    Finding("a", Severity.WARNING, "y", "n", "way"),
    Finding("a", Severity.NOTE, "a", "a"),
)


def test_order_is_weight_then_code_subject_and_words() -> None:
    assert sort_findings(reversed(FINDINGS)) == FINDINGS


def test_order_given_does_not_matter_and_repeats_are_said_once() -> None:
    shuffled = [*FINDINGS, *FINDINGS]
    random.Random(3).shuffle(shuffled)
    assert sort_findings(shuffled) == FINDINGS


def test_nothing_found_is_nothing_said() -> None:
    assert sort_findings(()) == ()
