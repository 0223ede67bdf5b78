"""Two sources compared: what takes away something seen comes first, and doubts are told."""

from __future__ import annotations

import json
from pathlib import Path

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import IPBlock, NetworkPolicy, Peer, PolicyPort, PolicyType, Rule
from kubectl_netpolgen.runs.differing import Differing, find_difference
from kubectl_netpolgen.runs.sources import Source
from kubectl_netpolgen.semantics.compiled import BlocksAndPods
from kubectl_netpolgen.semantics.difference import Relation
from kubectl_netpolgen.semantics.subjects import HostNetwork
from tests.factories import a_pod, a_policy

TEMPLATES = tuple(
    Template(ObjectKey("Deployment", "shop", name), {"app": name}) for name in ("web", "api", "batch")
)


def into_api(*ports: int) -> NetworkPolicy:
    rules = (Rule(ports=tuple(PolicyPort(port=port) for port in ports)),) if ports else ()
    return a_policy("api", policy_types=(PolicyType.INGRESS,), ingress=rules)


def a_source(
    *policies: NetworkPolicy, edges: Path | None = None, manifests: Manifests | None = None
) -> Source:
    return Source(manifests or Manifests(templates=TEMPLATES, policies=policies), edges)


def pairs(found: Differing) -> list[tuple[str, str]]:
    return [
        (item.source.name, item.destination.name)
        for item in found.changes
        if isinstance(item.source, ObjectKey) and isinstance(item.destination, ObjectKey)
    ]


def an_edges_file(path: Path, client: str, port: int, **changes: object) -> Path:
    ends = [{"kind": "Deployment", "namespace": "shop", "name": name} for name in (client, "api")]
    item = {"client": ends[0], "server": ends[1], "protocol": "TCP", "port": port, "outcome": "established"}
    path.write_text("{cut\n[]\n" + json.dumps({**item, **changes}) + "\n")
    return path


def test_what_takes_away_something_seen_comes_first(tmp_path: Path) -> None:
    edges = an_edges_file(tmp_path / "edges.jsonl", "web", 80)
    found = find_difference(a_source(into_api(80, 81), edges=edges), a_source(into_api(81)))
    assert (found.relation, found.missed) == (Relation.TIGHTER, 1)
    assert pairs(found) == [("web", "api"), ("batch", "api")]
    assert found.changes[0].source == ObjectKey("Deployment", "shop", "web")


def test_what_was_seen_elsewhere_failed_or_stays_is_not_missed(tmp_path: Path) -> None:
    for port, changes in ((81, {}), (443, {}), (80, {"outcome": "refused"}), (80, {"protocol": "UDP"})):
        edges = an_edges_file(tmp_path / "edges.jsonl", "web", port, **changes)
        found = find_difference(a_source(into_api(80, 81), edges=edges), a_source(into_api(81)))
        assert found.missed == 0
        assert pairs(found) == [("batch", "api"), ("web", "api")]


def test_nothing_differs_from_itself() -> None:
    found = find_difference(a_source(into_api(80)), a_source(into_api(80)))
    assert (found.changes, found.missed, found.relation, found.findings) == ((), 0, Relation.EQUIVALENT, ())


BLOCK = a_policy(
    "api", policy_types=(PolicyType.INGRESS,), ingress=(Rule((Peer(ip_block=IPBlock("10.244.0.0/16")),)),)
)


def test_what_plugins_differ_in_is_told_unless_it_is_asked_for() -> None:
    pods = (a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6"), a_pod("host", host_network=True))
    one = a_source(manifests=Manifests(pods=pods, policies=(BLOCK,)))
    other = a_source(manifests=Manifests(pods=pods))
    assert [item.code for item in find_difference(one, other).findings] == ["ipblock-pods", "hostnetwork"]
    asked = find_difference(one, other, blocks=BlocksAndPods.IGNORE, host_network=HostNetwork.NODE)
    assert asked.findings == ()
    assert ("web", "api") not in pairs(find_difference(one, other))
    assert ("web-1", "api-1") in pairs(asked)


def test_pods_one_by_one_are_told_with_themselves_where_they_came() -> None:
    pods = (a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6"))
    one, other = (a_source(manifests=Manifests(pods=some)) for some in (pods[:1], pods))
    found = pairs(find_difference(one, other, per_pod=True))
    assert ("api-1", "api-1") in found
    assert ("web-1", "web-1") not in found
    assert ("api-1", "api-1") not in pairs(find_difference(one, other))


def test_policies_without_workloads_are_a_side_that_is_warned_of() -> None:
    alone = a_source(manifests=Manifests(policies=(into_api(80),)))
    found = find_difference(a_source(into_api(80)), alone)
    assert [(item.code, item.subject) for item in found.findings] == [("no-workloads", "the side after")]
    assert found.relation is Relation.TIGHTER
    reverse = find_difference(alone, a_source(into_api(80)))
    assert [item.subject for item in reverse.findings] == ["the side before"]
    assert find_difference(alone, alone).findings == ()
