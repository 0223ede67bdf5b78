"""Which end is the server, for conversations whose handshake the capture did not see.

The order is fixed: handshake, the pods' LISTEN tables, an address and port proven by another handshake,
declared ports, and last the reader's guess, which stays marked as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.model.flow import Conversation, Direction, Flow, Outcome
from kubectl_netpolgen.model.network import DNS_PORT, Address, Protocol
from kubectl_netpolgen.model.sockets import PodNetwork

_End = tuple[Protocol, Address, int]
_EPHEMERAL = 32768
HANDSHAKES = (Direction.SYN, Direction.SYNACK)
"""How a direction is known that needs nothing else."""


class Orientation:
    """Knows which ends are servers, from everything in the bundle."""

    def __init__(self, timeline: Timeline, networks: Mapping[str, PodNetwork]) -> None:
        self._timeline = timeline
        self._listening = {
            (uid, protocol): network.listening(protocol)
            for uid, network in networks.items()
            for protocol in (Protocol.TCP, Protocol.UDP)
        }
        self._proven: set[_End] = set()

    def learn(self, items: Iterable[Conversation] | Iterable[Flow]) -> None:
        """Take what handshakes prove: where somebody answered once, a server is."""
        self._proven.update(
            (item.protocol, item.server, item.server_port) for item in items if item.direction in HANDSHAKES
        )

    def orient(self, item: Conversation) -> Conversation:
        """The conversation with its better-founded client, and how that is known."""
        if item.direction in HANDSHAKES:
            return item
        client: _End = (item.protocol, item.client, item.client_port)
        server: _End = (item.protocol, item.server, item.server_port)
        # an unconnected UDP client is bound too, so there the declared port is the better witness
        tests = (
            ((self.declares, Direction.DECLARED), (self._has_own_port, Direction.LISTEN))
            if item.protocol is Protocol.UDP
            else (
                (self.listens, Direction.LISTEN),
                (self._is_proven, Direction.PROVEN),
                (self.declares, Direction.DECLARED),
            )
        )
        # NTP, IKE, SIP and gossip ask from the port they serve: being open there makes nobody the server
        symmetric = item.protocol is Protocol.UDP and item.client_port == item.server_port
        for holds, direction in tests:
            at_client, at_server = holds(client, item.first), holds(server, item.first)
            if at_server and not at_client:
                return item._replace(direction=self._confirmed(server, item.first, direction))
            if at_client and not at_server and not symmetric:
                found = self._confirmed(client, item.first, direction)
                return reversed_conversation(item)._replace(direction=found)
        return item

    def _confirmed(self, server: _End, time: int, direction: Direction) -> Direction:
        """A declared port that the pod also has open is more than declared."""
        return Direction.LISTEN if self.listens(server, time) else direction

    def listens(self, end: _End, time: int) -> bool:
        """True when the pod at this address then had the port open, by its own socket table."""
        protocol, address, port = end
        pod = self._timeline.pod_at(address, time)
        return pod is not None and port in self._listening.get((pod.uid, protocol), frozenset())

    def _has_own_port(self, end: _End, time: int) -> bool:
        """True for a bound UDP port that no client is given by chance (ip_local_port_range's default)."""
        return end[2] < _EPHEMERAL and self.listens(end, time)

    def _is_proven(self, end: _End, time: int) -> bool:
        return end in self._proven

    def declares(self, end: _End, time: int) -> bool:
        """True for a container port of that pod, a port of that Service, and for DNS."""
        protocol, address, port = end
        if port == DNS_PORT:
            return True
        pod = self._timeline.pod_at(address, time)
        if pod is not None:
            return any(item.port == port and item.protocol is protocol for item in pod.ports)
        return any(
            item.port == port and item.protocol is protocol
            for service in self._timeline.services_at(address)
            for item in service.ports
        )


def reversed_conversation(item: Conversation) -> Conversation:
    """The same packets with client and server exchanged.

    A UDP conversation that only the guessed client spoke in was an answer nobody asked for in this capture:
    seen the right way round, the other end did answer.
    """
    outcome = item.outcome
    if item.protocol is Protocol.UDP and outcome is Outcome.UNANSWERED:
        outcome = Outcome.ANSWERED
    return item._replace(
        client=item.server,
        client_port=item.server_port,
        server=item.client,
        server_port=item.client_port,
        packets_to_server=item.packets_to_client,
        packets_to_client=item.packets_to_server,
        bytes_to_server=item.bytes_to_client,
        bytes_to_client=item.bytes_to_server,
        outcome=outcome,
        keys=tuple(f"u{item.server_port}" if key == f"u{item.client_port}" else key for key in item.keys),
    )
