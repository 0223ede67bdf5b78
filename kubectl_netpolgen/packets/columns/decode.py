"""The plain packets of a buffer as columns, and which of the others need a closer look.

Plain is TCP or UDP right behind an IPv4 header without options and fragments, or right behind an IPv6 header,
with or without one VLAN tag, on a link that shows each frame once. What is read of one here is what
`Tally.meet` would read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.packets.columns.keys import Keys, Words, order_ends, unmap, vlan_bits, word_of
from kubectl_netpolgen.packets.columns.walk import Offsets
from kubectl_netpolgen.packets.halves import DNS_PORTS
from kubectl_netpolgen.packets.link import (
    ETHERNET,
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    VLAN_LENGTH,
    VLAN_TAGS,
    Link,
)
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.payloads import UDP_STARTS, tcp_openings
from kubectl_netpolgen.packets.pcap import FileHeader
from kubectl_netpolgen.packets.signals import TCP_SIGNALS

Numbers = NDArray[np.int64]

_SIGNALS = np.array(TCP_SIGNALS, np.int64)
_TCP_OPENINGS = np.frombuffer(tcp_openings(), np.uint8).astype(bool)
_UDP_STARTS = np.frombuffer(UDP_STARTS, np.uint8).astype(bool)
_DNS_PORTS = tuple(np.uint64(int.from_bytes(port, "big")) for port in sorted(DNS_PORTS))
PADDING = 96
"""Zero bytes that a buffer must have behind its last record, so that no header is read beyond its end."""


class Packets(NamedTuple):
    """Plain packets, one a row, in the order of the file."""

    record: Numbers
    """The number of the packet's record in the buffer."""
    keys: Keys
    time: Numbers
    wire: Numbers
    signals: Numbers
    transport: Numbers
    """Where the transport header begins."""
    payload: Numbers
    """Where its payload begins, and where what was captured of it ends; empty when they are the same."""
    end: Numbers
    tcp: NDArray[np.bool_]
    six: NDArray[np.bool_]
    dns: NDArray[np.bool_]
    vlan: Numbers
    """-1 for none."""
    opening: NDArray[np.bool_]
    """Whether the payload may hold a name by itself."""


class Records(NamedTuple):
    """The records of a buffer."""

    start: Numbers
    stop: Numbers
    time: Numbers
    wire: Numbers


def read_records(buffer: bytes, offsets: Offsets, header: FileHeader) -> Records:
    """Times and lengths of the records at the offsets."""
    words: NDArray[Any] = np.ndarray((len(buffer) - 3,), f"{header.byte_order}u4", buffer, strides=(1,))
    time = words[offsets].astype(np.int64) * 1_000_000_000
    time += words[offsets + 4].astype(np.int64) * header.nanoseconds
    start = offsets + header.record_header
    return Records(start, start + words[offsets + 8], time, words[offsets + 12].astype(np.int64))


def decode(buffer: bytes, records: Records, link: Link) -> tuple[Packets, Numbers]:
    """The plain packets, and the numbers of the records that are something else.

    The buffer ends with `PADDING`. What lies behind a frame's end is read, and masked out by the lengths.
    """
    octets = np.frombuffer(buffer, np.uint8)
    at, kind, vlan = _find_network(buffer, records, link)
    room = records.stop - at
    at = np.minimum(at, len(buffer) - PADDING)
    # the first 16 bytes of either header: all that tells whether a packet is plain
    longs = _views(buffer, 8)
    first, second = longs[at].astype(np.uint64), longs[at + 8].astype(np.uint64)
    four = _is_plain_four(first, second, room, kind)
    six = _is_plain_six(first, room, kind)
    if link is ETHERNET:
        four &= octets[records.start] != 0xFF
    plain = np.flatnonzero(four | six)
    odd = np.flatnonzero(~(four | six))
    packets = _read_plain(
        buffer, octets, records, plain, at[plain], first[plain], second[plain], six[plain], vlan[plain]
    )
    return packets, odd


def _views(buffer: bytes, size: int) -> NDArray[Any]:
    """Every big-endian word of so many bytes, at whatever place it begins."""
    words: NDArray[Any] = np.ndarray((len(buffer) - size + 1,), f">u{size}", buffer, strides=(1,))
    return words


def _find_network(buffer: bytes, records: Records, link: Link) -> tuple[Numbers, Numbers, Numbers]:
    """Where the network layer begins behind at most one VLAN tag, its EtherType, and the VLAN or -1."""
    at = records.start + link.length
    vlan = np.full(at.size, -1, np.int64)
    if link.ethertype is None:
        version = np.frombuffer(buffer, np.uint8)[np.minimum(at, len(buffer) - 1)] >> 4
        return at, np.where(version == 4, ETHERTYPE_IPV4, np.where(version == 6, ETHERTYPE_IPV6, 0)), vlan
    shorts = _views(buffer, 2)
    kind = shorts[records.start + link.ethertype].astype(np.int64)
    tagged = np.flatnonzero(np.isin(kind, VLAN_TAGS))
    if tagged.size:
        # behind the end of the frame stands something else, which the room for a header masks out
        place = np.minimum(at[tagged], len(buffer) - PADDING)
        vlan[tagged] = shorts[place] & 0x0FFF
        kind[tagged] = shorts[place + 2]
        at[tagged] += VLAN_LENGTH
    return at, kind, vlan


