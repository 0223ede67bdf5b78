"""What was read of a set of manifests, or of a cluster, for the questions that policies answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.objects import (
    ContainerPort,
    Namespace,
    Node,
    ObjectKey,
    Pod,
    Service,
)
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.model.tiers import TierPolicy


@dataclass(frozen=True, order=True)
class Origin:
    """Where an object stands."""

    file: str
    """As the user wrote it; `-` for standard input, `cluster` for the API."""
    line: int
    """Of its document or its item of a list, from 1."""


@dataclass(frozen=True)
class Template:
    """A workload's pods where none is there."""

    key: ObjectKey
    """The top owner's."""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False


@dataclass(frozen=True)
class Manifests:
    """The objects that say who may talk to whom."""

    namespaces: tuple[Namespace, ...] = ()
    """Those that are defined; others exist all the same."""
    pods: tuple[Pod, ...] = ()
    """Those that have not ended."""
    owners: Mapping[str, ObjectKey] = field(default_factory=dict)
    """The top owner of each pod by its UID; a pod without one is its own."""
    templates: tuple[Template, ...] = ()
    services: tuple[Service, ...] = ()
    nodes: tuple[Node, ...] = ()
    policies: tuple[NetworkPolicy, ...] = ()
    tiers: tuple[TierPolicy, ...] = ()
    origins: Mapping[ObjectKey, Origin] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
