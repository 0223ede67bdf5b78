"""The words of session.jsonl and bundle.json, which later versions must still read."""

from __future__ import annotations

from kubectl_netpolgen.model.bundle import SCHEMA, Manifest, PodCapture, PodState, Rung


def test_states_and_rungs_keep_their_spelling() -> None:
    assert {state.value for state in PodState} == {
        "discovered",
        "skipped",
        "rejected",
        "patched",
        "start-failed",
        "capturing",
        "pulling",
        "verified",
        "released",
        "gone",
        "transfer-failed",
        "suspect",
    }
    assert {rung.value for rung in Rung} == {"strict", "baseline"}


def test_manifest_is_of_this_schema_unless_told_otherwise() -> None:
    manifest = Manifest("r", "0.1.0", ("shop",), "c", "s", started=1, ended=2, duration=60.0)
    assert manifest.schema == SCHEMA
    assert (manifest.pods, manifest.findings, dict(manifest.arguments)) == ((), (), {})


def test_capture_without_files_says_so() -> None:
    capture = PodCapture("u", "shop", "web-1", PodState.SKIPPED)
    assert (capture.pcap, capture.sockets, capture.verified, capture.dropped) == ("", "", False, None)
