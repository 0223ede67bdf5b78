"""Whom an answer names: workloads with all their pods, or pods one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.objects import ObjectKey, Pod
from kubectl_netpolgen.semantics.members import Member


class HostNetwork(str, Enum):
    """What pods of their node's network are to policies, which is for the network plugin to say.

    The documentation of NetworkPolicy leaves it open: where the plugin can tell their traffic from the node's
    they are pods like others, elsewhere policies neither select them nor mean them as peers.
    """

    POD = "pod"
    NODE = "node"


@dataclass(frozen=True)
class Subject:
    """A workload or a pod, with the members that stand for it."""

    key: ObjectKey
    members: tuple[int, ...]
    """Their numbers in the cast."""


@dataclass(frozen=True)
class Cast:
    """All members, and who they are."""

    members: tuple[Member, ...]
    subjects: tuple[Subject, ...]
    """By namespace, name and kind."""


def cast_of(
    manifests: Manifests, *, per_pod: bool = False, host_network: HostNetwork = HostNetwork.NODE
) -> Cast:
    """Workloads by their pods, or by their template where there is none; or pods alone."""
    on_node = host_network is HostNetwork.NODE
    members: list[Member] = []
    found: dict[ObjectKey, list[int]] = {}
    for pod in manifests.pods:
        key = pod.key if per_pod else manifests.owners.get(pod.uid, pod.key)
        for member in _of_pod(pod, on_node=on_node):
            found.setdefault(key, []).append(len(members))
            members.append(member)
    owned = set(manifests.owners.values())
    for template in manifests.templates:
        if template.key not in owned:
            found.setdefault(template.key, []).append(len(members))
            members.append(_of_template(template, on_node=on_node))
    subjects = (Subject(key, tuple(numbers)) for key, numbers in found.items())
    return Cast(tuple(members), tuple(sorted(subjects, key=lambda item: subject_order(item.key))))


def subject_order(key: ObjectKey) -> tuple[str, str, str]:
    """By namespace and name, then by kind."""
    return (key.namespace, key.name, key.kind)


def _of_pod(pod: Pod, *, on_node: bool) -> Iterable[Member]:
    addresses = pod.addresses or (None,)
    for address in addresses:
        yield Member(pod.namespace, pod.labels, pod.ports, on_node and pod.host_network, address)


def _of_template(template: Template, *, on_node: bool) -> Member:
    return Member(template.key.namespace, template.labels, template.ports, on_node and template.host_network)
