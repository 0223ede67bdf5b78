from __future__ import annotations

from dataclasses import replace

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.output.preflight import CapturePlan, preflight_text
from tests.goldens import check_golden

PLAN = CapturePlan(
    context="admin@test",
    server="https://192.0.2.1:6443",
    server_version="v1.33.1",
    namespaces=("shop",),
    pods=14,
    image="docker.io/nicolaka/netshoot:v0.13",
    capabilities=("NET_RAW",),
    duration=60,
    bundle="netpolgen-shop-20260103-120000",
)


def test_one_screen_says_all_before_anything_is_done() -> None:
    text = preflight_text(PLAN)
    check_golden("output/preflight.txt", text)
    assert len(text.splitlines()) < 24
    assert all(len(line) <= 100 for line in text.splitlines())


def test_several_namespaces_left_out_pods_and_findings() -> None:
    plan = replace(PLAN, namespaces=("shop", "payments"), pods=1, skipped=2, capabilities=(), duration=5400)
    findings = [
        Finding("nodes-unreadable", Severity.NOTE, "nodes", "cannot be listed", "see: rbac --cluster-wide")
    ]
    check_golden("output/preflight-findings.txt", preflight_text(plan, findings))


def test_hostile_names_of_a_kubeconfig_are_text() -> None:
    text = preflight_text(replace(PLAN, context="\x1b[2J", image="x\ny"))
    assert "\\x1b[2J" in text
    assert "x\\ny" in text
