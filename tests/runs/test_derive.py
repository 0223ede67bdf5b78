"""From a bundle's files to proven policies, whatever state the files are in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.model.bundle import PodCapture, PodState
from kubectl_netpolgen.model.declarations import Obstacle
from kubectl_netpolgen.model.errors import BundleError, NothingCaptured
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.output.declared_list import decision_line
from kubectl_netpolgen.runs.derive import Derived, derive
from tests.bundles import (
    API,
    BATCH,
    RUN,
    SERVICE_ADDRESS,
    WEB,
    a_bundle,
    call,
    declaring_documents,
    deployment_document,
    pod_document,
    shop_captures,
    shop_documents,
    sockets_text,
)
from tests.factories import NOON, SECOND, edge_words

OPTIONS = GenerationOptions(default_deny=True)
EDGES = [
    "shop/Deployment/web -> 203.0.113.10 (api.example.test) 443/TCP established",
    "shop/Deployment/web -> 10.96.0.53 53/UDP answered dns",
    "shop/Deployment/web -> shop/Deployment/api 8080/TCP established",
]


def derived(tmp_path: Path, *, decisions_file: Path | None = None, **given: Any) -> Derived:
    """What follows from a bundle."""
    options = given.pop("options", OPTIONS)
    root = a_bundle(tmp_path / "bundle", **given)
    return derive(root, options, decisions_file=decisions_file)


def names(found: Derived) -> list[str]:
    """The policies' names without what they share."""
    return [policy.name.removeprefix("netpolgen-") for policy in found.generated.policies]


def codes(found: Derived) -> list[tuple[str, str]]:
    """Code and subject of each finding."""
    return [(finding.code, finding.subject) for finding in found.findings]


def without(name: str) -> dict[str, Any]:
    """The shop's captures less one."""
    return {key: value for key, value in shop_captures().items() if key != name}


def test_whole_bundle_becomes_edges_policies_and_a_proof(tmp_path: Path) -> None:
    found = derived(tmp_path)
    assert edge_words(found.edges) == EDGES
    assert names(found) == [
        *("allow-deployment-api", "allow-deployment-batch", "allow-deployment-web", "default-deny")
    ]
    assert len(found.proof.rows) == 3
    assert found.proof.failures == ()
    assert (found.findings, found.partial) == ((), False)
    assert len(found.flows) == 4


def test_what_the_run_itself_had_to_say_is_repeated(tmp_path: Path) -> None:
    said = Finding("packets-dropped", Severity.ERROR, "Pod shop/web-1", "the kernel dropped 3")
    found = derived(tmp_path, findings=(said,))
    assert found.findings == (said,)
    assert found.partial


def test_file_that_is_no_capture_costs_its_own_workload(tmp_path: Path) -> None:
    found = derived(tmp_path, captures={**shop_captures(), "batch-1": b"\x1f\x8bnot a capture at all"})
    assert edge_words(found.edges) == EDGES
    assert "allow-deployment-batch" not in names(found)
    assert codes(found) == [
        ("default-deny-withheld", "namespace shop"),
        ("workload-not-captured", "Deployment shop/batch"),
        ("not-a-capture", f"captures/uid-batch-1/{RUN}.pcap"),
    ]
    assert found.partial


def test_sockets_alone_do_not_make_a_workload_captured(tmp_path: Path) -> None:
    sockets = dict.fromkeys(shop_captures(), sockets_text())
    pods = [PodCapture("uid-batch-1", "shop", "batch-1", PodState.TRANSFER_FAILED, reason="disk full")]
    found = derived(tmp_path, captures=without("batch-1"), sockets=sockets, pods=pods)
    assert "allow-deployment-batch" not in names(found)
    (finding,) = [item for item in found.findings if item.code == "workload-not-captured"]
    assert finding.message.endswith("batch-1 (disk full)")


