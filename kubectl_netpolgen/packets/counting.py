"""Packets of any shape to halves: the one text of what a packet counts for.

The quick ways for plain packets, `plain.py` of the standard library and the columns of numpy, count only what
they are sure to count as this does, and bring everything else here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubectl_netpolgen.model.flow import Tunnel
from kubectl_netpolgen.packets.addresses import Addresses
from kubectl_netpolgen.packets.fragments import Fragments, Identity
from kubectl_netpolgen.packets.halves import Half, is_dns
from kubectl_netpolgen.packets.link import Link, find_network, is_broadcast
from kubectl_netpolgen.packets.network import ICMP, ICMPV6, SCTP, TCP, UDP, Transport, find_transport
from kubectl_netpolgen.packets.payloads import (
    NOTHING,
    TCP_STARTS,
    UDP_STARTS,
    Payloads,
    Said,
    Whole,
    direction_key,
)
from kubectl_netpolgen.packets.repeated import Repeated
from kubectl_netpolgen.packets.sightings import Sightings, frame_identity
from kubectl_netpolgen.packets.signals import (
    ACCEPTS,
    ASKS,
    BROADCAST,
    OPENS,
    REPLIES,
    SCTP_SIGNALS,
    TCP_SIGNALS,
)
from kubectl_netpolgen.packets.table import Context, HalfTable
from kubectl_netpolgen.packets.tunnels import find_inner
from kubectl_netpolgen.packets.unreachable import quoted_failure

RELIEVED_EVERY = 4096
"""Records between two looks at the size of the table."""

_PORTED = (TCP, UDP, SCTP)
_PORTS = 4
_UDP_HEADER = 8
_TCP_FLAGS, _TCP_HEADER = 13, 20
_COMPARED = 32
"""Bytes by which a later fragment is known again."""
_SCTP_CHUNK, _SCTP_INITIATE_TAG = 12, 16
_PLAIN = {protocol: Context(protocol) for protocol in range(256)}


class Frame(NamedTuple):
    """One captured frame and what its record says of it."""

    buffer: bytes
    start: int
    end: int
    time: int
    """Nanoseconds since the epoch."""
    wire: int
    """Bytes on the wire, with the link header."""
    link: Link
    number: int
    """How many records came before it in the capture."""
    place: bytes | int | None
    """What tells its interface from others; None where each frame is seen once only."""


class Tally:
    """Everything that the packets of one capture add up to."""

    def __init__(
        self, *, file: str = "", inner: bool = False, keys: bool = True, table: HalfTable | None = None
    ) -> None:
        self._inner = inner
        self.keys = keys
        """Whether DNS messages are kept apart, for the join of two vantage points."""
        self._sightings = Sightings()
        self.table = table or HalfTable()
        self.addresses = Addresses()
        self.payloads = Payloads(self.addresses, file=file)
        self.repeated = Repeated(self.payloads)
        self.fragments = Fragments(self.table)
        self.unread = 0
        """Packets that are no TCP, UDP or SCTP with ports."""
        self.later_fragments = 0
        """Packets of these protocols that are fragments behind the first."""
        self.repeats = 0
        """Packets that were seen before on another interface."""

    def count(self, frames: Iterable[Frame]) -> None:
        """Read every frame, once."""
        for frame in frames:
            self.meet(frame)
            if not frame.number % RELIEVED_EVERY:
                self.table.relieve()

    def meet(self, frame: Frame) -> None:
        """Count one packet."""
        buffer, end = frame.buffer, frame.end
        ethertype, at, vlan = find_network(buffer, frame.start, end, link=frame.link)
        packet = find_transport(buffer, at, end, ethertype=ethertype)
        if packet is None:
            self.unread += 1
            return
        repeats = self.repeats
        if not self._take(frame, packet, vlan, None):
            self.unread += 1
        inner = find_inner(buffer, packet) if self._inner else None
        if inner is not None:
            # the same frame is in its tunnel as often as the tunnel's own
            self._take(frame, inner.packet, inner.vlan, inner.tunnel, repeated=self.repeats > repeats)

    def _take(
        self,
        frame: Frame,
        packet: Transport,
        vlan: int | None,
        tunnel: Tunnel | None,
        *,
        repeated: bool = False,
    ) -> bool:
        """Count a packet on its row; False when it belongs to none of TCP, UDP or SCTP."""
        protocol, addresses, at, end, later, fragment = packet
        buffer = frame.buffer
        plain = vlan is None and tunnel is None
        context = _PLAIN[protocol] if plain else Context(protocol, vlan, tunnel)
        if later:
            if protocol in _PORTED:
                self._take_later(frame, packet, (protocol, addresses, fragment, vlan, tunnel), repeated)
            return protocol in _PORTED
        if protocol not in _PORTED:
            self._set_aside(frame, packet, context)
            return False
        if at + _PORTS > end:
            return False
        key = addresses + buffer[at : at + _PORTS]
        half = self.table.half(context, key)
        if tunnel is None and frame.place is not None:
            identity = frame_identity(buffer, at, end, protocol=protocol, key=key)
            repeated = self._sightings.is_repeat(identity, frame.place, frame.time, frame.number)
            self.repeats += repeated
        if repeated:
            half.more.duplicates += 1
            return True
        half.count(frame.time, frame.wire)
        if is_broadcast(buffer, frame.start, addresses, link=frame.link):
            half.signals |= BROADCAST
        if fragment:
            self.fragments.begin((protocol, addresses, fragment, vlan, tunnel), context, key)
        if protocol == TCP:
            self._take_tcp(frame, packet, context, key, half)
        elif protocol == UDP:
            self._take_udp(frame, packet, key, half)
        elif at + _SCTP_CHUNK < end:
            signal = SCTP_SIGNALS[buffer[at + _SCTP_CHUNK]]
            half.signals |= signal
            note_association(half, buffer[at:end], signal)
        return True

    def _take_later(self, frame: Frame, packet: Transport, identity: Identity, repeated: bool) -> None:
        """A fragment behind the first counts on the first one's row, unless another interface showed it."""
        if identity[-1] is None:
            if frame.place is not None:
                content = frame.buffer[packet.at : min(packet.at + _COMPARED, packet.end)]
                shown = b"f" + packet.addresses + packet.fragment + content
                repeated = self._sightings.is_repeat(shown, frame.place, frame.time, frame.number)
            self.repeats += repeated
            self.later_fragments += not repeated
        if not repeated:
            self.fragments.add(identity, frame.wire)

    def _take_tcp(self, frame: Frame, packet: Transport, context: Context, key: bytes, half: Half) -> None:
        buffer, at, end = frame.buffer, packet.at, packet.end
        if at + _TCP_FLAGS >= end:
            return
        signal = TCP_SIGNALS[buffer[at + _TCP_FLAGS]]
        half.signals |= signal
        note_handshake(half, buffer, at, signal)
        payload = at + (buffer[at + _TCP_HEADER - 8] >> 4) * 4
        if payload < at + _TCP_HEADER or payload >= end:
            return
        if (
            is_dns(key)
            or TCP_STARTS[buffer[payload]]
            or direction_key(context, key) in self.payloads.assembly.pending
        ):
            sequence = int.from_bytes(buffer[at + 4 : at + 8], "big")
            cut = frame.end - frame.start < frame.wire
            self.listen_to_segment(context, half, key, buffer[payload:end], sequence, frame.time, cut=cut)

    def _take_udp(self, frame: Frame, packet: Transport, key: bytes, half: Half) -> None:
        payload, end = packet.at + _UDP_HEADER, packet.end
        if payload >= end:
            return
        if is_dns(key):
            self.hear_dns(half, key, frame.buffer[payload:end], frame.time)
        elif UDP_STARTS[frame.buffer[payload]]:
            self.listen_to_datagram(half, key, frame.buffer[payload:end], frame)

    def listen_to_segment(
        self,
        context: Context,
        half: Half,
        key: bytes,
        payload: bytes,
        sequence: int,
        time: int,
        *,
        cut: bool,
    ) -> None:
        """Read a TCP payload for names; `cut` when the snap length left less than was sent."""
        said = self.payloads.hear_segment(context, key, payload, sequence, time, cut=cut, dns=is_dns(key))
        if said is not NOTHING:
            half.signals |= said.signals
            self.note(half, said)

    def listen_to_datagram(self, half: Half, key: bytes, payload: bytes, frame: Frame) -> None:
        """Read a UDP payload for names, on any port but DNS's."""
        whole = Whole(frame.buffer, frame.start, frame.end, frame.wire, frame.link.number)
        self.note(half, self.payloads.hear_datagram(key, payload, frame.time, whole))

    def note(self, half: Half, said: Said) -> None:
        """Keep what was said with the half that said it; its signals are the caller's."""
        if self.keys:
            for question in said.questions:
                half.more.ask(question)
        for name in said.names:
            half.call(name)

    def hear_dns(self, half: Half, key: bytes, payload: bytes, time: int) -> None:
        """Read a UDP payload from or to a port of DNS: `listen`, for the most frequent case of all."""
        if not self.keys:
            half.signals |= self.payloads.tell_dns(key, payload, time)
            return
        heard = self.payloads.hear_dns(key, payload, time)
        if heard is not None:
            half.signals |= REPLIES if heard.response else ASKS
            half.more.ask(heard.key)

    def _set_aside(self, frame: Frame, packet: Transport, context: Context) -> None:
        """A packet of another protocol: it has a row of its own, and an ICMP error marks whom it quotes."""
        buffer, at = frame.buffer, packet.at
        kind = bytes(4)
        if packet.protocol in (ICMP, ICMPV6):
            if at >= packet.end:
                return
            kind = bytes(3) + buffer[at : at + 1]
        half = self.table.half(context, packet.addresses + kind)
        half.count(frame.time, frame.wire)
        failure = quoted_failure(buffer, packet)
        if failure is not None:
            signal, quoted = failure
            if quoted.protocol in _PORTED:
                key = quoted.addresses + buffer[quoted.at : quoted.at + _PORTS]
                self.table.mark(context._replace(protocol=quoted.protocol), key).signals |= signal


def note_handshake(half: Half, buffer: bytes, at: int, signal: int) -> None:
    """The client's initial sequence number: its own in a SYN, acknowledged minus one in a SYN-ACK."""
    if signal & OPENS:
        half.open(int.from_bytes(buffer[at + 4 : at + 8], "big"))
    elif signal & ACCEPTS:
        half.accept(int.from_bytes(buffer[at + 8 : at + 12], "big") - 1 & 0xFFFFFFFF)


def note_association(half: Half, packet: bytes, signal: int) -> None:
    """The client's initiate tag: in its INIT, and the verification tag of every packet back."""
    if signal & OPENS and len(packet) >= _SCTP_INITIATE_TAG + 4:
        half.open(int.from_bytes(packet[_SCTP_INITIATE_TAG : _SCTP_INITIATE_TAG + 4], "big"))
    elif signal & ACCEPTS:
        half.accept(int.from_bytes(packet[4:8], "big"))
