"""A capture whose link type we do not read, as tshark tells its packets: the same rows by the same rules."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from kubectl_netpolgen.model.flow import PeerName
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.engines import PairTable
from kubectl_netpolgen.packets.network import SCTP, TCP, UDP
from kubectl_netpolgen.packets.rare_links import DissectedPacket, dissect_packets
from kubectl_netpolgen.packets.signals import ACCEPTS, CARRIES, OPENS, TCP_SIGNALS
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tshark import TsharkFailed

_NUMBERS = {Protocol.TCP: TCP, Protocol.UDP: UDP, Protocol.SCTP: SCTP}


def read_through_tshark(path: Path, *, label: str, program: Path) -> Reading:
    """Read a whole file with a full dissector, a hundred times slower than our own way.

    What ends tshark early becomes the reading's damage; what it told before is kept.
    """
    tally = Tally(file=label, keys=False)
    packets, truncated = 0, None
    try:
        for packet in dissect_packets(path, program=program):
            packets += 1
            if packet is None:
                tally.unread += 1
            else:
                count_dissected(tally, packet)
    except TsharkFailed as error:
        truncated = error.message
    reading = Reading(label, tally, PairTable(tally.table))
    reading.packets, reading.truncated = packets, truncated
    return reading


def count_dissected(tally: Tally, packet: DissectedPacket) -> None:
    """Count one packet as `Tally.meet` would."""
    protocol = _NUMBERS[packet.protocol]
    key = (
        _packed(packet.source)
        + _packed(packet.destination)
        + packet.source_port.to_bytes(2, "big")
        + packet.destination_port.to_bytes(2, "big")
    )
    half = tally.table.half(Context(protocol, packet.vlan), key)
    half.count(packet.time, packet.wire)
    if protocol == TCP:
        signal = TCP_SIGNALS[packet.flags & 0xFF]
        half.signals |= signal
        if signal & OPENS:
            half.open(packet.sequence)
        elif signal & ACCEPTS:
            half.accept(packet.acknowledgment - 1 & 0xFFFFFFFF)
    elif protocol == SCTP:
        half.signals |= CARRIES
    for said in packet.names:
        if said.address is None:
            half.call(PeerName(said.name, said.source))
        tally.payloads.names.note(said.name, said.address or packet.destination, said.source, packet.time)
    tally.table.relieve()


def _packed(address: Address) -> bytes:
    return ipaddress.ip_address(address).packed
