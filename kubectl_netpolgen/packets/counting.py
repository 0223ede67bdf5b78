"""Records to halves: the one loop that sees every packet.

Plain TCP and UDP over IPv4 and IPv6 of a known half is counted in the loop itself; everything else goes to
`_meet`, which knows all the shapes and alone decides what becomes a half. The loop repeats no check that a
half's first packet passed, and calls nothing that it need not: it runs a million times a file.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netpolgen.model.network import DNS_PORT
from kubectl_netpolgen.packets.addresses import Addresses, Reach
from kubectl_netpolgen.packets.halves import Half
from kubectl_netpolgen.packets.inexpressible import Inexpressible, is_housekeeping
from kubectl_netpolgen.packets.link import ETHERTYPE_IPV6, Link, find_network, is_broadcast
from kubectl_netpolgen.packets.names import Names
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP, Transport, find_transport
from kubectl_netpolgen.packets.pcap import Record
from kubectl_netpolgen.packets.sightings import Sightings, frame_identity
from kubectl_netpolgen.packets.signals import (
    ACCEPTS,
    ASKS,
    HANDSHAKE,
    OPENS,
    REPLIES,
    SCTP_SIGNALS,
    TCP_SIGNALS,
)
from kubectl_netpolgen.packets.unreachable import quoted_failure

_DNS_PORT = DNS_PORT.to_bytes(2, "big")
_NO_PORT = bytes(2)
_IPV6 = ETHERTYPE_IPV6.to_bytes(2, "big")
_PORTS = 4
_UDP_HEADER = 8
_TCP_FLAGS = 13
_SCTP_CHUNK = 12
_SCTP_INITIATE_TAG = 16


class Tally:
    """Everything that the packets of one capture add up to."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._sightings = Sightings()
        self._peers: set[bytes] = set()
        """Pairs of addresses between which a conversation was let in."""
        self.addresses = Addresses()
        self.names = Names()
        self.inexpressible = Inexpressible(self.addresses)
        self.halves: dict[int, dict[bytes, Half]] = {TCP: {}, UDP: {}, SCTP: {}}
        """By protocol, then by the addresses and ports as they lie in the packet."""
        self.unread = 0
        """Packets that are no TCP, UDP or SCTP with ports."""
        self.left_out = 0
        """Packets that are, but of no conversation with a peer: loopback, groups, port 0, repeats."""

    def count(self, records: Iterable[Record]) -> None:
        """Read every record, once."""
        link, meet, signals = self._link, self._meet, TCP_SIGNALS
        length, ethertype, place = link.length, link.ethertype, link.place
        tcp, udp, neither = self.halves[TCP], self.halves[UDP], dict[bytes, Half]()
        repeated, left_out = self._sightings.is_repeat, 0
        place_from, place_to = (place.start, place.stop) if place is not None else (0, 0)
        for buffer, start, end, time, wire in records:
            at = start + length
            kind = start + ethertype
            # 34 and 54: an IP header without options, and the ports, numbers and flags of TCP
            if end - at >= 34 and buffer[at] == 0x45 and buffer[kind] == 0x08 and buffer[kind + 1] == 0x00:
                if buffer[at + 7] or buffer[at + 6] & 0x1F:
                    meet(buffer, start, end, time, wire)
                    continue
                protocol, ports, key = buffer[at + 9], at + 20, buffer[at + 12 : at + 24]
            elif end - at >= 54 and buffer[at] >> 4 == 6 and buffer[kind : kind + 2] == _IPV6:
                protocol, ports, key = buffer[at + 6], at + 40, buffer[at + 8 : at + 44]
            else:
                meet(buffer, start, end, time, wire)
                continue
            halves = tcp if protocol == 6 else udp if protocol == 17 else neither
            half = halves.get(key)
            if half is None and (halves is neither or not self._knows(buffer, at, key)):
                meet(buffer, start, end, time, wire)
                continue
            if place is not None:
                # `frame_identity`, without its call
                fixed = (
                    buffer[ports + 4 : ports + 14]
                    if halves is tcp
                    else buffer[ports + 8 : min(end, ports + 40)]
                )
                if repeated(key + fixed, buffer[start + place_from : start + place_to], time):
                    left_out += 1
                    continue
            if half is None:
                half = self._begin(key, protocol, time)
            half.packets += 1
            half.bytes += wire
            if time > half.last:
                half.last = time
            elif time < half.first:
                half.first = time
            if halves is tcp:
                signal = signals[buffer[ports + 13]]
                half.signals |= signal
                if signal & HANDSHAKE:
                    _note_handshake(half, buffer, ports, signal)
            elif half.questions is not None:
                self._hear(half, buffer[ports + _UDP_HEADER : end], time)
        self.left_out += left_out

    def _meet(self, buffer: bytes, start: int, end: int, time: int, wire: int) -> None:
        """Count any packet, of whatever shape."""
        link = self._link
        ethertype, at = find_network(buffer, start, end, link=link)
        found = find_transport(buffer, at, end, ethertype=ethertype)
        if found is None:
            self.unread += 1
            return
        protocol, addresses, at, end, later_fragment = found
        halves = self.halves.get(protocol)
        ports = buffer[at : at + _PORTS]
        if halves is None or later_fragment or at + _PORTS > end:
            self.unread += 1
            if halves is None:
                self._set_aside(buffer, found)
            return
        key = addresses + ports
        half = halves.get(key)
        if half is None:
            broadcast = is_broadcast(buffer, start, addresses, link=link)
            if not self._admits(found, ports, broadcast=broadcast):
                self.left_out += 1
                return
        if link.place is not None:
            frame = frame_identity(buffer, at, end, protocol=protocol, key=key)
            place = buffer[start + link.place.start : start + link.place.stop]
            if self._sightings.is_repeat(frame, place, time):
                self.left_out += 1
                return
        if half is None:
            half = self._begin(key, protocol, time)
            self._peers.add(addresses)
        half.count(time, wire)
        if protocol == TCP and at + _TCP_FLAGS < end:
            signal = TCP_SIGNALS[buffer[at + _TCP_FLAGS]]
            half.signals |= signal
            _note_handshake(half, buffer, at, signal)
        elif protocol == SCTP and at + _SCTP_CHUNK < end:
            signal = SCTP_SIGNALS[buffer[at + _SCTP_CHUNK]]
            half.signals |= signal
            _note_association(half, buffer[at:end], signal)
        elif half.questions is not None:
            self._hear(half, buffer[at + _UDP_HEADER : end], time)

    def _knows(self, buffer: bytes, at: int, key: bytes) -> bool:
        """Whether a new half may begin without a closer look: known addresses, ports in the packet."""
        length = at + (2 if len(key) == 12 else 4)
        room = buffer[length] or buffer[length + 1] >= 40
        return bool(room) and key[:-4] in self._peers and key[-4:-2] != _NO_PORT and key[-2:] != _NO_PORT

    def _begin(self, key: bytes, protocol: int, time: int) -> Half:
        half = self.halves[protocol][key] = Half(time)
        if protocol == UDP and (key[-4:-2] == _DNS_PORT or key[-2:] == _DNS_PORT):
            half.questions = []
        return half

    def _admits(self, found: Transport, ports: bytes, *, broadcast: bool) -> bool:
        """Whether a conversation may begin between these addresses and ports."""
        reach = self.addresses.reach(found.addresses)
        if reach is Reach.PEERS and not broadcast and _NO_PORT not in (ports[:2], ports[2:]):
            return True
        if reach is not Reach.LOOPBACK:
            self.inexpressible.add(found.protocol, found.addresses)
        return False

    def _set_aside(self, buffer: bytes, found: Transport) -> None:
        """A packet of another protocol: an ICMP error marks whom it quotes, the rest is listed."""
        if self.addresses.reach(found.addresses) is Reach.LOOPBACK:
            return
        if not is_housekeeping(buffer, found):
            self.inexpressible.add(found.protocol, found.addresses)
            return
        failure = quoted_failure(buffer, found)
        if failure is None:
            return
        signal, quoted = failure
        key = quoted.addresses + buffer[quoted.at : quoted.at + _PORTS]
        half = self.halves.get(quoted.protocol, {}).get(key)
        if half is not None:
            half.signals |= signal

    def _hear(self, half: Half, payload: bytes, time: int) -> None:
        heard = self.names.hear(payload, time)
        if heard is not None:
            half.signals |= REPLIES if heard.response else ASKS
            half.ask(heard.key)


def _note_handshake(half: Half, buffer: bytes, at: int, signal: int) -> None:
    """The client's initial sequence number: its own in a SYN, acknowledged plus one in a SYN-ACK."""
    if signal & OPENS:
        half.open(int.from_bytes(buffer[at + 4 : at + 8], "big"))
    elif signal & ACCEPTS:
        half.accept(int.from_bytes(buffer[at + 8 : at + 12], "big") - 1 & 0xFFFFFFFF)


def _note_association(half: Half, packet: bytes, signal: int) -> None:
    """The client's initiate tag: in its INIT, and the verification tag of every packet back."""
    if signal & OPENS and len(packet) >= _SCTP_INITIATE_TAG + 4:
        half.open(int.from_bytes(packet[_SCTP_INITIATE_TAG : _SCTP_INITIATE_TAG + 4], "big"))
    elif signal & ACCEPTS:
        half.accept(int.from_bytes(packet[4:8], "big"))
