"""The recorder's own clock, and what the run knew of each node's, reach the analysis."""

from __future__ import annotations

import re
import shutil
import struct
from dataclasses import replace
from pathlib import Path

import pytest

import kubectl_netpolgen
from kubectl_netpolgen.analysis.clocks import Recording
from kubectl_netpolgen.bundle.reader import Recorded, read_bundle
from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.runs.derive import derive
from kubectl_netpolgen.runs.recorder_clock import on_cluster_clock, recordings
from tests.bundles import a_bundle, shop_documents
from tests.factories import NOON, SECOND, edge_words

RECORDED = Path(kubectl_netpolgen.__file__).parent / "recorded"


def recorded(tmp_path: Path, *offsets: float) -> Recorded:
    """A bundle whose nodes' clocks were so many seconds ahead of the recorder's."""
    pods = [
        PodCapture(
            f"u{n}", "shop", f"p{n}", PodState.RELEASED, pcap=f"{n}.pcap", started=NOON, clock_offset=offset
        )
        for n, offset in enumerate(offsets)
    ]
    event = (NOON + SECOND, "MODIFIED", shop_documents()[0])
    return read_bundle(a_bundle(tmp_path / "bundle", pods=pods, events=[event]))


def test_clock_like_the_nodes_changes_nothing(tmp_path: Path) -> None:
    bundle = recorded(tmp_path, 0.004, -1.5, 0.0)
    assert on_cluster_clock(bundle) is bundle


def test_what_was_stamped_here_is_moved_to_the_clusters_clock(tmp_path: Path) -> None:
    bundle = on_cluster_clock(recorded(tmp_path, 300.0, 300.5, 0.0))
    assert (bundle.manifest.started, bundle.manifest.ended) == (NOON + 300 * SECOND, NOON + 360 * SECOND)
    assert [event.time for event in bundle.events] == [NOON + 301 * SECOND]
    assert [pod.started for pod in bundle.manifest.pods] == [NOON + 300 * SECOND] * 3
    assert [pod.clock_offset for pod in bundle.manifest.pods] == [0.0, 0.5, 0.0]
    assert [pod.ended for pod in bundle.manifest.pods] == [0, 0, 0]
    (finding,) = bundle.findings
    assert (finding.code, finding.subject) == ("clock-skew", "the machine that captured")
    assert "300 s behind the cluster's" in finding.message


def test_one_node_that_is_off_is_its_own_affair(tmp_path: Path) -> None:
    bundle = recorded(tmp_path, 0.001, -0.002, 300.0)
    assert on_cluster_clock(bundle) is bundle
    assert recordings(bundle.manifest)["2.pcap"] == Recording(start=NOON, offset=300 * SECOND)


def test_recording_has_what_the_run_noted(tmp_path: Path) -> None:
    manifest = recorded(tmp_path, 0.0).manifest
    (pod,) = manifest.pods
    ended = replace(manifest, pods=(replace(pod, started=0, ended=NOON), replace(pod, pcap="")))
    assert recordings(ended) == {"0.pcap": Recording(end=NOON)}


@pytest.mark.parametrize("seconds", [60, -60, 600, -600, -5])
@pytest.mark.parametrize("pod", ["frontend", "statsd", "adservice"])
def test_capture_by_another_clock_gives_the_same_edges_and_is_named(
    tmp_path: Path, pod: str, seconds: int
) -> None:
    root = tmp_path / "bundle"
    shutil.copytree(RECORDED, root)
    whole = derive(root, GenerationOptions())
    (uid,) = {item.uid for item in whole.recorded.manifest.pods if item.name.startswith(f"{pod}-")}
    for path in (root / "captures" / uid).glob("*.pcap"):
        path.write_bytes(later(path.read_bytes(), seconds))
    for path in (root / "captures" / uid).glob("*.sockets"):
        path.write_text(
            re.sub(r"(?m)^#npg (\d+)", lambda match: f"#npg {int(match[1]) + seconds}", path.read_text())
        )
    found = derive(root, GenerationOptions())
    assert edge_words(found.edges) == edge_words(whole.edges)
    (finding,) = [item for item in found.findings if item.code == "clock-skew"]
    side = "ahead of" if seconds > 0 else "behind"
    assert finding.subject.startswith(f"pod boutique/{pod}-")
    assert finding.message.startswith(f"its clock is {abs(seconds)} s {side} the cluster's")


def later(content: bytes, seconds: int) -> bytes:
    """A classic capture with every record's time moved."""
    moved, at = bytearray(content), 24
    while at + 16 <= len(content):
        time, _, length, _ = struct.unpack_from("<IIII", content, at)
        struct.pack_into("<I", moved, at, time + seconds)
        at += 16 + length
    return bytes(moved)
