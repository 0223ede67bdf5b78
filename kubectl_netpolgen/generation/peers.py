"""Endpoints to the peers of a rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from kubectl_netpolgen.analysis.exposure import invited_outsider
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.generation.granularity import PER_WORKLOAD
from kubectl_netpolgen.generation.selectors import workload_selector
from kubectl_netpolgen.generation.subjects import Grouping
from kubectl_netpolgen.model.decision import Decision
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind
from kubectl_netpolgen.model.network import Address, address_order, host_network
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.model.policy import IPBlock, Peer
from kubectl_netpolgen.model.selector import LabelSelector
from kubectl_netpolgen.semantics.evaluation import METADATA_NAME


@dataclass(frozen=True)
class Resolution:
    """The peers for one end of an edge, or why there are none."""

    peers: tuple[Peer, ...]
    reason: str = ""
    ports: tuple[int | str, ...] = ()
    """A person's, instead of the edge's."""
    decided: bool = False
    """True when a person said who or where it is; without peers, when their word is not enough."""


class Peers:
    """Finds peers with the workloads' selectors and the user's decisions."""

    def __init__(
        self,
        timeline: Timeline,
        decisions: Mapping[str, Decision],
        grouping: Grouping | None = None,
        *,
        ranges: Mapping[Address, str] = MappingProxyType({}),
        service_ports: bool = False,
    ) -> None:
        """Workloads of a group are named by it; `ranges` stand for addresses outside.

        With `service_ports`, dialled ports are allowed as well.
        """
        self._timeline = timeline
        self._decisions = decisions
        self._grouping = grouping or Grouping(PER_WORKLOAD, timeline)
        self._ranges = ranges
        self._service_ports = service_ports

    def of(self, edge: Edge, end: Endpoint, *, namespace: str) -> Resolution:
        """The peers that stand for `end` in a policy of `namespace`.

        A decision's peer stands for the end that is no workload, or a workload without usable labels; its
        ports for those of a server that is no workload.
        """
        decision = self._decisions.get(edge.id)
        if decision is None:
            return self._by_itself(edge, end, namespace)
        ports = decided_ports(edge, decision) if end is edge.server else ()
        if decision.peer is None or end.kind is EndpointKind.WORKLOAD:
            found = self._by_itself(edge, end, namespace)
            if found.peers or decision.peer is None:
                return _with_ports(found, ports)
        if end is edge.server and not ports and self._may_be_translated(edge, decision.peer):
            return Resolution(
                (),
                f"{end} may have been dialled under a Service's address, and a rule needs the port that the "
                "server itself listens on, which the decision does not say: `ports: [...]`",
                decided=True,
            )
        return _with_ports(Resolution((decision.peer,), decided=True), ports)

    def inviting(self, edge: Edge) -> str:
        """Through what an edge's client came from outside, unless a person said who that is; or nothing."""
        return "" if self.names(edge) else invited_outsider(edge, self._timeline)

    def port_of(self, edge: Edge) -> int | str:
        """The port as rules say it: its number, or its name where the server's pods differ in the number.

        A name means on each pod what that pod declares, so it also fits the pods that a roll-out brings.
        """
        server = edge.server
        if server.kind is not EndpointKind.WORKLOAD or server.host_network or not edge.port_name:
            return edge.port
        numbers = {
            item.port
            for pod in self._timeline.pods_of(ObjectKey(server.owner_kind, server.namespace, server.name))
            for item in pod.ports
            if item.name == edge.port_name and item.protocol is edge.protocol
        }
        return edge.port_name if len(numbers) > 1 and edge.port in numbers else edge.port

    def dialled_ports(self, edge: Edge) -> tuple[int, ...]:
        """The ports of Services under which the server was dialled, where these are wanted too."""
        return edge.dialled_ports if self._service_ports else ()

    def names(self, edge: Edge) -> bool:
        """True when a person says who one end of the edge is."""
        decision = self._decisions.get(edge.id)
        return decision is not None and decision.peer is not None

    def _may_be_translated(self, edge: Edge, peer: Peer) -> bool:
        """True unless the port that was dialled is known to be the server's own.

        An address of the outside is not translated; pods and the API server have Services in front of them.
        """
        server = edge.server
        if server.kind is EndpointKind.API_SERVER:
            return not edge.addresses
        if server.kind is EndpointKind.WORKLOAD or peer.ip_block is not None:
            return False
        return not (
            server.kind is EndpointKind.UNKNOWN and self._timeline.in_pod_range(Address(server.address))
        )

    def _by_itself(self, edge: Edge, end: Endpoint, namespace: str) -> Resolution:
        if end.kind is EndpointKind.WORKLOAD:
            return self._workload(end, namespace)
        if end.kind is EndpointKind.EXTERNAL:
            address = Address(end.address)
            cidr = self._ranges.get(address) if end is edge.server else None
            return Resolution((address_peer(address) if cidr is None else Peer(ip_block=IPBlock(cidr)),))
        if end.kind is EndpointKind.NODE:
            addresses = edge.addresses if end is edge.server else self._timeline.node_addresses(end.name)
            return _blocks(addresses, f"the addresses of {end} are not known")
        if end.kind is EndpointKind.API_SERVER:
            return _blocks(edge.addresses, "the API server's endpoints behind its Service are not readable")
        if end.kind is EndpointKind.SERVICE:
            return Resolution((), f"{end} has no endpoints")
        return Resolution((), f"nobody knows who {end} was, and it is no address of the outside")

    def _workload(self, end: Endpoint, namespace: str) -> Resolution:
        key = ObjectKey(end.owner_kind, end.namespace, end.name)
        if end.host_network:
            addresses = {address for pod in self._timeline.pods_of(key) for address in pod.host_addresses}
            return _blocks(addresses, f"the node addresses of {end} are not known")
        group = self._grouping.of(key)
        if group is not None:
            return Resolution((group.peer(namespace),))
        selector = workload_selector(key, self._timeline)
        if selector is None:
            return Resolution((), f"{end} has no label that tells its pods apart")
        return Resolution((pods_peer(selector, end.namespace, namespace),))


def decided_ports(edge: Edge, decision: Decision | None) -> tuple[int | str, ...]:
    """The ports that a person gave for the edge's server; a known workload's own are seen, and stay."""
    if decision is None or edge.server.kind is EndpointKind.WORKLOAD:
        return ()
    return decision.ports


def _with_ports(found: Resolution, ports: tuple[int | str, ...]) -> Resolution:
    if not found.peers or not ports:
        return found
    names = [port for port in ports if isinstance(port, str)]
    if names and any(peer.ip_block is not None for peer in found.peers):
        return Resolution(
            (),
            f"port {names[0]} is a name, which only pods give a number, and the peer is a CIDR",
            decided=True,
        )
    return replace(found, ports=ports, decided=True)


def _blocks(addresses: set[Address] | tuple[Address, ...], otherwise: str) -> Resolution:
    peers = tuple(address_peer(address) for address in sorted(addresses, key=address_order))
    return Resolution(peers, "" if peers else otherwise)


def address_peer(address: Address) -> Peer:
    """The ipBlock of exactly this address."""
    return Peer(ip_block=IPBlock(host_network(address)))


def pods_peer(selector: LabelSelector, of: str, seen_from: str) -> Peer:
    """Pods by selector; of another namespace, both selectors in one peer, so that both must hold."""
    if of == seen_from:
        return Peer(pod_selector=selector)
    return Peer(
        pod_selector=selector,
        namespace_selector=LabelSelector(match_labels=((METADATA_NAME, of),)),
    )
