"""Packets in tunnels and in fragments, and what clients say over TCP, built in code."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import replace

from tests.packets.factories import ACK, CLIENT, PSH, SERVER, START, Packet, a_frame, ip, tcp, udp
from tests.packets.factories_names import SERVER_NAME, a_client_hello

NODE, OTHER_NODE = "192.168.7.1", "192.168.7.2"
NODE6, OTHER_NODE6 = "fd00:192::1", "fd00:192::2"
VXLAN_FLANNEL, VXLAN_IANA, GENEVE = 8472, 4789, 6081
ETHERNET_IN_TUNNEL, IPV4_IN_TUNNEL, IPV6_IN_TUNNEL = 0x6558, 0x0800, 0x86DD


def in_vxlan(
    packet: Packet,
    *,
    source: str = NODE,
    destination: str = OTHER_NODE,
    port: int = VXLAN_FLANNEL,
    flags: int = 8,
) -> Packet:
    """The packet's frame, VLAN tags and all, behind a VXLAN header (RFC 7348, 5)."""
    header = struct.pack(">B3x3sx", flags, b"\0\0\1")
    return udp(source, 50000, destination, port, payload=header + a_frame(packet), time=packet.time)


def in_geneve(packet: Packet, *, options: int = 0, bare: bool = False, version: int = 0) -> Packet:
    """The packet behind a Geneve header (RFC 8926, 3.4) with options; `bare` leaves Ethernet out."""
    kind = _ethertype(packet) if bare else ETHERNET_IN_TUNNEL
    header = struct.pack(">BBH3sx", version << 6 | options // 4, 0, kind, b"\0\0\1") + bytes(options)
    inside = packet.ip if bare else a_frame(packet)
    return udp(NODE, 50000, OTHER_NODE, GENEVE, payload=header + inside, time=packet.time)


def in_ip(packet: Packet, *, source: str = NODE, destination: str = OTHER_NODE) -> Packet:
    """IP in IP (RFC 2003, 2473)."""
    protocol = 4 if packet.ip[0] >> 4 == 4 else 41
    return Packet(ip(source, destination, protocol, packet.ip), time=packet.time)


def in_gre(packet: Packet, *, flags: int = 0, bare: bool = True, version: int = 0) -> Packet:
    """GRE (RFC 2784, 2890); `flags` are 0x80 for a checksum, 0x20 a key, 0x10 a sequence number."""
    kind = _ethertype(packet) if bare else ETHERNET_IN_TUNNEL
    options = bytes(4 * bin(flags & 0xB0).count("1"))
    body = struct.pack(">BBH", flags, version, kind) + options + (packet.ip if bare else a_frame(packet))
    return Packet(ip(NODE, OTHER_NODE, 47, body), time=packet.time)


def _ethertype(packet: Packet) -> int:
    return IPV4_IN_TUNNEL if packet.ip[0] >> 4 == 4 else IPV6_IN_TUNNEL


def fragments_of(packet: Packet, size: int = 16, *, identification: int = 1) -> list[Packet]:
    """The packet in fragments of so many bytes, a multiple of eight, the first one first."""
    six = packet.ip[0] >> 4 == 6
    source, destination = (packet.ip[8:24], packet.ip[24:40]) if six else (packet.ip[12:16], packet.ip[16:20])
    protocol, body = (packet.ip[6], packet.ip[40:]) if six else (packet.ip[9], packet.ip[20:])
    found = []
    for at in range(0, len(body), size):
        piece, more = body[at : at + size], int(at + size < len(body))
        ends = str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination))
        if six:
            header = struct.pack(">BHI", 0, at | more, identification)
            raw = ip(*ends, protocol, piece, extensions=[(44, header)])
        else:
            raw = ip(*ends, protocol, piece, fragment=at // 8, more=more)
            raw = raw[:4] + identification.to_bytes(2, "big") + raw[6:]
        found.append(replace(packet, ip=raw))
    return found


def a_request(host: str = "shop.example.test", *, line: str = "GET / HTTP/1.1", more: bytes = b"") -> bytes:
    """The head of an HTTP/1 request."""
    return f"{line}\r\nAccept: */*\r\nHost: {host}\r\n\r\n".encode() + more


def said_over_tcp(
    *payloads: bytes,
    client: str = CLIENT,
    client_port: int = 40000,
    server: str = SERVER,
    server_port: int = 443,
    sequence: int = 1001,
    time: int = START,
) -> list[Packet]:
    """What a client sends, each payload in a segment of its own, in order."""
    segments = []
    for payload in payloads:
        segments.append(
            tcp(
                client,
                client_port,
                server,
                server_port,
                flags=PSH | ACK,
                sequence=sequence & 0xFFFFFFFF,
                payload=payload,
                time=time,
            )
        )
        sequence += len(payload)
    return segments


def a_hello_in_two(
    name: str = SERVER_NAME, *, cut: int = 40, client_port: int = 40000, sequence: int = 1001
) -> list[Packet]:
    """A TLS ClientHello that spans two segments."""
    hello = a_client_hello(name)
    return said_over_tcp(hello[:cut], hello[cut:], client_port=client_port, sequence=sequence)
