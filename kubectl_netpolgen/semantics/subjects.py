"""Whom an answer names: workloads with all their pods, or pods one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.objects import ObjectKey, Pod
from kubectl_netpolgen.semantics.members import Member


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


def cast_of(manifests: Manifests, *, per_pod: bool = False) -> Cast:
    """Workloads by their pods, or by their template where there is none; or pods alone."""
    members: list[Member] = []
    found: dict[ObjectKey, list[int]] = {}
    for pod in manifests.pods:
        key = pod.key if per_pod else manifests.owners.get(pod.uid, pod.key)
        for member in _of_pod(pod):
            found.setdefault(key, []).append(len(members))
            members.append(member)
    owned = set(manifests.owners.values())
    for template in manifests.templates:
        if template.key not in owned:
            found.setdefault(template.key, []).append(len(members))
            members.append(_of_template(template))
    subjects = (Subject(key, tuple(numbers)) for key, numbers in found.items())
    return Cast(tuple(members), tuple(sorted(subjects, key=lambda item: subject_order(item.key))))


def subject_order(key: ObjectKey) -> tuple[str, str, str]:
    """By namespace and name, then by kind."""
    return (key.namespace, key.name, key.kind)


def _of_pod(pod: Pod) -> Iterable[Member]:
    addresses = pod.addresses or (None,)
    for address in addresses:
        yield Member(pod.namespace, pod.labels, pod.ports, pod.host_network, address)


def _of_template(template: Template) -> Member:
    return Member(template.key.namespace, template.labels, template.ports, template.host_network)
