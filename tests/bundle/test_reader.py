"""A bundle reads back; what is damaged or foreign in it costs itself alone and is said."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.bundle.layout import CaptureFile
from kubectl_netpolgen.bundle.reader import Recorded, read_bundle
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.model.bundle import Manifest
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.objects import Pod
from tests.factories import NOON, SECOND

POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "web-1", "uid": "u1", "namespace": "shop"},
    "spec": {},
    "status": {"podIP": "10.244.1.5"},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A bundle of one pod with every file it may have."""
    writer = BundleWriter.create(tmp_path / "bundle")
    writer.manifest(Manifest("r", "0.1.0", ("shop",), "c", "s", started=NOON, ended=NOON, duration=1.0))
    writer.objects([POD])
    writer.event(time=NOON + SECOND, type="DELETED", object=POD)
    for kind in CaptureFile:
        writer.capture_path("u1", "run", kind).write_bytes(b"x")
    return writer.root


def codes(recorded: Recorded) -> list[tuple[str, str]]:
    """Code and subject of each finding."""
    return [(finding.code, finding.subject) for finding in recorded.findings]


def append(path: Path, *values: Any) -> None:
    """Add lines; text goes in as it is."""
    with path.open("a", encoding="utf-8", errors="surrogateescape") as stream:
        stream.writelines((v if isinstance(v, str) else json.dumps(v)) + "\n" for v in values)


def test_everything_written_is_read(root: Path) -> None:
    recorded = read_bundle(root)
    (pod,) = recorded.objects
    assert isinstance(pod, Pod)
    assert (pod.uid, pod.addresses) == ("u1", ("10.244.1.5",))
    (event,) = recorded.events
    assert (event.time, event.type, event.object) == (NOON + SECOND, "DELETED", pod)
    assert [(item.pod_uid, item.name) for item in recorded.captures] == [("u1", "captures/u1/run.pcap")]
    assert [(item.pod_uid, item.name) for item in recorded.sockets] == [("u1", "captures/u1/run.sockets")]
    assert (recorded.decisions, recorded.findings) == (None, ())


def test_decisions_come_along(root: Path) -> None:
    (root / "decisions.yaml").write_text("decisions: []\n")
    assert read_bundle(root).decisions == "decisions: []\n"


def test_bundle_without_objects_events_and_captures_is_empty(root: Path) -> None:
    for name in ("cluster/objects.jsonl", "cluster/events.jsonl"):
        (root / name).unlink()
    (root / "captures").rename(root.parent / "away")
    recorded = read_bundle(root)
    assert (recorded.objects, recorded.events, recorded.captures, recorded.findings) == ((), (), (), ())


@pytest.mark.parametrize(
    "line",
    [
        '{"kind": "Pod", "metad',
        "[]",
        '"text"',
        "null",
        '{"kind": "Pod"}',
        '{"kind": "Pod", "metadata": {"name": "x", "creationTimestamp": "0001-01-01T00:00:00+23:59"}}',
        '{"n": ' + "9" * 5000 + "}",
        '{"kind": "Service", "metadata": {"name": "x"}, "spec": {"ports": [{"port": 1e999}]}}',
        "[" * 100_000,
        "\udcff\udcfe",
    ],
)
def test_damaged_object_is_left_out_and_said(root: Path, line: str) -> None:
    append(root / "cluster/objects.jsonl", line, {**POD, "metadata": {"name": "web-2", "uid": "u2"}})
    recorded = read_bundle(root)
    assert [item.uid for item in recorded.objects if isinstance(item, Pod)] == ["u1", "u2"]
    assert codes(recorded) == [("bundle-line-damaged", "cluster/objects.jsonl")]
    assert re.match(r"line 2( \([A-Z].*\))? was left out: .", recorded.findings[0].message)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        {"time": "yesterday", "type": "ADDED", "object": POD},
        {"time": "2026-01-03T12:00:00Z", "type": "ADDED", "object": "web-1"},
        {"time": "2026-01-03T12:00:00Z", "type": "ADDED"},
    ],
)
def test_damaged_event_is_left_out_and_said(root: Path, line: Any) -> None:
    append(root / "cluster/events.jsonl", line)
    recorded = read_bundle(root)
    assert len(recorded.events) == 1
    assert set(codes(recorded)) == {("bundle-line-damaged", "cluster/events.jsonl")}


