"""The field's values with every part overridable, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_netpolgen.analysis.derivation import Capture, Derivation, derive_edges
from kubectl_netpolgen.analysis.edges import edge_id
from kubectl_netpolgen.analysis.timeline import ObjectEvent, Timeline
from kubectl_netpolgen.model.edge import CONFIDENCE_OF, Edge, Endpoint, EndpointKind, Evidence
from kubectl_netpolgen.model.flow import CaptureContents, Conversation, Direction, Flow, NameAnswer, Outcome
from kubectl_netpolgen.model.network import Address, Protocol, canonical_address
from kubectl_netpolgen.model.objects import (
    ContainerPort,
    EndpointSlice,
    ObjectKey,
    OwnerReference,
    Pod,
    Service,
    ServicePort,
    SliceEndpoint,
    Workload,
)
from kubectl_netpolgen.model.policy import NetworkPolicy, PolicyType
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.model.sockets import PodNetwork, SocketRow, SocketState
from kubectl_netpolgen.semantics.objects import KubernetesObject

NOON = 1_767_441_600_000_000_000
"""2026-01-03T12:00:00Z in nanoseconds since the epoch."""
SECOND = 1_000_000_000


def address(text: str) -> Address:
    """An address as the model spells it."""
    return canonical_address(text)


def an_owner(kind: str = "Deployment", name: str = "web") -> OwnerReference:
    """A reference to what `a_workload(name, kind=kind)` makes."""
    return OwnerReference(kind, name, f"uid-{kind.lower()}-{name}")


def a_pod(name: str = "web-1", *addresses: str, **changes: Any) -> Pod:
    """A running pod of the Deployment named like the part before the last dash, in the namespace shop."""
    app = name.rpartition("-")[0] or name
    return Pod(
        **{
            "uid": f"uid-{name}",
            "namespace": "shop",
            "name": name,
            "labels": {"app": app},
            "addresses": tuple(address(item) for item in addresses or ("10.244.1.5",)),
            "host_addresses": (address("172.18.0.2"),),
            "node": "node-1",
            "owner": an_owner(name=app),
            "created": NOON - 3600 * SECOND,
            **changes,
        }
    )


def a_port(port: int = 8080, name: str = "", protocol: Protocol = Protocol.TCP) -> ContainerPort:
    """A declared container port."""
    return ContainerPort(name, port, protocol)


def a_workload(name: str = "web", **changes: Any) -> Workload:
    """A Deployment whose selector is `app: NAME`, in the namespace shop."""
    kind = changes.pop("kind", "Deployment")
    namespace = changes.pop("namespace", "shop")
    return Workload(
        **{
            "uid": f"uid-{kind.lower()}-{name}",
            "key": ObjectKey(kind, namespace, name),
            "selector": labels_selector({"app": name}),
            "template_labels": {"app": name},
            **changes,
        }
    )


def a_service(name: str = "web", cluster_address: str = "10.96.0.10", **changes: Any) -> Service:
    """Port 80 to 8080 of the pods labelled `app: NAME`; an empty address makes it headless."""
    return Service(
        **{
            "namespace": "shop",
            "name": name,
            "addresses": (address(cluster_address),) if cluster_address else (),
            "selector": {"app": name},
            "ports": (a_service_port(),),
            **changes,
        }
    )


def a_service_port(port: int = 80, target_port: int | str = 8080, **changes: Any) -> ServicePort:
    """One entry of a Service's ports."""
    return ServicePort(
        **{"name": "", "protocol": Protocol.TCP, "port": port, "target_port": target_port, **changes}
    )


def a_slice(service: str = "web", *pods: Pod, **changes: Any) -> EndpointSlice:
    """These pods behind a Service, by their first addresses, on port 8080."""
    return EndpointSlice(
        **{
            "namespace": "shop",
            "name": f"{service}-slice",
            "service": service,
            "endpoints": tuple(SliceEndpoint(pod.addresses[:1], pod.uid) for pod in pods),
            "ports": (("", Protocol.TCP, 8080),),
            **changes,
        }
    )


