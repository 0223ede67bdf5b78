"""Conversations of one capture and the mergeable flows made of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from kubectl_netpolgen.model.network import Address, Protocol


class Direction(str, Enum):
    """How we know which end is the client, strongest first."""

    SYN = "syn"
    SYNACK = "synack"
    LISTEN = "listen"
    PROVEN = "proven"
    DECLARED = "declared"
    HEURISTIC = "heuristic"


class Outcome(str, Enum):
    """What became of the attempts, best first: one success makes the edge real."""

    ESTABLISHED = "established"
    ANSWERED = "answered"
    ONE_WAY = "one-way"
    REFUSED = "refused"
    PROHIBITED = "prohibited"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"
    DECLARED = "declared"
    """Of edges alone: nothing was attempted that anybody saw, and manifests say that it will be."""

    @property
    def accepted(self) -> bool:
        """True when traffic got through, so that a rule for it keeps something alive."""
        return self in (Outcome.ESTABLISHED, Outcome.ANSWERED, Outcome.ONE_WAY)

    @property
    def failed(self) -> bool:
        """True when the attempt got nowhere; such an edge yields no rule by itself."""
        return self in (Outcome.REFUSED, Outcome.PROHIBITED, Outcome.UNANSWERED)


class Reach(str, Enum):
    """Whom the packets between two addresses concern."""

    PEERS = "peers"
    """Two hosts: what NetworkPolicy is about."""
    LOOPBACK = "loopback"
    """Nobody outside the pod."""
    GROUP = "group"
    """Everyone (multicast, broadcast), or a host that has no address yet: no peer can be named."""


class NameSource(str, Enum):
    """Where a name was read."""

    SNI = "sni"
    """The server name of a TLS ClientHello (RFC 6066, 3)."""
    QUIC = "quic"
    """The same inside a QUIC Initial (RFC 9001)."""
    HTTP = "http"
    """The Host field of an HTTP/1 request."""
    DNS = "dns"


class Tunnel(str, Enum):
    """What carried the packets of a row that was read from inside it."""

    VXLAN = "vxlan"
    GENEVE = "geneve"
    IPIP = "ipip"
    GRE = "gre"


SEEN_OUTCOMES = tuple(outcome for outcome in Outcome if outcome is not Outcome.DECLARED)
"""Those that packets and sockets can show."""
DIRECTION_ORDER = tuple(Direction)
OUTCOME_ORDER = tuple(Outcome)


def stronger_direction(a: Direction, b: Direction) -> Direction:
    """The better-founded of two, by the fixed order of the enum."""
    return min(a, b, key=DIRECTION_ORDER.index)


def better_outcome(a: Outcome, b: Outcome) -> Outcome:
    """The outcome that says more got through, by the fixed order of the enum."""
    return min(a, b, key=OUTCOME_ORDER.index)


class PeerName(NamedTuple):
    """A name for the server of a conversation, lower case, without a trailing dot."""

    name: str
    source: NameSource


class Conversation(NamedTuple):
    """One 5-tuple of one capture file, oriented from client to server."""

    protocol: Protocol
    client: Address
    client_port: int
    server: Address
    server_port: int
    packets_to_server: int
    packets_to_client: int
    bytes_to_server: int
    """Lengths on the wire with the link header, so that counts equal those of other readers."""
    bytes_to_client: int
    first: int
    """Nanoseconds since the epoch, the smaller of all packets' times (captures may go backwards)."""
    last: int
    direction: Direction
    """SYN, SYNACK, or HEURISTIC when the file alone cannot tell; analysis knows more."""
    outcome: Outcome
    connections: int
    """Distinct initial sequence numbers (TCP); 1 for a UDP conversation."""
    keys: tuple[str, ...]
    """What both ends of a translated connection share: TCP initial sequence numbers, DNS ids."""
    dns: bool
    """True when the payload was DNS."""
    names: tuple[PeerName, ...] = ()
    """What the client called the server, in order, at most 32."""
    duplicates: int = 0
    """Packets seen again on another interface; in no other count."""
    later_fragments: int = 0
    """IP fragments behind the first, which alone holds the ports; in no other count."""
    later_fragment_bytes: int = 0
    vlan: int | None = None
    """The innermost VLAN identifier (IEEE 802.1Q)."""
    tunnel: Tunnel | None = None
    """Set when the packets were read from inside a tunnel; the tunnel's own row has None."""
    reach: Reach = Reach.PEERS


@dataclass(frozen=True)
class NameAnswer:
    """What one name stood for in a capture, and how often it was heard."""

    name: str
    """As asked for, lower case, no trailing dot."""
    address: Address | None
    """None when the answer was that the name does not exist, or named a service (SRV)."""
    via: tuple[str, ...]
    """The CNAMEs between the question and the address; an SRV answer's target."""
    first: int
    """Nanoseconds since the epoch."""
    last: int
    count: int = 1
    source: NameSource = NameSource.DNS


class CaptureContents(NamedTuple):
    """What one capture file says: its conversations, names, and how much could not be read."""

    conversations: tuple[Conversation, ...]
    names: tuple[NameAnswer, ...]
    packets: int
    unread_packets: int
    """Packets that are no IPv4 or IPv6 TCP, UDP or SCTP."""
    truncated: str | None
    """Why reading stopped before the end of the file, or None."""
    inexpressible: tuple[str, ...] = ()
    """Traffic that NetworkPolicy cannot speak of, as `PROTOCOL SOURCE > DESTINATION`, sorted."""
    left_out_packets: int = 0
    """TCP, UDP and SCTP packets of no conversation: loopback, groups, port 0, a frame's second interface.

    Unread, left-out and the conversations' packets add up to `packets`.
    """
    cut_short: tuple[str, ...] = ()
    """What the bounds on memory left out, one sentence each."""


class Flow(NamedTuple):
    """Client, server, protocol and server port of one capture: the row of `flows.jsonl`."""

    capture: str
    """The capture file's path inside the bundle; its pod is the vantage point."""
    pod_uid: str
    protocol: Protocol
    client: Address
    server: Address
    server_port: int
    client_ports: int
    packets_to_server: int
    packets_to_client: int
    bytes_to_server: int
    bytes_to_client: int
    first: int
    last: int
    direction: Direction
    outcome: Outcome
    connections: int
    keys: tuple[str, ...]
    """At most 64, those with the smallest hash, so that both vantage points keep the same ones."""
    dns: bool
    names: tuple[PeerName, ...] = ()
    duplicates: int = 0
    later_fragments: int = 0
    later_fragment_bytes: int = 0
    vlan: int | None = None
    tunnel: Tunnel | None = None

    @property
    def packets(self) -> int:
        """Packets both ways."""
        return self.packets_to_server + self.packets_to_client

    @property
    def bytes(self) -> int:
        """Bytes on the wire both ways."""
        return self.bytes_to_server + self.bytes_to_client