def _is_plain_four(first: Words, second: Words, room: Numbers, kind: Numbers) -> NDArray[np.bool_]:
    protocol = second >> np.uint64(48) & np.uint64(0xFF)
    length = (first >> np.uint64(32) & np.uint64(0xFFFF)).astype(np.int64)
    least = np.where(protocol == TCP, 40, 28)
    plain: NDArray[np.bool_] = (
        (kind == ETHERTYPE_IPV4)
        & (first >> np.uint64(56) == 0x45)
        & (first & np.uint64(0x3FFF) == 0)
        & ((protocol == TCP) | (protocol == UDP))
        & (room >= least)
        & (length >= least)
    )
    return plain


def _is_plain_six(first: Words, room: Numbers, kind: Numbers) -> NDArray[np.bool_]:
    protocol = first >> np.uint64(8) & np.uint64(0xFF)
    length = (first >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.int64)
    least = np.where(protocol == TCP, 20, 8)
    plain: NDArray[np.bool_] = (
        (kind == ETHERTYPE_IPV6)
        & (first >> np.uint64(60) == 6)
        & ((protocol == TCP) | (protocol == UDP))
        & (room >= 40 + least)
        & (length >= least)
    )
    return plain


def _read_plain(
    buffer: bytes,
    octets: NDArray[np.uint8],
    records: Records,
    plain: Numbers,
    at: Numbers,
    first: Words,
    second: Words,
    six: NDArray[np.bool_],
    vlan: Numbers,
) -> Packets:
    shorts, longs, words = _views(buffer, 2), _views(buffer, 8), _views(buffer, 4)
    transport = at + np.where(six, 40, 20)
    protocol = np.where(six, first >> np.uint64(8), second >> np.uint64(48)) & np.uint64(0xFF)
    length = (np.where(six, first >> np.uint64(16), first >> np.uint64(32)) & np.uint64(0xFFFF)).astype(
        np.int64
    )
    end = np.minimum(np.where(six, transport, at) + length.astype(np.int64), records.stop[plain])
    source, destination = second & np.uint64(0xFFFFFFFF), words[at + 16].astype(np.uint64)
    source_high, destination_high = np.zeros(at.size, np.uint64), np.zeros(at.size, np.uint64)
    ports = words[transport].astype(np.uint64)
    word = vlan_bits(vlan) | protocol << np.uint64(32) | ports
    rows = np.flatnonzero(six)
    if rows.size:
        place = at[rows]
        source_high[rows], source[rows] = second[rows], longs[place + 16]
        destination_high[rows], destination[rows] = longs[place + 24], longs[place + 32]
        word[rows] |= np.uint64(word_of(0, six=True))
        unmap(source_high, source, destination_high, destination, word)
    tcp = protocol == TCP
    # data offset and flags stand side by side; of UDP nothing there is looked at
    control = shorts[transport + 12]
    header = np.where(tcp, (control >> 12).astype(np.int64) * 4, 8)
    payload = np.where(header >= np.where(tcp, 20, 8), transport + header, end)
    payload = np.minimum(payload, end)
    filled = payload < end
    dns = np.zeros(at.size, bool)
    for port in _DNS_PORTS:
        dns |= (ports >> np.uint64(16) == port) | (ports & np.uint64(0xFFFF) == port)
    begin = np.where(filled, payload, 0)
    opening = filled & (dns | np.where(tcp, _TCP_OPENINGS[shorts[begin]], _UDP_STARTS[octets[begin]]))
    return Packets(
        record=plain,
        keys=order_ends(source_high, source, destination_high, destination, word),
        time=records.time[plain],
        wire=records.wire[plain],
        signals=np.where(tcp, _SIGNALS[control & 0xFF], 0),
        transport=transport,
        payload=payload,
        end=end,
        tcp=tcp,
        six=six,
        dns=dns,
        opening=opening,
        vlan=vlan,
    )


def initial_numbers(buffer: bytes, packets: Packets, rows: Numbers, *, acknowledged: bool) -> Words:
    """The client's initial sequence numbers in SYNs, or in the SYN-ACKs that acknowledge them."""
    words = _views(buffer, 4)
    place = packets.transport[rows] + (8 if acknowledged else 4)
    numbers = words[place].astype(np.uint64)
    return (numbers - np.uint64(1)) & np.uint64(0xFFFFFFFF) if acknowledged else numbers