def test_capture_that_is_gone_from_the_bundle_is_said(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle")
    (root / f"captures/uid-batch-1/{RUN}.pcap").unlink()
    found = derive(root, OPTIONS)
    (finding,) = [item for item in found.findings if item.code == "workload-not-captured"]
    assert finding.message.endswith("batch-1 (its capture file is missing or unreadable)")


def test_one_captured_pod_is_enough_for_its_workload(tmp_path: Path) -> None:
    second = pod_document("batch-2", "10.244.1.8")
    pods = [
        PodCapture("uid-batch-2", "shop", "batch-2", PodState.REJECTED, reason="no rights"),
        PodCapture("uid-batch-1", "shop", "batch-1", PodState.RELEASED),
    ]
    found = derived(tmp_path, objects=[*shop_documents(), second], pods=pods)
    assert (codes(found), "default-deny" in names(found)) == ([], True)


def test_pod_that_was_skipped_on_purpose_is_not_complained_of_again(tmp_path: Path) -> None:
    host = pod_document("agent-1", "172.18.0.2", spec={"hostNetwork": True})
    pods = [PodCapture("uid-agent-1", "shop", "agent-1", PodState.SKIPPED, reason="host network")]
    assert codes(derived(tmp_path, objects=[*shop_documents(), host], pods=pods)) == []


def test_cut_capture_gives_what_it_holds(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle")
    path = root / f"captures/uid-api-1/{RUN}.pcap"
    path.write_bytes(path.read_bytes()[:-7])
    found = derive(root, OPTIONS)
    assert edge_words(found.edges) == EDGES
    assert codes(found) == [("capture-truncated", f"captures/uid-api-1/{RUN}.pcap")]


def test_capture_of_a_pod_that_no_object_names_is_said(tmp_path: Path) -> None:
    found = derived(
        tmp_path, captures={**shop_captures(), "ghost-1": call("10.244.1.99", API, 8080)}, pods=[]
    )
    assert ("pod-unknown", "pod UID uid-ghost-1") in codes(found)


def test_bundle_without_any_capture_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingCaptured, match="no readable capture") as caught:
        derived(tmp_path, captures={})
    assert caught.value.way_out


def test_directory_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        derive(tmp_path, OPTIONS)


def test_connection_in_the_socket_tables_alone_is_an_edge(tmp_path: Path) -> None:
    listener = "0: 00000000:1F90 00000000:0000 0A x"
    accepted = "1: 0601F40A:1F90 0701F40A:C001 01 x"
    dialled = "0: 0701F40A:C001 0A00600A:0050 01 x"
    sockets = {"api-1": sockets_text(listener, accepted), "batch-1": sockets_text(dialled)}
    found = derived(tmp_path, sockets=sockets)
    (edge,) = [edge for edge in found.edges if edge.client.name == "batch"]
    assert (edge.server.name, edge.port, edge.connections) == ("api", 8080, None)
    assert found.proof.failures == ()


def test_hostile_sockets_file_is_read_as_far_as_it_makes_sense(tmp_path: Path) -> None:
    found = derived(tmp_path, sockets={"web-1": "\x00\x1b[2J#npg \xff\n" * 1000 + sockets_text()})
    assert edge_words(found.edges) == EDGES


def test_events_of_the_run_count(tmp_path: Path) -> None:
    late = pod_document("batch-2", "10.244.1.8")
    late["metadata"]["creationTimestamp"] = "2026-01-03T12:00:20Z"
    at = NOON + 25 * SECOND
    found = derived(
        tmp_path,
        events=[(NOON + 20 * SECOND, "ADDED", late)],
        captures={
            **shop_captures(),
            "batch-2": call("10.244.1.8", SERVICE_ADDRESS, 80, client_port=40009, at=at),
        },
    )
    assert "shop/Deployment/batch -> shop/Deployment/api 8080/TCP established" in edge_words(found.edges)


INIT = [{"name": "migrate"}, {"name": "fetch"}, {"name": "mesh", "restartPolicy": "Always"}]


def test_init_containers_that_ran_before_the_capture_are_named(tmp_path: Path) -> None:
    second = pod_document("batch-2", "10.244.1.8", spec={"initContainers": INIT})
    objects = [*shop_documents(), second]
    assert codes(derived(tmp_path / "one", objects=objects)) == []
    found = derived(tmp_path / "two", objects=objects, captures={**shop_captures(), "batch-2": []})
    (finding,) = found.findings
    assert (finding.code, finding.subject) == ("init-container-unseen", "Deployment shop/batch")
    assert "fetch, migrate;" in finding.message
    assert not found.partial


def test_init_containers_of_a_pod_that_was_born_during_the_capture_were_seen(tmp_path: Path) -> None:
    first = pod_document("batch-2", "10.244.1.8", spec={"initContainers": INIT})
    born = pod_document("batch-3", "10.244.1.9", spec={"initContainers": INIT})
    born["metadata"]["creationTimestamp"] = "2026-01-03T12:00:20Z"
    found = derived(
        tmp_path,
        objects=[*shop_documents(), first],
        events=[(NOON + 20 * SECOND, "ADDED", born)],
        captures={**shop_captures(), "batch-2": [], "batch-3": []},
    )
    assert "init-container-unseen" not in [finding.code for finding in found.findings]


def unknown_peer(**given: Any) -> dict[str, Any]:
    """The shop, in which batch also calls a private address of nobody."""
    captures = {**shop_captures(), "batch-1": call(BATCH, "10.9.8.7", 5432, client_port=40005)}
    return {"captures": captures, **given}


def edge_id(found: Derived) -> str:
    """The id of that call."""
    (edge,) = [edge for edge in found.edges if edge.server.address == "10.9.8.7"]
    return edge.id


def test_peer_that_nobody_can_name_makes_the_run_partial(tmp_path: Path) -> None:
    found = derived(tmp_path, **unknown_peer())
    assert codes(found) == [
        ("default-deny-withheld", "namespace shop"),
        ("peer-unknown", "shop/Deployment/batch Egress"),
    ]
    assert found.partial


def test_decisions_of_the_bundle_and_of_a_file_are_followed(tmp_path: Path) -> None:
    edge = edge_id(derived(tmp_path / "first", **unknown_peer()))
    drop = f"decisions: [{{edge: {edge}, verdict: drop}}]"
    accept = f"decisions: [{{edge: {edge}, verdict: accept, peer: {{ipBlock: {{cidr: 10.9.8.0/24}}}}}}]"
    dropped = derived(tmp_path / "second", **unknown_peer(decisions=drop))
    assert (codes(dropped), len(dropped.proof.rows)) == ([], 3)
    file = tmp_path / "mine.yaml"
    file.write_text(accept)
    accepted = derived(tmp_path / "third", decisions_file=file, **unknown_peer(decisions=drop))
    assert (accepted.partial, len(accepted.proof.rows)) == (False, 4)


def test_decision_on_an_edge_that_was_not_seen_is_said(tmp_path: Path) -> None:
    found = derived(tmp_path, decisions="decisions: [{edge: 0123456789ab, verdict: drop}]")
    assert codes(found) == [("decision-unused", "decision on edge 0123456789ab")]
    assert not found.partial


def test_decisions_that_cannot_be_read_are_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"\xff\xfe\x00 not yaml: [")
    with pytest.raises(BundleError, match=r"mine\.yaml: is not UTF-8 at byte 0") as caught:
        derived(tmp_path / "one", decisions_file=file)
    assert "UTF-8" in caught.value.way_out
    for number, other in enumerate((file / "x", tmp_path, tmp_path / "absent")):
        with pytest.raises(BundleError, match=f"{other}: cannot be read: ") as caught:
            derived(tmp_path / str(number), decisions_file=other)
        assert caught.value.way_out


