"""Coverage in full: for programs with nulls for what nobody counted, for people the worst first."""

from __future__ import annotations

import json

from kubectl_netpolgen.analysis.coverage import Coverage
from kubectl_netpolgen.analysis.unused import Unused, UnusedKind
from kubectl_netpolgen.analysis.watched import WatchedPod
from kubectl_netpolgen.documents.json_text import dump_json
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.output.coverage_list import coverage_item, coverage_page
from tests.factories import NOON, SECOND
from tests.goldens import check_golden

END = NOON + 60 * SECOND
PODS = (
    WatchedPod("uid-api-1", "shop", "api-1", (NOON, END), (NOON + SECOND, END), 0),
    WatchedPod("uid-host", "shop", "host|1", (NOON, END), None, None, skipped=True, reason="hostNetwork"),
    WatchedPod("uid-web-1", "shop", "web-1", (NOON, END), None, None, reason="refused"),
)
UNUSED = (Unused(UnusedKind.PORT, ObjectKey("Deployment", "shop", "api"), "8080/TCP (http)"),)
COVERAGE = Coverage(1, 2, 3, 1, 1, 20 * SECOND, 60 * SECOND, PODS, UNUSED)


def test_both_forms_are_as_the_files_say() -> None:
    check_golden("output/coverage.json", dump_json(coverage_item(COVERAGE)))
    check_golden("output/coverage.md", coverage_page(COVERAGE))


def test_what_nobody_counted_is_null() -> None:
    found = json.loads(dump_json(coverage_item(COVERAGE)))
    assert [pod["packetsDropped"] for pod in found["pods"]] == [0, None, None]
    assert [pod["secondsMissed"] for pod in found["pods"]] == [1, None, 60]
    assert (found["secondsMissed"], found["secondsSinceNewEdge"]) == (61, 40)
    empty = coverage_item(Coverage(0, 0, 0, 0, 0, 0, 0))
    assert (empty["secondsSinceNewEdge"], empty["packetsDropped"]) == (None, None)


def test_the_page_begins_with_what_was_missed_most_and_ends_with_what_is_not_to_be_captured() -> None:
    lines = [line for line in coverage_page(COVERAGE).splitlines() if line.startswith("| shop")]
    assert [line.split(" | ")[1] for line in lines] == ["web-1", "api-1", "host\\|1"]
    assert "Nothing." in coverage_page(Coverage(0, 0, 0, 0, 0, 0, 0))
