"""From columns to frames: headers written for all packets of one layout at a time.

Checksums are zero, as in captures of a host with checksum offload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.exchanges import Exchanges, Kind
from bench.files import FileFormat, Table
from bench.hosts import Hosts, Integers
from bench.layouts import ABOVE_IP, IPV4, IPV6, LINKS, VLAN
from bench.packets import FRAGMENT_END, LATER_FRAGMENT_OFFSET, Packets, Shape
from bench.payloads import Place, Pool

PROTOCOLS = {Shape.DATAGRAM: 17, Shape.LOOKUP: 17, Shape.FRAGMENT: 17, Shape.ECHO: 1}
ICMPV6 = 58
VLAN_ID = 100
FROM_US = 4
"""The packet type of a packet that this host sends; 0 is one for it."""


@dataclass(frozen=True)
class Slice:
    """What the frames of a slice are made of."""

    hosts: Hosts
    pool: Pool
    exchanges: Exchanges
    packets: Packets
    format: FileFormat
    randomness: np.random.Generator
    """For the random fields of ClientHellos."""


def frame(made: Slice) -> tuple[list[bytes], Integers]:
    """The records of all packets of a slice in the packets' order, and the frames' lengths on the wire."""
    packets, exchanges = made.packets, made.exchanges
    of = packets.exchange
    layouts = packets.shape * 4 + exchanges.tagged[of] * 2 + exchanges.ipv6[of]
    records: list[bytes] = [b""] * len(of)
    lengths = np.zeros(len(of), np.int64)
    for layout in np.unique(layouts).tolist():
        rows = np.flatnonzero(layouts == layout)
        headers = laid_out(
            made.format, Shape(layout // 4), len(rows), tagged=bool(layout & 2), ipv6=bool(layout & 1)
        )
        write_link(made, rows, headers)
        if "ip" in fields_of(headers):
            write_ip(made, rows, headers, Shape(layout // 4))
        WRITERS[Shape(layout // 4)](made, rows, headers["above"])
        payload = Place(packets.payload.start[rows], packets.payload.length[rows])
        lengths[rows] = headers.dtype.itemsize - headers["record"].dtype.itemsize + payload.length
        made.format.stamp(headers["record"], packets.time[rows], lengths[rows])
        for row, record in zip(
            rows.tolist(), made.format.records(headers, payload, made.pool.octets), strict=True
        ):
            records[row] = record
    return records, lengths


def laid_out(file: FileFormat, shape: Shape, rows: int, *, tagged: bool, ipv6: bool) -> Table:
    """An empty table of the headers of a layout."""
    parts = [("record", file.fields), ("link", LINKS[file.framing])]
    if tagged:
        parts.append(("vlan", VLAN))
    if shape is not Shape.ARP:
        parts.append(("ip", IPV6 if ipv6 else IPV4))
    parts.append(("above", ABOVE_IP[shape]))
    return np.zeros(rows, np.dtype(parts))


def fields_of(table: Table) -> tuple[str, ...]:
    """The names of a table's columns."""
    return table.dtype.names or ()


def write_link(made: Slice, rows: Integers, headers: Table) -> None:
    """The link header, and the VLAN tag when there is one."""
    link, of, back = headers["link"], made.packets.exchange[rows], made.packets.back[rows]
    kind, ipv6 = made.exchanges.kind[of], made.exchanges.ipv6[of]
    ethertype = np.where(kind == Kind.ARP, 0x0806, np.where(ipv6, 0x86DD, 0x0800))
    names = fields_of(link)
    if "destination" in names:
        client, server = 0x10 + made.exchanges.client[of], 0x60 + made.exchanges.server[of]
        link["source"][:, 0] = link["destination"][:, 0] = 2
        link["source"][:, 5] = np.where(back, server, client)
        link["destination"][:, 5] = np.where(back, client, server)
    if "type" in names:
        link["type"], link["hardware"], link["size"] = np.where(back, 0, FROM_US), 1, 6
    if "interface" in names:
        link["interface"] = 3
    if "vlan" in fields_of(headers):
        headers["vlan"]["tag"], headers["vlan"]["inner"] = VLAN_ID, ethertype
        ethertype = np.full(len(rows), 0x8100)
    if "ethertype" in names:
        link["ethertype"] = ethertype


