"""Documents to objects: owners and templates, what is left out and said, what is refused all at once."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.model.manifests import Manifests, Origin
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.semantics.manifests import Refused, gather

WEB = ObjectKey("Deployment", "shop", "web")


def an_object(kind: str, name: str = "web", *, owner: str = "", **parts: Any) -> dict[str, Any]:
    """`owner` is `Kind/name`."""
    references = []
    if owner:
        owner_kind, _, owner_name = owner.partition("/")
        references = [{"kind": owner_kind, "name": owner_name, "controller": True}]
    metadata = {"name": name, "namespace": "shop", "ownerReferences": references, **parts.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **parts}


def a_template(**labels: str) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"ports": [{"containerPort": 80}]}]}}


def a_deployment(name: str = "web", **parts: Any) -> dict[str, Any]:
    return an_object("Deployment", name, spec={"template": a_template(app=name)}, **parts)


def a_pod_of(owner: str = "", name: str = "web-1", **status: Any) -> dict[str, Any]:
    return an_object("Pod", name, owner=owner, metadata={"labels": {"app": "web"}}, spec={}, status=status)


def gathered(*documents: Any) -> Manifests:
    return gather((document, Origin("all.yaml", number)) for number, document in enumerate(documents, 1))


def codes(found: Manifests) -> list[str]:
    return [finding.code for finding in found.findings]


def test_a_workload_without_pods_is_its_template() -> None:
    (template,) = gathered(a_deployment()).templates
    assert (template.key, template.labels, template.ports[0].port) == (WEB, {"app": "web"}, 80)


def test_the_pods_of_a_cronjob_are_below_its_jobs_template() -> None:
    cron = an_object("CronJob", spec={"jobTemplate": {"spec": {"template": a_template(app="night")}}})
    (template,) = gathered(cron).templates
    assert (template.key.kind, template.labels) == ("CronJob", {"app": "night"})


def test_a_pod_belongs_to_the_top_of_its_chain_as_far_as_that_is_there() -> None:
    replicas = an_object(
        "ReplicaSet", "web-5d", owner="Deployment/web", spec={"template": a_template(app="web")}
    )
    pod = a_pod_of("ReplicaSet/web-5d")
    whole = gathered(a_deployment(), replicas, pod)
    assert list(whole.owners.values()) == [WEB]
    assert [template.key for template in whole.templates] == [WEB]
    assert list(gathered(replicas, pod).owners.values()) == [WEB]
    assert list(gathered(pod).owners.values()) == [ObjectKey("ReplicaSet", "shop", "web-5d")]


def test_pods_alone_and_those_of_a_node_are_their_own() -> None:
    found = gathered(a_pod_of(), a_pod_of("Node/node-1", "web-2"))
    assert (len(found.pods), found.owners) == (2, {})


def test_owners_in_a_ring_come_to_an_end() -> None:
    ring = [
        an_object("ReplicaSet", "a", owner="ReplicaSet/b", spec={"template": a_template(app="a")}),
        an_object("ReplicaSet", "b", owner="ReplicaSet/a", spec={"template": a_template(app="b")}),
    ]
    found = gathered(*ring, a_pod_of("ReplicaSet/a"))
    assert {key.name for key in found.owners.values()} <= {"a", "b"}


def test_pods_that_have_ended_stand_for_their_workload_and_have_no_address() -> None:
    done = a_pod_of("Job/migrate", phase="Succeeded", podIP="10.0.0.7")
    found = gathered(
        done, a_pod_of("Job/migrate", "web-2", phase="Failed"), a_pod_of(name="web-3", phase="Failed")
    )
    assert found.pods == ()
    assert [(template.key.name, template.labels) for template in found.templates] == [
        ("migrate", {"app": "web"})
    ]


def test_copies_of_a_pod_are_told_apart_though_they_repeat_the_uid() -> None:
    documents = [a_pod_of(name=name) for name in ("a", "b")]
    for document in documents:
        document["metadata"]["uid"] = "1"
    assert len({pod.uid for pod in gathered(*documents).pods}) == 2


@pytest.mark.parametrize("kind", ["List", "PodList"])
def test_lists_are_their_items(kind: str) -> None:
    item = a_pod_of()
    if kind != "List":
        del item["kind"]
    found = gathered({"kind": kind, "items": [item]})
    assert [pod.name for pod in found.pods] == ["web-1"]


def test_origins_are_where_documents_stand() -> None:
    found = gathered(an_object("Namespace", "shop"), a_deployment())
    assert found.origins[WEB] == Origin("all.yaml", 2)


def test_what_says_nothing_of_traffic_is_told_once_for_its_kind() -> None:
    found = gathered(an_object("Secret", "a"), an_object("Secret", "b"))
    assert [(item.code, item.subject) for item in found.findings] == [("kind-ignored", "Secret")]
    assert "all.yaml:1" in found.findings[0].message


@pytest.mark.parametrize("document", [None, 7, "text", [], {"a": 1}, {"kind": 3}])
def test_what_is_no_object_is_told(document: Any) -> None:
    assert codes(gathered(document, a_pod_of())) == ["not-an-object"]


def test_what_leaves_no_doubt_is_used_and_told() -> None:
    found = gathered(a_pod_of(name="Web_1"))
    assert codes(found) == ["manifest-doubtful"]
    assert found.pods[0].name == "Web_1"


def test_all_that_the_api_server_refuses_is_told_with_file_and_line() -> None:
    policy = an_object("NetworkPolicy", "x", spec={"policyTypes": ["In"], "podSelector": {}})
    block = {"ipBlock": {"cidr": "10.0.0.0/33"}}
    odd = an_object("NetworkPolicy", "y", spec={"podSelector": {}, "ingress": [{"from": [block]}]})
    with pytest.raises(Refused) as refused:
        gathered(a_pod_of(), policy, odd, a_pod_of())
    first, second, third = map(str, refused.value.faults)
    assert first == (
        "all.yaml:2: NetworkPolicy shop/x: spec.policyTypes[0]: 'In' is neither Ingress nor Egress"
    )
    assert second.startswith("all.yaml:3: NetworkPolicy shop/y: ")
    assert "10.0.0.0/33" in second
    assert third == "all.yaml:4: Pod shop/web-1: is there twice: first at all.yaml:1"
