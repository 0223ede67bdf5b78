"""Packets and capture files built in code, so that a test shows what its bytes mean.

Everything has defaults that a test overrides where it matters. Checksums are zero, as in captures of a host
with checksum offload.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

CLIENT, SERVER = "10.244.1.5", "10.244.2.7"
CLIENT6, SERVER6 = "fd00:10:244:1::5", "fd00:10:244:2::7"
DNS_SERVER = "10.96.0.10"
START = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

ETHERNET, LINUX_SLL, LINUX_SLL2 = 1, 113, 276
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
A, CNAME, AAAA = 1, 5, 28


@dataclass(frozen=True)
class Packet:
    """One IP packet and how the link showed it."""

    ip: bytes
    time: int = START
    interface: int = 2
    """SLL2 only."""
    packet_type: int = 0
    """SLL and SLL2: 0 to us, 1 broadcast, 4 from us."""
    vlans: tuple[int, ...] = ()
    broadcast: bool = False
    """Ethernet only."""
    captured: int | None = None
    """Bytes of the frame that the snap length left."""

    def at(self, time: int) -> Packet:
        """The same packet at another time."""
        return replace(self, time=time)

    def on(self, interface: int, *, packet_type: int = 0) -> Packet:
        """The same packet as another interface shows it."""
        return replace(self, interface=interface, packet_type=packet_type)


def a_pcap(
    packets: Iterable[Packet | bytes],
    *,
    link: int = ETHERNET,
    byte_order: str = "<",
    nanoseconds: bool = False,
    version: tuple[int, int] = (2, 4),
    modified: bool = False,
) -> bytes:
    """A whole capture file; bytes among the packets are taken as ready frames."""
    magic = 0xA1B2CD34 if modified else 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    # Kuznetzov's records: interface, protocol, packet type and a byte of padding
    more = struct.pack(f"{byte_order}IHBx", 2, 0x0800, 4) if modified else b""
    parts = [struct.pack(f"{byte_order}IHHiIII", magic, *version, 0, 0, 262144, link)]
    for packet in packets:
        if isinstance(packet, bytes):
            packet = Packet(packet)
            frame = packet.ip
        else:
            frame = a_frame(packet, link=link)
        seconds, rest = divmod(packet.time, SECOND)
        captured = frame[: packet.captured]
        fraction = rest if nanoseconds else rest // 1000
        parts.append(
            struct.pack(f"{byte_order}IIII", seconds, fraction, len(captured), len(frame)) + more + captured
        )
    return b"".join(parts)


def a_frame(packet: Packet, *, link: int = ETHERNET) -> bytes:
    """The packet behind its link-layer header and VLAN tags."""
    ethertype = 0x86DD if packet.ip[:1] and packet.ip[0] >> 4 == 6 else 0x0800
    tags = [*packet.vlans]
    first = 0x8100 if tags else ethertype
    following = [*([0x8100] * (len(tags) - 1)), ethertype] if tags else []
    vlan = b"".join(struct.pack(">HH", tag, kind) for tag, kind in zip(tags, following, strict=True))
    if link & 0xFFFF == ETHERNET:
        destination = b"\xff" * 6 if packet.broadcast else b"\x02\0\0\0\0\x01"
        header = destination + b"\x02\0\0\0\0\x02" + struct.pack(">H", first)
    elif link == LINUX_SLL:
        header = struct.pack(">HHH8sH", packet.packet_type, 1, 6, b"\x02\0\0\0\0\x02", first)
    else:
        header = struct.pack(
            ">HHIHBB8s", first, 0, packet.interface, 1, packet.packet_type, 6, b"\x02\0\0\0\0\x02"
        )
    return header + vlan + packet.ip


def ip(
    source: str,
    destination: str,
    protocol: int,
    body: bytes,
    *,
    options: bytes = b"",
    extensions: Sequence[tuple[int, bytes]] = (),
    fragment: int = 0,
    more: int = 0,
    total: int | None = None,
) -> bytes:
    """An IPv4 packet, or an IPv6 one with extension headers (number, content behind its first byte)."""
    sender, receiver = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if sender.version == 4:
        length = 20 + len(options)
        return (
            struct.pack(
                ">BBHHHBBH4s4s",
                0x40 | length // 4,
                0,
                length + len(body) if total is None else total,
                1,
                more << 13 | fragment,
                64,
                protocol,
                0,
                sender.packed,
                receiver.packed,
            )
            + options
            + body
        )
    for number, content in reversed(extensions):
        body = bytes((protocol,)) + content + body
        protocol = number
    length = len(body) if total is None else total
    return struct.pack(">IHBB", 6 << 28, length, protocol, 64) + sender.packed + receiver.packed + body


def tcp(
    source: str,
    source_port: int,
    destination: str,
    destination_port: int,
    *,
    flags: int,
    sequence: int = 0,
    acknowledged: int = 0,
    payload: bytes = b"",
    time: int = START,
) -> Packet:
    """One TCP segment."""
    header = struct.pack(
        ">HHIIBBHHH", source_port, destination_port, sequence, acknowledged, 0x50, flags, 64240, 0, 0
    )
    return Packet(ip(source, destination, 6, header + payload), time=time)


def tcp_syn(
    client: str = CLIENT,
    client_port: int = 40000,
    server: str = SERVER,
    server_port: int = 8080,
    *,
    isn: int = 1000,
    time: int = START,
) -> Packet:
    """What opens a connection."""
    return tcp(client, client_port, server, server_port, flags=SYN, sequence=isn, time=time)


def tcp_syn_ack(
    client: str = CLIENT,
    client_port: int = 40000,
    server: str = SERVER,
    server_port: int = 8080,
    *,
    isn: int = 1000,
    time: int = START + MILLISECOND,
) -> Packet:
    """The server's consent; `isn` is the client's, which it acknowledges."""
    return tcp(
        server,
        server_port,
        client,
        client_port,
        flags=SYN | ACK,
        sequence=isn ^ 0x5A5A,
        acknowledged=(isn + 1) & 0xFFFFFFFF,
        time=time,
    )


def tcp_refusal(
    client: str = CLIENT,
    client_port: int = 40000,
    server: str = SERVER,
    server_port: int = 8080,
    *,
    isn: int = 1000,
    time: int = START + MILLISECOND,
) -> Packet:
    """The RST of a host on which nothing listens."""
    return tcp(
        server,
        server_port,
        client,
        client_port,
        flags=RST | ACK,
        acknowledged=(isn + 1) & 0xFFFFFFFF,
        time=time,
    )


def tcp_handshake(
    client: str = CLIENT,
    client_port: int = 40000,
    server: str = SERVER,
    server_port: int = 8080,
    *,
    isn: int = 1000,
    time: int = START,
) -> list[Packet]:
    """SYN, SYN-ACK and ACK, a millisecond apart."""
    ends = (client, client_port, server, server_port)
    return [
        tcp_syn(*ends, isn=isn, time=time),
        tcp_syn_ack(*ends, isn=isn, time=time + MILLISECOND),
        tcp(*ends, flags=ACK, sequence=isn + 1 & 0xFFFFFFFF, time=time + 2 * MILLISECOND),
    ]


def tcp_close(
    client: str = CLIENT,
    client_port: int = 40000,
    server: str = SERVER,
    server_port: int = 8080,
    *,
    time: int = START + SECOND,
) -> list[Packet]:
    """A FIN from each end: all that a filtered capture sees of a connection that began before it."""
    return [
        tcp(client, client_port, server, server_port, flags=FIN | ACK, time=time),
        tcp(server, server_port, client, client_port, flags=FIN | ACK, time=time + MILLISECOND),
    ]


def udp(
    source: str = CLIENT,
    source_port: int = 40000,
    destination: str = SERVER,
    destination_port: int = 8125,
    *,
    payload: bytes = b"metric:1|c",
    time: int = START,
) -> Packet:
    """One UDP datagram."""
    header = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0)
    return Packet(ip(source, destination, 17, header + payload), time=time)


def sctp(
    source: str = CLIENT,
    source_port: int = 40000,
    destination: str = SERVER,
    destination_port: int = 3868,
    *,
    chunk: int,
    verification_tag: int = 0,
    initiate_tag: int = 0,
    time: int = START,
) -> Packet:
    """One SCTP packet with one chunk: 1 INIT, 2 INIT-ACK, 0 DATA, 6 ABORT."""
    header = struct.pack(">HHII", source_port, destination_port, verification_tag, 0)
    body = header + struct.pack(">BBHI", chunk, 0, 20, initiate_tag) + bytes(12)
    return Packet(ip(source, destination, 132, body), time=time)


def dns_name(name: str) -> bytes:
    """A name on the wire, from plain dotted text."""
    labels = [label.encode("latin-1") for label in name.split(".") if label]
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def dns_message(
    name: str = "web.shop.svc.cluster.local",
    *,
    transaction: int = 0x1234,
    records: Sequence[tuple[str, int, bytes]] = (),
    response: bool = False,
    rcode: int = 0,
    kind: int = A,
) -> bytes:
    """A DNS payload with one question; records are (owner, type, data)."""
    flags = (0x8180 if response else 0x0100) | rcode
    message = struct.pack(">HHHHHH", transaction, flags, 1, len(records), 0, 0)
    message += dns_name(name) + struct.pack(">HH", kind, 1)
    for owner, number, content in records:
        message += dns_name(owner) + struct.pack(">HHIH", number, 1, 30, len(content)) + content
    return message


def dns_query(
    name: str = "web.shop.svc.cluster.local",
    *,
    client: str = CLIENT,
    client_port: int = 41000,
    server: str = DNS_SERVER,
    transaction: int = 0x1234,
    time: int = START,
) -> Packet:
    """A question for a name's IPv4 address."""
    payload = dns_message(name, transaction=transaction)
    return udp(client, client_port, server, 53, payload=payload, time=time)


