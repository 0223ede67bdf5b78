"""What a pod's socket tables said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.network import Address, Protocol


class SocketState(str, Enum):
    """States of /proc/net/tcp and udp rows (kernel include/net/tcp_states.h) that matter here."""

    ESTABLISHED = "established"
    SYN_SENT = "syn-sent"
    SYN_RECV = "syn-recv"
    CLOSING = "closing"
    """FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK and CLOSING: it was established."""
    LISTEN = "listen"
    BOUND = "bound"
    """A UDP socket without a peer."""


@dataclass(frozen=True)
class SocketRow:
    """One socket at one moment."""

    time: int
    """Nanoseconds since the epoch, by the node's clock."""
    protocol: Protocol
    local: Address
    local_port: int
    remote: Address
    remote_port: int
    state: SocketState


@dataclass(frozen=True)
class PodNetwork:
    """Everything that the agent read inside a pod besides packets."""

    pod_uid: str
    file: str
    """The sockets file's path inside the bundle, for evidence."""
    rows: tuple[SocketRow, ...]
    gateways: frozenset[Address]
    """Next hops of the pod's routes: where the kubelet's probes come from on a bridge network."""
    nameservers: frozenset[Address]
    """From the pod's resolv.conf."""
    api_server: tuple[Address, int] | None
    """KUBERNETES_SERVICE_HOST and _PORT, which the kubelet gives every container."""
    snapshots: int

    def listening(self, protocol: Protocol) -> frozenset[int]:
        """Ports that the pod listens on (TCP) or has bound (UDP) at any snapshot, loopback left out."""
        wanted = SocketState.LISTEN if protocol is Protocol.TCP else SocketState.BOUND
        return frozenset(
            row.local_port
            for row in self.rows
            if row.protocol is protocol
            and row.state is wanted
            and not row.local.startswith("127.")
            and row.local != "::1"
        )
