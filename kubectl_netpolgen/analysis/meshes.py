"""What a service mesh puts between two pods, as far as packets and sockets show it.

Addresses and ports are Istio's: https://istio.io/latest/docs/ops/deployment/application-requirements/ and, of
ambient mode, https://istio.io/latest/docs/ambient/usage/networkpolicy/.
"""

from __future__ import annotations

from kubectl_netpolgen.model.edge import Edge
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.sockets import PodNetwork

PROBE_SOURCES = frozenset({Address("169.254.7.127"), Address("fd16:9254:7127:1337:ffff:ffff:ffff:ffff")})
"""As whom ambient mode lets the kubelet's probes come, whatever node they are from."""
INBOUND, OUTBOUND = 15006, 15001
"""Where a sidecar takes over what comes in and goes out; sockets show that, packets have the real port."""
TUNNEL = 15008
"""HBONE: everything between two pods of an ambient mesh."""


def has_sidecar(network: PodNetwork) -> bool:
    """Whether a pod's connections pass through a sidecar."""
    return network.listening(Protocol.TCP) >= {INBOUND, OUTBOUND}


def hidden_by_sidecar(pod: Pod) -> Finding:
    """What the sockets of a pod with a sidecar cannot say."""
    return Finding(
        "mesh-sidecar",
        Severity.WARNING,
        f"pod {pod.namespace}/{pod.name}",
        f"a sidecar takes its connections over, so its sockets show port {INBOUND} in place of the real "
        "ones; only its packets say to which ports they came",
        "capture packets of this pod, or while its clients reconnect",
    )


def tunnelled(edge: Edge) -> Finding | None:
    """What a policy can no longer tell apart where a mesh tunnels, of an edge that got through."""
    if edge.port != TUNNEL or edge.protocol is not Protocol.TCP:
        return None
    return Finding(
        "mesh-tunnel",
        Severity.WARNING,
        f"{edge.client} -> {edge.server} {edge.port}/{edge.protocol.value}",
        "an ambient mesh carries all connections between the two in one port: the rule allows every port of "
        "the server to this client, and a client outside the mesh needs the real port",
        "let the mesh's own authorization policies tell the ports apart",
    )