def dns_answer(
    name: str = "web.shop.svc.cluster.local",
    addresses: Sequence[str] = (SERVER,),
    *,
    aliases: Mapping[str, str] | None = None,
    rcode: int = 0,
    client: str = CLIENT,
    client_port: int = 41000,
    server: str = DNS_SERVER,
    transaction: int = 0x1234,
    time: int = START + MILLISECOND,
) -> Packet:
    """An answer with all CNAMEs (owner -> target) in order, then the addresses of the last target."""
    records = [(owner, CNAME, dns_name(target)) for owner, target in (aliases or {}).items()]
    owner = list(aliases.values())[-1] if aliases else name
    for text in addresses:
        address = ipaddress.ip_address(text)
        records.append((owner, A if address.version == 4 else AAAA, address.packed))
    payload = dns_message(name, transaction=transaction, records=records, response=True, rcode=rcode)
    return udp(server, 53, client, client_port, payload=payload, time=time)


def icmp_unreachable(
    quoting: Packet, *, code: int | None = None, source: str | None = None, time: int = START + MILLISECOND
) -> Packet:
    """Destination unreachable to the sender of a packet; port unreachable unless `code` says otherwise."""
    if quoting.ip[0] >> 4 == 4:
        sender, receiver = quoting.ip[12:16], quoting.ip[16:20]
        protocol, kind, port_unreachable, quoted = 1, 3, 3, quoting.ip[:28]
    else:
        sender, receiver = quoting.ip[8:24], quoting.ip[24:40]
        protocol, kind, port_unreachable, quoted = 58, 1, 4, quoting.ip
    body = struct.pack(">BBHI", kind, port_unreachable if code is None else code, 0, 0) + quoted
    reporter = source or str(ipaddress.ip_address(receiver))
    return Packet(ip(reporter, str(ipaddress.ip_address(sender)), protocol, body), time=time)


def icmp_echo(source: str = CLIENT, destination: str = SERVER, *, time: int = START) -> Packet:
    """A ping."""
    six = ipaddress.ip_address(source).version == 6
    return Packet(
        ip(source, destination, 58 if six else 1, struct.pack(">BBHI", 128 if six else 8, 0, 0, 1)), time=time
    )
