"""bundle.json reads back as it was written, and says in one way why it cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kubectl_netpolgen.bundle.manifest import manifest_document, parse_manifest
from kubectl_netpolgen.documents.json_text import dump_json, load_json
from kubectl_netpolgen.model.bundle import SCHEMA, Manifest, PodCapture, PodState, Rung
from kubectl_netpolgen.model.errors import BundleError
from kubectl_netpolgen.model.finding import Finding, Severity
from tests.factories import NOON, SECOND

PODS = (
    PodCapture(
        uid="u1",
        namespace="shop",
        name="web-1",
        state=PodState.RELEASED,
        rung=Rung.STRICT,
        pcap="captures/u1/run.pcap",
        sockets="captures/u1/run.sockets",
        bytes=1234,
        sha256="ab" * 32,
        verified=True,
        dropped=0,
        started=NOON,
        ended=NOON + 60 * SECOND,
        clock_offset=-0.25,
        stopped_by="client",
        entries=2,
    ),
    PodCapture(uid="u2", namespace="shop", name="web-2", state=PodState.SKIPPED, reason="host network"),
)
MANIFEST = Manifest(
    run="1a2b3c4d",
    tool_version="0.1.0",
    namespaces=("shop",),
    context="dev",
    server="https://203.0.113.1:6443",
    started=NOON,
    ended=NOON + 60 * SECOND,
    duration=60.0,
    arguments={"selector": "app=web"},
    pods=PODS,
    readable=("nodes", "pods:*"),
    findings=(Finding("pod-skipped", Severity.NOTE, "Pod shop/web-2", "was not captured", "way"),),
)


def document(**changes: Any) -> dict[str, Any]:
    """The manifest's JSON with some keys replaced."""
    return {**manifest_document(MANIFEST), **changes}


def test_written_manifest_reads_back_the_same() -> None:
    assert parse_manifest(load_json(dump_json(manifest_document(MANIFEST))), where="bundle.json") == MANIFEST


def test_run_that_was_cut_off_reads_back_too() -> None:
    begun = replace(MANIFEST, ended=0, pods=(), findings=())
    assert parse_manifest(manifest_document(begun), where="bundle.json") == begun


def test_order_of_pods_does_not_change_the_bytes() -> None:
    turned = replace(MANIFEST, pods=tuple(reversed(PODS)))
    assert dump_json(manifest_document(turned)) == dump_json(manifest_document(MANIFEST))


def test_keys_are_camel_case_and_times_rfc_3339() -> None:
    text = json.dumps(document())
    assert "_" not in "".join(key for key in document())
    assert '"toolVersion": "0.1.0"' in text
    assert '"clockOffset": -0.25' in text
    assert '"started": "2026-01-03T12:00:00.000000Z"' in text


def test_keys_of_a_later_version_of_the_same_schema_are_passed_over() -> None:
    assert parse_manifest(document(novelty={"a": 1}), where="b") == MANIFEST


def test_newer_schema_is_refused_with_the_way_out() -> None:
    with pytest.raises(BundleError, match="schema 2 is newer") as caught:
        parse_manifest(document(schema=SCHEMA + 1), where="b")
    assert "upgrade" in caught.value.way_out


@pytest.mark.parametrize("other", [None, [], "text", {}, {"kind": "List"}])
def test_another_thing_is_refused(other: Any) -> None:
    with pytest.raises(BundleError, match="no bundle"):
        parse_manifest(other, where="bundle.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": None},
        {"schema": "1"},
        {"run": None, "namespaces": None},
        {"namespaces": "shop"},
        {"arguments": ["x"]},
        {"started": "yesterday"},
        {"started": 5},
        {"duration": "long"},
        {"duration": float("inf")},
        {"pods": [{**document()["pods"][0], "clockOffset": 1e300}]},
        {"pods": ["web-1"]},
        {"pods": [["web-1"]]},
        {"pods": [{"uid": "u1"}]},
        {"pods": [{"uid": "u1", "namespace": "s", "name": "n", "state": "asleep"}]},
        {"pods": [{"uid": "u1", "namespace": "s", "name": "n", "state": "gone", "bytes": float("inf")}]},
        {"pods": [{"uid": "u1", "namespace": "s", "name": "n", "state": "gone", "dropped": "many"}]},
        {"pods": 5},
        {"findings": [{"code": "x", "severity": "fatal", "subject": "", "message": ""}]},
    ],
)
def test_damaged_manifest_is_refused_by_name(changes: dict[str, Any]) -> None:
    with pytest.raises(BundleError, match=r"^bundle\.json: ") as caught:
        parse_manifest(document(**changes), where="bundle.json")
    assert caught.value.way_out
