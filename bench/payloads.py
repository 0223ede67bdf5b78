"""What the packets of a made capture carry: HTTP, TLS and DNS that a reader of names must understand.

All of it lies in one pool of bytes; a packet is a start and a length in it. Starts and lengths are tables,
indexed by columns of servers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from bench.hosts import OUTSIDE, SERVERS, Hosts, Integers, Octets

MTU_PAYLOAD = 1448
"""What a TCP segment with time stamps holds on Ethernet."""
NOISE = 1 << 18
GRO_PAYLOAD = 14_480
HELLO_PREFIX = 76
"""Record, handshake and version fields, then the random and the session identifier, new each time."""
REQUESTS, ANSWERS, HELLOS = 4, 5, 3
SEARCH_MISS = 0
"""The answer variant that says NXDOMAIN to a name with a search domain; the others differ in their TTL."""
CLASSIC, NAME_FIRST, NAME_LAST = range(HELLOS)
"""Without and with a post-quantum key share: that needs two segments, and the name is in either."""


@dataclass(frozen=True)
class Place:
    """Where in the pool things are; both arrays have the same shape."""

    start: Integers
    length: Integers


@dataclass(frozen=True)
class Pool:
    """The bytes and the tables into them."""

    octets: bytes
    requests: Place
    """Server, variant."""
    hello_openings: Octets
    """Server, variant: the first 11 bytes of a ClientHello."""
    hellos: Place
    """Server, variant: the first segment behind the prefix."""
    hello_ends: Place
    """Server, variant: the second segment; length 0 for a classic one."""
    questions: Place
    """Server, variant, A or AAAA: without the identifier."""
    answers: Place
    server_hello: Place
    noise: int
    text: int


class Shelf:
    """Collects bytes and says where they went."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def put(self, octets: bytes) -> int:
        """Keep the bytes; their start."""
        start = self.size
        self.parts.append(octets)
        self.size += len(octets)
        return start

    def table(self, rows: list[bytes], *shape: int) -> Place:
        """Keep each of the rows, as a table of this shape."""
        starts = [self.put(row) for row in rows]
        lengths = [len(row) for row in rows]
        return Place(np.array(starts, np.int64).reshape(shape), np.array(lengths, np.int64).reshape(shape))


def labels(name: str) -> bytes:
    """A name as DNS writes it (RFC 1035, 3.1)."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def question(name: str, rrtype: int) -> bytes:
    """A DNS query without its identifier."""
    return struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + labels(name) + struct.pack(">HH", rrtype, 1)


def answer(name: str, rrtype: int, address: bytes, ttl: int, *, aliased: bool) -> bytes:
    """The answer, for aliased names through a CNAME, without its identifier."""
    asked = labels(name) + struct.pack(">HH", rrtype, 1)
    owner, alias = b"\xc0\x0c", b""
    if aliased:
        target = labels("edge." + name)
        alias = owner + struct.pack(">HHIH", 5, 1, ttl, len(target)) + target
        owner = struct.pack(">H", 0xC000 | (12 + len(asked) + 12))
    record = owner + struct.pack(">HHIH", rrtype, 1, ttl, len(address)) + address
    return struct.pack(">HHHHH", 0x8180, 1, 1 + aliased, 0, 0) + asked + alias + record


def no_such_name(name: str, rrtype: int) -> bytes:
    """NXDOMAIN, without its identifier."""
    return struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0) + labels(name) + struct.pack(">HH", rrtype, 1)


def client_hello(name: str, variant: int) -> bytes:
    """A ClientHello (RFC 8446, 4.1.2) with the name; with X25519MLKEM768 it is longer than a segment."""
    host = name.encode()
    server_name = struct.pack(">HHHBH", 0, len(host) + 5, len(host) + 3, 0, len(host)) + host
    groups = struct.pack(">HHH4H", 10, 10, 8, 0x11EC, 29, 23, 24)
    protocols = struct.pack(">HHH", 16, 14, 12) + b"\x02h2\x08http/1.1"
    versions = struct.pack(">HHB", 43, 5, 4) + b"\x03\x04\x03\x03"
    signatures = struct.pack(">HHH", 13, 10, 8) + b"\x04\x03\x08\x04\x04\x01\x05\x03"
    shares = struct.pack(">HH", 29, 32) + bytes(range(32))
    if variant != CLASSIC:
        shares = struct.pack(">HH", 0x11EC, 1216) + bytes(i * 7 & 255 for i in range(1216)) + shares
        shares += (
            struct.pack(">HH", 23, 65) + bytes(range(65)) + struct.pack(">HH", 24, 97) + bytes(range(97))
        )
    key_shares = struct.pack(">HHH", 51, len(shares) + 2, len(shares)) + shares
    order = [groups, protocols, versions, signatures, key_shares]
    order.insert(len(order) if variant == NAME_LAST else 0, server_name)
    extensions = b"".join(order)
    suites = b"\x13\x01\x13\x02\x13\x03"
    body = b"\x03\x03" + bytes(32) + b"\x20" + bytes(32) + struct.pack(">H", len(suites)) + suites
    body += b"\x01\x00" + struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def the_pool(hosts: Hosts, seed: int) -> Pool:
    """Everything that packets of this seed's captures carry."""
    shelf = Shelf()
    noise = np.random.default_rng([seed, 1]).integers(0, 256, NOISE + GRO_PAYLOAD, dtype=np.uint8).tobytes()
    rows = b"".join(b'{"id": %d, "name": "item-%d", "stock": %d}, ' % (i, i * 7, i % 13) for i in range(7000))
    hellos = [client_hello(name, variant) for name in hosts.names for variant in range(HELLOS)]
    requests = [
        f"GET /v1/items/{page}?page={i} HTTP/1.1\r\nHost: {name}\r\n"
        "User-Agent: curl/8.5\r\nAccept: */*\r\n\r\n"
        for i, name in enumerate(hosts.names)
        for page in range(REQUESTS)
    ]
    questions, answers = [], []
    for server, name in enumerate(hosts.names):
        missed = name + ".shop.svc.cluster.local"
        for variant in range(ANSWERS):
            for rrtype, addresses in ((1, hosts.servers4), (28, hosts.servers6)):
                if variant == SEARCH_MISS:
                    questions.append(question(missed, rrtype))
                    answers.append(no_such_name(missed, rrtype))
                    continue
                aliased = server >= SERVERS - OUTSIDE
                questions.append(question(name, rrtype))
                answers.append(
                    answer(name, rrtype, addresses[server].tobytes(), 5 * variant, aliased=aliased)
                )
    openings = np.frombuffer(b"".join(hello[:11] for hello in hellos), np.uint8)
    server_hello = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + noise[:116]
    server_hello += b"\x17\x03\x03\x04\x00" + noise[200 : 200 + 1024]
    return Pool(
        requests=shelf.table([text.encode() for text in requests], SERVERS, REQUESTS),
        hello_openings=openings.reshape(SERVERS, HELLOS, 11),
        hellos=shelf.table([hello[HELLO_PREFIX:MTU_PAYLOAD] for hello in hellos], SERVERS, HELLOS),
        hello_ends=shelf.table([hello[MTU_PAYLOAD:] for hello in hellos], SERVERS, HELLOS),
        questions=shelf.table(questions, SERVERS, ANSWERS, 2),
        answers=shelf.table(answers, SERVERS, ANSWERS, 2),
        server_hello=shelf.table([server_hello], 1),
        noise=shelf.put(noise),
        text=shelf.put(rows[: NOISE + GRO_PAYLOAD]),
        octets=b"".join(shelf.parts),
    )