def test_kinds_that_say_nothing_about_traffic_are_passed_over(root: Path) -> None:
    lease = {"kind": "Lease", "metadata": {"name": "x"}}
    append(root / "cluster/objects.jsonl", lease)
    append(root / "cluster/events.jsonl", {"time": "2026-01-03T12:00:00Z", "type": "ADDED", "object": lease})
    recorded = read_bundle(root)
    assert (len(recorded.objects), len(recorded.events)) == (1, 1)
    assert codes(recorded) == [("objects-not-used", "kind Lease")]


def test_foreign_files_are_left_out_and_said(root: Path) -> None:
    captures = root / "captures"
    (captures / "notes.txt").write_text("x")
    (captures / "stray.pcap").write_text("x")
    (captures / "u1" / "run.pcap.gz").write_text("x")
    (captures / "u1" / "deep").mkdir()
    (captures / "u1" / "deep" / "run.pcap").write_text("x")
    (captures / "u1" / "link.pcap").symlink_to("run.pcap")
    os.mkfifo(captures / "u1" / "pipe.pcap")
    recorded = read_bundle(root)
    assert [item.name for item in recorded.captures] == ["captures/u1/run.pcap"]
    assert sorted(codes(recorded)) == [
        ("foreign-file", f"captures/{name}")
        for name in (
            "notes.txt",
            "stray.pcap",
            "u1/deep/run.pcap",
            "u1/link.pcap",
            "u1/pipe.pcap",
            "u1/run.pcap.gz",
        )
    ]


@pytest.mark.parametrize("name", ["nowhere", "bundle/bundle.json", "x" * 300])
def test_path_that_is_no_directory_is_refused(root: Path, name: str) -> None:
    with pytest.raises(BundleError) as caught:
        read_bundle(root.parent / name)
    assert caught.value.way_out


def test_directory_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"holds no bundle\.json"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"kind": "List"}'])
def test_manifest_that_is_none_is_refused(root: Path, text: str) -> None:
    (root / "bundle.json").write_text(text)
    with pytest.raises(BundleError, match=r"bundle\.json"):
        read_bundle(root)


@pytest.mark.parametrize("name", ["bundle.json", "cluster/objects.jsonl", "decisions.yaml"])
def test_pipe_in_place_of_a_file_is_refused_and_not_waited_for(root: Path, name: str) -> None:
    (root / name).unlink(missing_ok=True)
    os.mkfifo(root / name)
    with pytest.raises(BundleError, match="no regular file"):
        read_bundle(root)


def test_what_a_killed_run_had_pulled_is_used_and_said(root: Path) -> None:
    whole = root / "captures" / "u1" / "run.pcap"
    whole.rename(whole.with_name("run.pcap.part"))
    recorded = read_bundle(root)
    assert [item.name for item in recorded.captures] == ["captures/u1/run.pcap.part"]
    assert codes(recorded) == [("capture-in-part", "captures/u1/run.pcap.part")]


def test_a_part_beside_the_whole_file_is_left_out(root: Path) -> None:
    (root / "captures" / "u1" / "run.pcap.part").write_bytes(b"x")
    recorded = read_bundle(root)
    assert [item.name for item in recorded.captures] == ["captures/u1/run.pcap"]
    assert codes(recorded) == [("capture-set-aside", "captures/u1/run.pcap.part")]


def test_a_suspect_capture_is_left_out_and_said(root: Path) -> None:
    whole = root / "captures" / "u1" / "run.pcap"
    whole.rename(whole.with_name("run.pcap.suspect"))
    recorded = read_bundle(root)
    assert recorded.captures == ()
    assert codes(recorded) == [("capture-set-aside", "captures/u1/run.pcap.suspect")]