def test_proof_looks_at_the_policies_that_are_there_already(tmp_path: Path) -> None:
    # an owner of its own, which nobody captured, is isolated already
    legacy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "legacy", "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Ingress"]},
    }
    found = derived(tmp_path, objects=[*shop_documents(), legacy], captures=without("api-1"))
    assert [row.refused_by for row in found.proof.failures] == [("shop/legacy",)]
    whole = derive(a_bundle(tmp_path / "whole", objects=[*shop_documents(), legacy]), OPTIONS)
    assert whole.proof.failures == ()


def test_two_namespaces_of_one_bundle_meet(tmp_path: Path) -> None:
    far = pod_document("far-1", "10.244.2.5", namespace="pay")
    objects = [*shop_documents(), deployment_document("far", "pay"), far]
    captures = {**shop_captures(), "far-1": call("10.244.2.5", WEB, 9000, client_port=40007)}
    found = derived(tmp_path, objects=objects, captures=captures, namespaces=("pay", "shop"))
    assert [policy.namespace for policy in found.generated.policies] == [
        *["pay"] + ["shop"] * 3,
        "pay",
        "shop",
    ]
    assert found.proof.failures == ()


def test_options_reach_the_policies(tmp_path: Path) -> None:
    root = a_bundle(tmp_path / "bundle")
    found = derive(root, replace(OPTIONS, default_deny=False))
    assert "default-deny" not in names(found)


def test_declared_server_in_a_namespace_that_may_not_be_read_is_named_by_a_decision(tmp_path: Path) -> None:
    objects = shop_documents()
    env = [{"name": "LEDGER", "value": "https://batch:hunter2@ledger.bank.svc.cluster.local:8443/"}]
    for item in objects:
        if item["kind"] == "Pod" and item["metadata"]["name"] == "batch-1":
            item["spec"]["containers"] = [{"name": "main", "env": env}]
    (one,) = derived(tmp_path / "a", objects=objects, read_config=True).declared
    assert (str(one.edge.server), one.obstacle) == ("bank/Service/ledger", Obstacle.SERVER_UNKNOWN)
    every = replace(OPTIONS, declared=True)
    assert one.edge not in derived(tmp_path / "b", objects=objects, read_config=True, options=every).edges
    line = str(decision_line(one)).replace("LABEL: VALUE", "app: ledger").replace("PORT", "9443")
    decided = derived(tmp_path / "c", objects=objects, read_config=True, decisions=f"decisions:\n{line}\n")
    assert one.edge in decided.edges
    assert decided.proof.failures == ()
    (policy,) = [item for item in decided.generated.policies if item.name.endswith("batch")]
    assert {port.port for rule in policy.egress for port in rule.ports} == {9443, 53}


def test_decision_on_a_declared_edge_is_not_called_unused(tmp_path: Path) -> None:
    objects = declaring_documents()
    (one, *_) = derived(tmp_path / "a", objects=objects, read_config=True).declared
    text = f"decisions: [{{edge: {one.edge.id}, verdict: drop}}]"
    found = derived(tmp_path / "b", objects=objects, read_config=True, decisions=text)
    assert codes(found) == []
    assert one.edge not in found.edges


def test_coverage_counts_what_was_seen_and_not_what_is_declared(tmp_path: Path) -> None:
    objects = declaring_documents()
    plain = derived(tmp_path / "a", objects=objects, read_config=True)
    every = derived(
        tmp_path / "b", objects=objects, read_config=True, options=replace(OPTIONS, declared=True)
    )
    assert len(every.edges) == len(plain.edges) + 1
    assert every.coverage == plain.coverage
