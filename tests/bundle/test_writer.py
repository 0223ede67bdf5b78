"""One writer, many threads, nothing outside the bundle."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.bundle.layout import CaptureFile
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.model.bundle import Manifest
from kubectl_netpolgen.model.errors import BundleError
from tests.factories import NOON, SECOND

POD: dict[str, Any] = {"kind": "Pod", "metadata": {"name": "web-1", "uid": "u1"}, "spec": {"hostPID": True}}


@pytest.fixture
def writer(tmp_path: Path) -> BundleWriter:
    """The writer of a new bundle."""
    return BundleWriter.create(tmp_path / "bundle")


def lines(path: Path) -> list[Any]:
    """The values of a file of lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_new_bundle_is_its_owners_alone(tmp_path: Path) -> None:
    root = BundleWriter.create(tmp_path / "a" / "bundle").root
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert list(root.iterdir()) == []


def test_empty_directory_becomes_a_bundle_and_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert stat.S_IMODE(BundleWriter.create(tmp_path).root.stat().st_mode) == 0o700


def test_something_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for root in (tmp_path, tmp_path / "file"):
        with pytest.raises(BundleError, match="not empty") as caught:
            BundleWriter.create(root)
        assert "--bundle" in caught.value.way_out
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["file/bundle", "x" * 300])
def test_place_where_nothing_can_be_made_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="cannot be written"):
        BundleWriter.create(tmp_path / name)


def test_objects_and_events_are_reduced_before_they_are_written(writer: BundleWriter) -> None:
    secret = {"kind": "Secret", "metadata": {"name": "x"}}
    writer.objects([POD, secret])
    writer.event(time=NOON, type="DELETED", object=POD)
    writer.event(time=NOON, type="ADDED", object=secret)
    reduced = {
        "apiVersion": "",
        "kind": "Pod",
        "metadata": {"name": "web-1", "uid": "u1"},
        "spec": {},
        "status": {},
    }
    assert lines(writer.root / "cluster/objects.jsonl") == [reduced]
    assert lines(writer.root / "cluster/events.jsonl") == [
        {"time": "2026-01-03T12:00:00.000000Z", "type": "DELETED", "object": reduced}
    ]


def test_session_keeps_changes_in_order(writer: BundleWriter) -> None:
    writer.session(time=NOON, state="run-started", run="1a2b3c4d")
    writer.session(time=NOON + SECOND, pod="shop/web-1", state="capturing")
    assert [line["state"] for line in lines(writer.root / "session.jsonl")] == ["run-started", "capturing"]


def test_every_thread_writes_whole_lines(writer: BundleWriter) -> None:
    def write(number: int) -> None:
        writer.session(time=NOON, number=number, text="x" * 500)
        writer.event(time=NOON, type="MODIFIED", object=POD)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(200)))
    assert sorted(line["number"] for line in lines(writer.root / "session.jsonl")) == list(range(200))
    assert len(lines(writer.root / "cluster/events.jsonl")) == 200


def test_capture_has_its_folder_and_a_name_inside_the_bundle(writer: BundleWriter) -> None:
    path = writer.capture_path("u1", "run", CaptureFile.PCAP)
    assert path.parent.is_dir()
    assert writer.relative(path) == "captures/u1/run.pcap"
    with pytest.raises(ValueError):
        writer.capture_path("../u1", "run", CaptureFile.PCAP)


def test_manifest_is_written_whole_and_again(writer: BundleWriter) -> None:
    for duration in (60.0, 30.0):
        writer.manifest(
            Manifest("r", "0.1.0", ("shop",), "c", "s", started=NOON, ended=NOON, duration=duration)
        )
        assert json.loads((writer.root / "bundle.json").read_text())["duration"] == duration


@pytest.mark.parametrize("name", ["../outside", "policies/../../outside", "/outside"])
def test_name_that_leads_outside_is_refused(writer: BundleWriter, name: str) -> None:
    with pytest.raises(BundleError, match="outside the bundle"):
        writer.text(name, "x")
    assert not (writer.root.parent / "outside").exists()


def test_directory_that_is_a_link_is_not_followed(writer: BundleWriter, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("policies", "cluster", "captures"):
        (writer.root / name).symlink_to(elsewhere)
    with pytest.raises(BundleError, match="outside the bundle"):
        writer.text("policies/a.yaml", "x")
    with pytest.raises(BundleError, match="outside the bundle"):
        writer.objects([POD])
    with pytest.raises(BundleError, match="outside the bundle"):
        writer.capture_path("u1", "run", CaptureFile.PCAP)
    assert list(elsewhere.iterdir()) == []


def test_bundle_reached_through_a_link_is_fine(writer: BundleWriter, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(writer.root)
    BundleWriter(tmp_path / "latest").text("policies/a.yaml", "x")
    assert (writer.root / "policies" / "a.yaml").read_text() == "x"


def test_configuration_is_kept_where_it_was_asked_for_and_services_come_first(writer: BundleWriter) -> None:
    env = [{"name": "URL", "value": "http://user:secret@orders/x"}]
    pod = {
        "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {"containers": [{"env": env}]},
    }
    service = {
        "kind": "Service",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {"ports": [{"port": 80}]},
    }
    writer.objects([pod])
    writer.read_configuration(["shop"])
    writer.objects([pod, service])
    # a deletion may come without a spec, and what was known stays
    writer.event(time=NOON, type="DELETED", object={**service, "spec": {}})
    writer.event(time=NOON, type="MODIFIED", object=pod)
    before, after, _ = lines(writer.root / "cluster/objects.jsonl")
    assert "env" not in before["spec"]["containers"][0]
    kept = {"env": [{"name": "URL", "value": "orders.shop.svc:80"}]}
    assert after["spec"]["containers"] == [kept]
    _, event = lines(writer.root / "cluster/events.jsonl")
    assert event["object"]["spec"]["containers"] == [kept]
    assert not any(b"secret" in path.read_bytes() for path in writer.root.rglob("*.jsonl"))


def test_lines_of_a_large_file_are_written_one_by_one(writer: BundleWriter) -> None:
    path = writer.lines("edges.jsonl", (f"{number}\n" for number in range(3)))
    assert path.read_text() == "0\n1\n2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