def a_timeline(*objects: KubernetesObject, events: Iterable[ObjectEvent] = ()) -> Timeline:
    """The cluster's objects at the start and what changed later."""
    return Timeline(objects, events)


def an_event(object: KubernetesObject, *, at: int = NOON, type: str = "MODIFIED") -> ObjectEvent:
    """A watch event."""
    return ObjectEvent(at, type, object)


def a_conversation(
    client: str = "10.244.1.5", server: str = "10.244.1.6", server_port: int = 8080, **changes: Any
) -> Conversation:
    """One TCP connection whose handshake was seen, from port 40000."""
    protocol = changes.get("protocol", Protocol.TCP)
    client_port = changes.get("client_port", 40000)
    tcp = protocol is Protocol.TCP
    return Conversation(
        **{
            "protocol": protocol,
            "client": address(client),
            "client_port": client_port,
            "server": address(server),
            "server_port": server_port,
            "packets_to_server": 6,
            "packets_to_client": 4,
            "bytes_to_server": 600,
            "bytes_to_client": 4000,
            "first": NOON,
            "last": NOON + SECOND,
            "direction": Direction.SYN if tcp else Direction.HEURISTIC,
            "outcome": Outcome.ESTABLISHED if tcp else Outcome.ANSWERED,
            "connections": 1,
            "keys": (f"t{client_port:08x}",) if tcp else (f"u{client_port}",),
            "dns": False,
            **changes,
        }
    )


def a_flow(
    client: str = "10.244.1.5", server: str = "10.244.1.6", server_port: int = 8080, **changes: Any
) -> Flow:
    """One flow of the capture of pod web-1."""
    return Flow(
        **{
            "capture": "captures/uid-web-1/run.pcap",
            "pod_uid": "uid-web-1",
            "protocol": Protocol.TCP,
            "client": address(client),
            "server": address(server),
            "server_port": server_port,
            "client_ports": 1,
            "packets_to_server": 6,
            "packets_to_client": 4,
            "bytes_to_server": 600,
            "bytes_to_client": 4000,
            "first": NOON,
            "last": NOON + SECOND,
            "direction": Direction.SYN,
            "outcome": Outcome.ESTABLISHED,
            "connections": 1,
            "keys": ("t00009c40",),
            "dns": False,
            **changes,
        }
    )


def an_answer(name: str = "api.example.test", to: str = "203.0.113.10", **changes: Any) -> NameAnswer:
    """A DNS answer that gave an address for a name."""
    return NameAnswer(
        **{"name": name, "address": address(to), "via": (), "first": NOON, "last": NOON, **changes}
    )


def some_contents(*conversations: Conversation, **changes: Any) -> CaptureContents:
    """What a capture file with these conversations says."""
    return CaptureContents(
        **{
            "conversations": conversations,
            "names": (),
            "packets": sum(item.packets_to_server + item.packets_to_client for item in conversations),
            "unread_packets": 0,
            "truncated": None,
            **changes,
        }
    )


def a_capture(pod: Pod | str, *conversations: Conversation, **changes: Any) -> Capture:
    """The capture of a pod, by the pod or its UID."""
    uid = pod if isinstance(pod, str) else pod.uid
    return Capture(uid, f"captures/{uid}/run.pcap", some_contents(*conversations, **changes))


def a_row(local: str = "10.244.1.5:40000", remote: str = "10.244.1.6:8080", **changes: Any) -> SocketRow:
    """One established TCP socket; ends are written `ADDRESS:PORT`."""
    here, _, port_here = local.rpartition(":")
    there, _, port_there = remote.rpartition(":")
    return SocketRow(
        **{
            "time": NOON,
            "protocol": Protocol.TCP,
            "local": address(here),
            "local_port": int(port_here),
            "remote": address(there),
            "remote_port": int(port_there),
            "state": SocketState.ESTABLISHED,
            **changes,
        }
    )


