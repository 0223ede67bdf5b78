"""Objects and events line by line: what is left out is told by line and name, and never in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubectl_netpolgen.bundle.cluster_files import MOST_LINES, ClusterFiles

POD: dict[str, Any] = {"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop", "uid": "u1"}}
TIME = "2026-01-03T12:00:00Z"


def lines(*values: Any) -> str:
    """Text of one line each."""
    return "".join(f"{json.dumps(value)}\n" for value in values)


def messages(files: ClusterFiles) -> list[str]:
    """What was said."""
    return [finding.message for finding in files.findings]


def test_line_that_is_left_out_is_told_with_the_name_of_its_object() -> None:
    files = ClusterFiles()
    bad = {**POD, "spec": {"nodeName": 5}}
    assert files.objects(lines(bad, {"kind": "Node", "metadata": {"name": 7}}, [], {})) == ()
    assert messages(files) == [
        "line 1 (Pod shop/web-1) was left out: spec.nodeName: 5 is no text",
        "line 2 (Node) was left out: metadata.name: 7 is no text",
        "line 3 was left out: not an object",
        "line 4 was left out: kind: missing",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time": 5}, "line 1 (Pod shop/web-1) was left out: time: 5 is no text"),
        ({"time": "noon"}, "line 1 (Pod shop/web-1) was left out: not an RFC 3339 time: 'noon'"),
        ({"type": "GONE"}, "line 1 (Pod shop/web-1) was left out: type: 'GONE' is none of ADDED, MODIFIED"),
        ({"type": None}, "line 1 (Pod shop/web-1) was left out: type: missing"),
        ({"object": None}, "line 1 was left out: not an object"),
    ],
)
def test_event_needs_a_time_a_type_and_an_object(changes: dict[str, Any], said: str) -> None:
    files = ClusterFiles()
    assert files.events(lines({"time": TIME, "type": "ADDED", "object": POD, **changes})) == ()
    (message,) = messages(files)
    assert message.startswith(said)


def test_pods_without_a_uid_would_hide_each_other() -> None:
    files = ClusterFiles()
    nameless = {"kind": "Pod", "metadata": {"name": "web-1", "uid": ""}}
    assert files.objects(lines(nameless)) == ()
    assert messages(files) == [
        "line 1 (Pod web-1) was left out: metadata.uid: missing, and pods are told apart by it"
    ]


def test_uid_of_another_object_is_told_in_whichever_file() -> None:
    files = ClusterFiles()
    other = {"kind": "Pod", "metadata": {"name": "api-1", "namespace": "shop", "uid": "u1"}}
    assert len(files.objects(lines(POD, POD))) == 2
    assert files.events(lines({"time": TIME, "type": "ADDED", "object": other})) == ()
    assert messages(files) == [
        "line 1 (Pod shop/api-1) was left out: metadata.uid: is that of Pod shop/web-1"
    ]


def test_file_of_noise_is_told_in_bounded_words() -> None:
    files = ClusterFiles()
    assert files.objects("noise\n" * (MOST_LINES + 50)) == ()
    assert len(files.findings) == MOST_LINES + 1
    assert messages(files)[-1] == "50 more lines were left out, from line 101 to 150"


def test_kinds_that_nobody_reads_are_counted() -> None:
    files = ClusterFiles()
    unknown = {"kind": "Lease", "metadata": {"name": "x"}}
    assert files.objects(lines(unknown, unknown)) == ()
    assert files.findings == []
    (finding,) = files.unused()
    assert (finding.code, finding.subject) == ("objects-not-used", "kind Lease")
    assert finding.message.startswith("2 of them")
