"""Clusters and captures as generation sees them, and what its policies let through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.generation.dns import DnsMode
from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.generation.policies import Generated, generate_policies
from kubectl_netpolgen.model.decision import Decision
from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey, Pod, Service
from kubectl_netpolgen.model.policy import NetworkPolicy, Peer, PolicyPort
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.model.sockets import PodNetwork
from kubectl_netpolgen.semantics.objects import KubernetesObject
from kubectl_netpolgen.semantics.policies import policy_document
from tests.factories import (
    a_network,
    a_pod,
    a_service,
    a_service_port,
    a_timeline,
    a_workload,
    address,
    networks_of,
)


def deployed(*names: str, namespace: str = "shop") -> tuple[KubernetesObject, ...]:
    """A Deployment and its pod NAME-1 for each name, addresses 10.244.1.1 and on."""
    return tuple(
        item
        for number, name in enumerate(names, 1)
        for item in (
            a_workload(name, namespace=namespace),
            a_pod(f"{name}-1", f"10.244.{1 if namespace == 'shop' else 2}.{number}", namespace=namespace),
        )
    )


def key(name: str, kind: str = "Deployment", namespace: str = "shop") -> ObjectKey:
    """The key of a workload."""
    return ObjectKey(kind, namespace, name)


def kube_dns() -> Service:
    """The cluster's DNS Service."""
    return a_service(
        "kube-dns",
        "10.96.0.53",
        namespace="kube-system",
        selector={"k8s-app": "kube-dns"},
        ports=(a_service_port(53, 53, protocol=Protocol.UDP), a_service_port(53, 53, name="dns-tcp")),
    )


def identities_of(*objects: KubernetesObject, networks: Sequence[PodNetwork] = ()) -> Identities:
    """What the bundle of these objects resolves."""
    return Identities(a_timeline(*objects), networks_of(*networks))


def generated(
    *edges: Edge,
    objects: Sequence[KubernetesObject] = deployed("web", "api", "db"),
    captured: Iterable[ObjectKey] | None = None,
    decisions: Iterable[Decision] = (),
    default_deny: bool = False,
    dns: DnsMode = DnsMode.ASSUMED,
    networks: Sequence[PodNetwork] | None = None,
    **asked: Any,
) -> Generated:
    """The policies for these edges; all of the namespace shop is captured unless told otherwise."""
    if networks is None:
        networks = (a_network(nameservers=frozenset({DNS_ADDRESS})),)
    identities = identities_of(*objects, networks=networks)
    if captured is None:
        captured = {
            identities.timeline.top_owner(item).key
            for item in objects
            if isinstance(item, Pod) and item.namespace == "shop"
        }
    return generate_policies(
        edges,
        captured,
        identities,
        decisions={decision.edge: decision for decision in decisions},
        options=GenerationOptions(default_deny=default_deny, dns=dns, **asked),
    )


def policy_of(found: Generated, name: str) -> NetworkPolicy:
    """The policy whose name ends so."""
    (policy,) = [item for item in found.policies if item.name.endswith(name)]
    return policy


def spec_of(found: Generated, name: str) -> Mapping[str, object]:
    """The spec of the policy whose name ends so, as it is written."""
    spec: Mapping[str, object] = policy_document(policy_of(found, name))["spec"]
    return spec


def pods(name: str) -> Peer:
    """Pods of the same namespace by the label that `deployed` gives them."""
    return Peer(pod_selector=labels_selector({"app": name}))


def tcp(*numbers: int) -> tuple[PolicyPort, ...]:
    """TCP ports of a rule."""
    return tuple(PolicyPort(Protocol.TCP, number) for number in numbers)


DNS_ADDRESS = address("10.96.0.53")