def a_listener(port: int = 8080, local: str = "::") -> SocketRow:
    """A TCP socket that waits for connections."""
    return a_row(f"{local}:{port}", f"{local}:0", state=SocketState.LISTEN)


def a_bound(port: int = 8125, local: str = "::") -> SocketRow:
    """A UDP socket without a peer."""
    return a_row(f"{local}:{port}", f"{local}:0", protocol=Protocol.UDP, state=SocketState.BOUND)


def a_network(pod: Pod | str = "uid-web-1", *rows: SocketRow, **changes: Any) -> PodNetwork:
    """What the agent read in a pod besides packets."""
    uid = pod if isinstance(pod, str) else pod.uid
    return PodNetwork(
        **{
            "pod_uid": uid,
            "file": f"captures/{uid}/run.sockets",
            "rows": rows,
            "gateways": frozenset(),
            "nameservers": frozenset(),
            "api_server": None,
            "snapshots": 1,
            **changes,
        }
    )


def networks_of(*networks: PodNetwork) -> Mapping[str, PodNetwork]:
    """Networks by their pods' UIDs."""
    return {network.pod_uid: network for network in networks}


def an_endpoint(name: str = "web", **changes: Any) -> Endpoint:
    """A Deployment in the namespace shop."""
    return Endpoint(
        **{
            "kind": EndpointKind.WORKLOAD,
            "owner_kind": "Deployment",
            "namespace": "shop",
            "name": name,
            **changes,
        }
    )


def an_external(text: str = "203.0.113.10", *names: str) -> Endpoint:
    """An address outside the cluster."""
    return Endpoint(EndpointKind.EXTERNAL, address=address(text), names=names)


def an_unknown(text: str = "10.9.8.7", **changes: Any) -> Endpoint:
    """An address that nobody can name."""
    return Endpoint(EndpointKind.UNKNOWN, address=address(text), **changes)


def an_edge(
    client: Endpoint | str = "web", server: Endpoint | str = "api", port: int = 8080, **changes: Any
) -> Edge:
    """An established TCP edge between two Deployments, or whatever else the ends are."""
    client = an_endpoint(client) if isinstance(client, str) else client
    server = an_endpoint(server) if isinstance(server, str) else server
    protocol = changes.get("protocol", Protocol.TCP)
    direction = changes.get("direction", Direction.SYN)
    return Edge(
        **{
            "id": edge_id(client, server, protocol, port),
            "client": client,
            "server": server,
            "protocol": protocol,
            "port": port,
            "port_name": "",
            "outcome": Outcome.ESTABLISHED,
            "direction": direction,
            "confidence": CONFIDENCE_OF[direction],
            "connections": 1,
            "bytes": 1000,
            "first": NOON,
            "last": NOON + SECOND,
            "evidence": (Evidence("captures/uid-web-1/run.pcap", "tcp", 10),),
            "addresses": (address(server.address),) if server.kind is EndpointKind.EXTERNAL else (),
            "ports": (port,),
            **changes,
        }
    )


def a_policy(name: str = "web", **changes: Any) -> NetworkPolicy:
    """A policy of the namespace shop that isolates the pods `app: NAME` both ways and allows nothing."""
    return NetworkPolicy(
        **{
            "namespace": "shop",
            "name": name,
            "pod_selector": labels_selector({"app": name}),
            "policy_types": (PolicyType.INGRESS, PolicyType.EGRESS),
            **changes,
        }
    )


def a_derivation(
    *objects: KubernetesObject,
    captures: Iterable[Capture] = (),
    networks: Iterable[PodNetwork] = (),
    events: Iterable[ObjectEvent] = (),
) -> Derivation:
    """Flows, edges and findings of what was recorded."""
    return derive_edges(tuple(captures), networks_of(*networks), a_timeline(*objects, events=events))


def edge_words(edges: Iterable[Edge]) -> list[str]:
    """`shop/Deployment/web -> shop/Deployment/api 8080/TCP established`, one line an edge."""
    return [
        f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value} {edge.outcome.value}"
        + (f" {edge.role.value}" if edge.role else "")
        for edge in edges
    ]
