"""Headers as numpy dtypes of big-endian fields, so that many are written like a table."""

from __future__ import annotations

from bench.files import Fields, Framing
from bench.packets import Shape

IPV4: Fields = [
    ("version", "u1"),
    ("service", "u1"),
    ("length", ">u2"),
    ("id", ">u2"),
    ("fragment", ">u2"),
    ("ttl", "u1"),
]
IPV4 += [("protocol", "u1"), ("checksum", ">u2"), ("source", "4u1"), ("destination", "4u1")]
IPV6: Fields = [("version", ">u4"), ("length", ">u2"), ("protocol", "u1"), ("ttl", "u1")]
IPV6 += [("source", "16u1"), ("destination", "16u1")]
TCP: Fields = [
    ("from", ">u2"),
    ("to", ">u2"),
    ("sequence", ">u4"),
    ("acknowledged", ">u4"),
    ("offset", "u1"),
    ("flags", "u1"),
]
TCP += [("window", ">u2"), ("checksum", ">u2"), ("urgent", ">u2")]
STAMPS: Fields = [("nops", ">u2"), ("stamp_kind", ">u2"), ("stamp", ">u4"), ("echo", ">u4")]
SYN_OPTIONS: Fields = [
    ("mss", ">u4"),
    ("sack", ">u2"),
    ("stamp_kind", ">u2"),
    ("stamp", ">u4"),
    ("echo", ">u4"),
]
SYN_OPTIONS += [("scale", ">u4")]
HELLO: Fields = [("opening", "11u1"), ("random", "32u1"), ("session_length", "u1"), ("session", "32u1")]
RECORD: Fields = [("content", "u1"), ("version", ">u2"), ("size", ">u2")]
UDP: Fields = [("from", ">u2"), ("to", ">u2"), ("udp_length", ">u2"), ("checksum", ">u2")]
ICMP: Fields = [
    ("type", "u1"),
    ("code", "u1"),
    ("checksum", ">u2"),
    ("identifier", ">u2"),
    ("sequence", ">u2"),
]
ARP: Fields = [
    ("hardware", ">u2"),
    ("protocol", ">u2"),
    ("sizes", ">u2"),
    ("operation", ">u2"),
    ("sender_mac", "6u1"),
]
ARP += [("sender", "4u1"), ("target_mac", "6u1"), ("target", "4u1")]

ABOVE_IP: dict[Shape, Fields] = {
    Shape.SEGMENT: TCP + STAMPS,
    Shape.OPENING: TCP + SYN_OPTIONS,
    Shape.HELLO: TCP + STAMPS + HELLO,
    Shape.RECORD: TCP + STAMPS + RECORD,
    Shape.DATAGRAM: UDP,
    Shape.LOOKUP: [*UDP, ("id", ">u2")],
    Shape.FRAGMENT: [],
    Shape.ECHO: ICMP,
    Shape.ARP: ARP,
}

LINKS: dict[Framing, Fields] = {
    Framing.ETHERNET: [("destination", "6u1"), ("source", "6u1"), ("ethertype", ">u2")],
    Framing.SLL: [
        ("type", ">u2"),
        ("hardware", ">u2"),
        ("size", ">u2"),
        ("address", "8u1"),
        ("ethertype", ">u2"),
    ],
    Framing.SLL2: [
        ("ethertype", ">u2"),
        ("reserved", ">u2"),
        ("interface", ">u4"),
        ("hardware", ">u2"),
        ("type", "u1"),
        ("size", "u1"),
        ("address", "8u1"),
    ],
    Framing.RAW: [],
}
VLAN: Fields = [("tag", ">u2"), ("inner", ">u2")]
