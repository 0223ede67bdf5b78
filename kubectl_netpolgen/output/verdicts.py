"""Verdicts as JSON for programs, one item a line, and as columns for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kubectl_netpolgen.model.rows import API_VERSION
from kubectl_netpolgen.output.columns import plain_columns
from kubectl_netpolgen.semantics.verdicts import Decision, EndAnswer, Verdict

LIST_BEGIN = f'{{"apiVersion":"{API_VERSION}","kind":"VerdictList","items":['
LIST_END = "\n]}\n"
HEADINGS = ("ID", "VERDICT", "EGRESS", "INGRESS", "WHY")
HEADINGS_BRIEF = HEADINGS[:2]
_REMEMBERED = 1 << 16


def end_item(answer: EndAnswer) -> dict[str, Any]:
    """`{verdict, policies, nearest, default}`: an allow with its rules, a deny with its policies."""
    policies: list[dict[str, Any]] = [{"policy": name, "rule": rule} for name, rule in answer.allowed_by]
    if answer.decision is Decision.DENIED:
        policies = [{"policy": name, "rule": rule} for name, rule in answer.denied_by]
        policies += [{"policy": name} for name in answer.isolated_by]
    item: dict[str, Any] = {
        "verdict": answer.decision.value,
        "policies": policies,
        "nearest": [miss._asdict() for miss in answer.nearest],
        "default": answer.default,
    }
    return {**item, "reason": answer.reason} if answer.reason else item


def verdict_item(verdict: Verdict) -> dict[str, Any]:
    """What stands after the id; `reason` only where there is no plain answer."""
    ends = {"egress": verdict.egress, "ingress": verdict.ingress}
    item: dict[str, Any] = {"verdict": verdict.decision.value}
    item.update((key, None if end is None else end_item(end)) for key, end in ends.items())
    return {**item, "reason": verdict.reason} if verdict.reason else item


class VerdictText:
    """Writes the text of verdicts, each end's once: millions of verdicts share a few."""

    def __init__(self, *, brief: bool) -> None:
        self._brief = brief
        self._ends: dict[EndAnswer | None, str] = {}

    def after_id(self, verdict: Verdict) -> str:
        """`"verdict":...` up to the end of the object, which another key may precede."""
        decision = f'"verdict":"{verdict.decision.value}"'
        if self._brief:
            return decision + "}"
        reason = f',"reason":{_dumped(verdict.reason)}' if verdict.reason else ""
        ends = f'"egress":{self._end(verdict.egress)},"ingress":{self._end(verdict.ingress)}'
        return f"{decision},{ends}{reason}}}"

    def _end(self, answer: EndAnswer | None) -> str:
        known = self._ends.get(answer)
        if known is None:
            known = "null" if answer is None else _dumped(end_item(answer))
            if len(self._ends) >= _REMEMBERED or len(known) > _REMEMBERED:
                self._ends.clear()
            self._ends[answer] = known
        return known


def verdict_cells(name: str, verdict: Verdict, *, brief: bool) -> tuple[str, ...]:
    """A row of the table."""
    if brief:
        return name, verdict.decision.value
    ends = ("" if end is None else end.decision.value for end in (verdict.egress, verdict.ingress))
    return name, verdict.decision.value, *ends, _why(verdict)


def _why(verdict: Verdict) -> str:
    """Who denies it, or who allows it."""
    if verdict.reason:
        return verdict.reason
    found = [end for end in (verdict.egress, verdict.ingress) if end is not None]
    if verdict.decision is Decision.DENIED:
        return "; ".join(dict.fromkeys(denial_text(end) for end in found if end.decision is Decision.DENIED))
    rules = (f"{name} rule {rule}" for end in found for name, rule in end.allowed_by)
    return ", ".join(dict.fromkeys(rules)) or "no policy selects an end"


def denial_text(answer: EndAnswer, called: Callable[[str], str] = str) -> str:
    """Which policies deny an end; `called` has the words for a policy."""
    parts = []
    if answer.denied_by:
        rules = (f"{called(name)} rule {rule}" for name, rule in answer.denied_by)
        parts.append("denied by " + ", ".join(rules))
    if answer.isolated_by:
        parts.append("isolated by " + ", ".join(map(called, answer.isolated_by)))
    return ", ".join(parts)


def verdict_rows(rows: list[tuple[str, ...]], *, brief: bool, headers: bool) -> str:
    """Some rows of the table, as wide as they need."""
    return plain_columns(HEADINGS_BRIEF if brief else HEADINGS, rows, headers=headers)


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