def write_ip(made: Slice, rows: Integers, headers: Table, shape: Shape) -> None:
    """The IP header; fragments share their identifier."""
    ip, of, back = headers["ip"], made.packets.exchange[rows], made.packets.back[rows]
    inside = headers["above"].dtype.itemsize + made.packets.payload.length[rows]
    ipv6 = "service" not in fields_of(ip)
    hosts = made.hosts
    client = (hosts.clients6 if ipv6 else hosts.clients4)[made.exchanges.client[of]]
    server = (hosts.servers6 if ipv6 else hosts.servers4)[made.exchanges.server[of]]
    ip["source"] = np.where(back[:, None], server, client)
    ip["destination"] = np.where(back[:, None], client, server)
    ip["ttl"] = 64
    protocol = PROTOCOLS.get(shape, 6)
    if ipv6:
        ip["version"], ip["length"] = 0x60000000, inside
        ip["protocol"] = ICMPV6 if shape is Shape.ECHO else protocol
        return
    step, fragmented = made.packets.step[rows], made.exchanges.fragmented[of]
    later = np.full(len(rows), shape is Shape.FRAGMENT)
    opens = fragmented & (step == 1) & (shape is Shape.DATAGRAM)
    ip["version"], ip["length"], ip["protocol"] = 0x45, 20 + inside, protocol
    ip["id"] = (made.exchanges.number[of] * 7 + step - later) & 0xFFFF
    ip["fragment"] = np.where(opens, 0x2000, np.where(later, LATER_FRAGMENT_OFFSET // 8, 0x4000))


def write_tcp(made: Slice, rows: Integers, above: Table) -> None:
    """TCP with its options, and the changing part of a ClientHello."""
    packets, of = made.packets, made.packets.exchange[rows]
    write_ports(made, rows, above)
    above["sequence"], above["acknowledged"] = packets.sequence[rows], packets.acknowledged[rows]
    above["flags"], above["window"] = packets.flags[rows], 502
    opening = "mss" in fields_of(above)
    above["offset"] = 0xA0 if opening else 0x80
    above["stamp_kind"], above["stamp"] = 0x080A, packets.time[rows] // 1_000_000
    if opening:
        above["mss"], above["sack"], above["scale"] = 0x020405B4, 0x0402, 0x01030307
        return
    above["nops"] = 0x0101
    if "content" in fields_of(above):
        above["content"], above["version"], above["size"] = 23, 0x0303, packets.payload.length[rows]
    if "opening" in fields_of(above):
        peer, variant = made.exchanges.peer[of], made.exchanges.variant[of]
        above["opening"] = made.pool.hello_openings[peer, variant]
        above["session_length"] = 32
        above["random"] = made.randomness.integers(0, 256, (len(rows), 32), dtype=np.uint8)
        above["session"] = made.randomness.integers(0, 256, (len(rows), 32), dtype=np.uint8)


def write_udp(made: Slice, rows: Integers, above: Table) -> None:
    """UDP, and the identifier of a DNS message, which the answer repeats."""
    write_ports(made, rows, above)
    of, step = made.packets.exchange[rows], made.packets.step[rows]
    cut = made.exchanges.fragmented[of] & (step == 1)
    above["udp_length"] = (
        above.dtype.itemsize + made.packets.payload.length[rows] + np.where(cut, FRAGMENT_END, 0)
    )
    if "id" in fields_of(above):
        above["id"] = (made.exchanges.number[of] * 40_503 + step % 2 * 77) & 0xFFFF


def write_ports(made: Slice, rows: Integers, above: Table) -> None:
    """The ports, turned round for packets of the server."""
    of, back = made.packets.exchange[rows], made.packets.back[rows]
    client, server = made.exchanges.client_port[of], made.exchanges.server_port[of]
    above["from"], above["to"] = np.where(back, server, client), np.where(back, client, server)


def write_nothing(made: Slice, rows: Integers, above: Table) -> None:
    """A later fragment holds no header but IP's."""


def write_icmp(made: Slice, rows: Integers, above: Table) -> None:
    """An echo request or reply (RFC 792, RFC 4443)."""
    of, back = made.packets.exchange[rows], made.packets.back[rows]
    ipv6 = made.exchanges.ipv6[of]
    above["type"] = np.where(ipv6, np.where(back, 129, 128), np.where(back, 0, 8))
    above["identifier"] = made.exchanges.number[of] & 0xFFFF


def write_arp(made: Slice, rows: Integers, above: Table) -> None:
    """A client asks who has a server's address (RFC 826)."""
    of = made.packets.exchange[rows]
    above["hardware"], above["protocol"], above["sizes"], above["operation"] = 1, 0x0800, 0x0604, 1
    above["sender"] = made.hosts.clients4[made.exchanges.client[of]]
    above["target"] = made.hosts.servers4[made.exchanges.server[of]]


WRITERS: dict[Shape, Callable[[Slice, Integers, Table], None]] = {
    Shape.SEGMENT: write_tcp,
    Shape.OPENING: write_tcp,
    Shape.HELLO: write_tcp,
    Shape.RECORD: write_tcp,
    Shape.DATAGRAM: write_udp,
    Shape.LOOKUP: write_udp,
    Shape.FRAGMENT: write_nothing,
    Shape.ECHO: write_icmp,
    Shape.ARP: write_arp,
}
