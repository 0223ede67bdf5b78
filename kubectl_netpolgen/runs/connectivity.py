"""What a set of manifests allows, with what a person should know about the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.semantics.compiled import BlocksAndPods, Compiled, blocks_hold
from kubectl_netpolgen.semantics.connectivity import Connection, Connectivity, focused, spellings
from kubectl_netpolgen.semantics.idle import find_idle
from kubectl_netpolgen.semantics.subjects import Cast, HostNetwork, cast_of


@dataclass(frozen=True)
class Found:
    """All that is allowed."""

    connections: tuple[Connection, ...]
    findings: tuple[Finding, ...]


def find_connectivity(
    manifests: Manifests,
    *,
    per_pod: bool = False,
    blocks: BlocksAndPods | None = None,
    host_network: HostNetwork | None = None,
    focus: frozenset[str] = frozenset(),
) -> Found:
    """Every allowed pair; `per_pod` pods one by one, each with itself too; with `focus` those that touch it.

    Without `blocks` an ipBlock means pods too, and without `host_network` pods of their node's network are
    pods like others; where the other answer differs, that is said.
    """
    asked = _Asked(manifests, per_pod, blocks or BlocksAndPods.MATCH, host_network or HostNetwork.POD)
    connections = asked.connections()
    findings = []
    if blocks is None and blocks_hold(manifests.policies, asked.cast().members):
        otherwise = replace(asked, blocks=BlocksAndPods.IGNORE)
        findings += _differences(
            connections,
            otherwise,
            "ipblock-pods",
            "an ipBlock holds the addresses of pods, and network plugins differ in whether it means them",
            "--ipblock-pods=match or --ipblock-pods=ignore, as your plugin does",
        )
    if host_network is None and _on_nodes(manifests):
        otherwise = replace(asked, host_network=HostNetwork.NODE)
        findings += _differences(
            connections,
            otherwise,
            "hostnetwork",
            "pods of their node's network are judged as pods, and many network plugins take them for the "
            "node, which no podSelector means",
            "--hostnetwork=pod or --hostnetwork=node, as your plugin does",
        )
    findings += find_idle(manifests)
    if focus:
        _check(focus, asked)
    shown = focused(connections, focus) if focus else connections
    return Found(tuple(shown), tuple(findings))


def _check(focus: frozenset[str], asked: _Asked) -> None:
    """UsageError for a name that nobody has: an empty answer to it would be read as a denial."""
    known = {name for subject in asked.cast().subjects for name in spellings(subject.key)}
    for name in sorted(focus - known):
        if not name[:1].isdigit() and ":" not in name:
            raise UsageError(
                f"{name}: no workload or pod of the manifests has that name",
                way_out="NAME, NS/NAME or NS/KIND/NAME",
            )


@dataclass(frozen=True)
class _Asked:
    """A question, with all that its answer depends on."""

    manifests: Manifests
    per_pod: bool
    blocks: BlocksAndPods
    host_network: HostNetwork

    def cast(self) -> Cast:
        """Whom it is about."""
        return cast_of(self.manifests, per_pod=self.per_pod, host_network=self.host_network)

    def connections(self) -> list[Connection]:
        """The answer."""
        cast = self.cast()
        namespaces = {namespace.name: namespace.labels for namespace in self.manifests.namespaces}
        compiled = Compiled(
            self.manifests.policies,
            cast.members,
            namespaces,
            blocks=self.blocks,
            tiers=self.manifests.tiers,
        )
        answers = Connectivity(compiled, cast)
        return [*answers, *(answers.selves() if self.per_pod else ())]


def _on_nodes(manifests: Manifests) -> bool:
    return any(pod.host_network for pod in manifests.pods) or any(
        template.host_network for template in manifests.templates
    )


def _differences(
    connections: list[Connection], otherwise: _Asked, code: str, message: str, way_out: str
) -> list[Finding]:
    """A finding when the other meaning changes the answer."""
    here, there = (
        {(item.source, item.destination, tuple(sorted(item.allowed.items()))) for item in found}
        for found in (connections, otherwise.connections())
    )
    changed = len({(source, destination) for source, destination, _ in here ^ there})
    return [Finding(code, Severity.WARNING, f"{changed} pairs", message, way_out)] if changed else []
