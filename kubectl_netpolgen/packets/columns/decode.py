"""The plain packets of a buffer as columns, and which of the others need a closer look.

Plain is TCP or UDP right behind an IPv4 header without options and fragments, or right behind an IPv6 header,
on a link that shows each frame once. What is read of one here is what `Tally.meet` would read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kubectl_netpolgen.packets.columns.keys import Keys, Words, order_ends, unmap, word_of
from kubectl_netpolgen.packets.columns.walk import Offsets
from kubectl_netpolgen.packets.halves import DNS_PORTS
from kubectl_netpolgen.packets.link import ETHERNET, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Link
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.payloads import UDP_STARTS, tcp_openings
from kubectl_netpolgen.packets.pcap import FileHeader
from kubectl_netpolgen.packets.signals import TCP_SIGNALS

Numbers = NDArray[np.int64]

_SIGNALS = np.array(TCP_SIGNALS, np.int64)
_TCP_OPENINGS = np.frombuffer(tcp_openings(), np.uint8).astype(bool)
_UDP_STARTS = np.frombuffer(UDP_STARTS, np.uint8).astype(bool)
_DNS_PORTS = np.array(sorted(int.from_bytes(port, "big") for port in DNS_PORTS), np.uint64)
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
    words = np.ndarray((len(buffer) - 3,), f"{header.byte_order}u4", buffer, strides=(1,))
    time = words[offsets].astype(np.int64) * 1_000_000_000
    time += words[offsets + 4].astype(np.int64) * header.nanoseconds
    start = offsets + header.record_header
    return Records(start, start + words[offsets + 8], time, words[offsets + 12].astype(np.int64))


def decode(buffer: bytes, records: Records, link: Link) -> tuple[Packets, Numbers]:
    """The plain packets, and the numbers of the records that are something else.

    The buffer ends with `PADDING`. What lies behind a frame's end is read, and masked out by the lengths.
    """
    octets = np.frombuffer(buffer, np.uint8)
    at = records.start + link.length
    near = np.minimum(at, len(buffer) - PADDING)
    room = records.stop - at
    kind = _kinds(buffer, octets, records, near, link)
    four = _plain_four(buffer, octets, records, near, room, kind, link)
    six = _plain_six(buffer, octets, near, room, kind)
    plain = np.concatenate((np.flatnonzero(four), np.flatnonzero(six)))
    plain.sort(kind="stable")
    odd = np.flatnonzero(~(four | six))
    return _read_plain(buffer, octets, records, near, plain, six[plain]), odd


def _views(buffer: bytes, size: int) -> NDArray[Any]:
    """Every big-endian word of so many bytes, at whatever place it begins."""
    words: NDArray[Any] = np.ndarray((len(buffer) - size + 1,), f">u{size}", buffer, strides=(1,))
    return words


def _kinds(buffer: bytes, octets: NDArray[np.uint8], records: Records, near: Numbers, link: Link) -> Numbers:
    if link.ethertype is not None:
        return _views(buffer, 2)[records.start + link.ethertype].astype(np.int64)
    version = octets[near] >> 4
    return np.where(version == 4, ETHERTYPE_IPV4, np.where(version == 6, ETHERTYPE_IPV6, 0))


def _plain_four(
    buffer: bytes,
    octets: NDArray[np.uint8],
    records: Records,
    near: Numbers,
    room: Numbers,
    kind: Numbers,
    link: Link,
) -> NDArray[np.bool_]:
    protocol = octets[near + 9]
    length = _views(buffer, 2)[near + 2]
    least = np.where(protocol == TCP, 40, 28)
    plain: NDArray[np.bool_] = (
        (kind == ETHERTYPE_IPV4)
        & (room >= least)
        & (length >= least)
        & (octets[near] == 0x45)
        & (_views(buffer, 2)[near + 6] & 0x3FFF == 0)
        & ((protocol == TCP) | (protocol == UDP))
    )
    if link is ETHERNET:
        plain &= octets[records.start] != 0xFF
    return plain


def _plain_six(
    buffer: bytes, octets: NDArray[np.uint8], near: Numbers, room: Numbers, kind: Numbers
) -> NDArray[np.bool_]:
    protocol = octets[near + 6]
    least = np.where(protocol == TCP, 20, 8)
    plain: NDArray[np.bool_] = (
        (kind == ETHERTYPE_IPV6)
        & (room >= 40 + least)
        & (_views(buffer, 2)[near + 4] >= least)
        & (octets[near] >> 4 == 6)
        & ((protocol == TCP) | (protocol == UDP))
    )
    return plain


def _read_plain(
    buffer: bytes,
    octets: NDArray[np.uint8],
    records: Records,
    near: Numbers,
    plain: Numbers,
    six: NDArray[np.bool_],
) -> Packets:
    at, stop = near[plain], records.stop[plain]
    shorts, longs, words = _views(buffer, 2), _views(buffer, 8), _views(buffer, 4)
    protocol = octets[at + np.where(six, 6, 9)].astype(np.uint64)
    transport = at + np.where(six, 40, 20)
    length = shorts[at + np.where(six, 4, 2)].astype(np.int64)
    end = np.minimum(np.where(six, transport + length, at + length), stop)
    source, destination = words[at + 12].astype(np.uint64), words[at + 16].astype(np.uint64)
    source_high, destination_high = np.zeros(at.size, np.uint64), np.zeros(at.size, np.uint64)
    rows = np.flatnonzero(six)
    if rows.size:
        # only these have 40 bytes of header before the end of the buffer
        place = at[rows]
        source_high[rows], source[rows] = longs[place + 8], longs[place + 16]
        destination_high[rows], destination[rows] = longs[place + 24], longs[place + 32]
    ports = words[transport].astype(np.uint64)
    family = np.where(six, np.uint64(word_of(0, six=True)), np.uint64(0))
    word = family | protocol << np.uint64(32) | ports
    if rows.size:
        unmap(source_high, source, destination_high, destination, word)
    tcp = protocol == TCP
    flags = octets[np.where(tcp, transport + 13, 0)]
    header = np.where(tcp, (octets[np.where(tcp, transport + 12, 0)] >> 4).astype(np.int64) * 4, 8)
    payload = np.where(header >= np.where(tcp, 20, 8), transport + header, end)
    payload = np.minimum(payload, end)
    filled = payload < end
    dns = np.isin(ports >> np.uint64(16), _DNS_PORTS) | np.isin(ports & np.uint64(0xFFFF), _DNS_PORTS)
    first = np.where(filled, payload, 0)
    opening = filled & (dns | (tcp & _TCP_OPENINGS[shorts[first]]) | (~tcp & _UDP_STARTS[octets[first]]))
    return Packets(
        record=plain,
        keys=order_ends(source_high, source, destination_high, destination, word),
        time=records.time[plain],
        wire=records.wire[plain],
        signals=np.where(tcp, _SIGNALS[flags], 0),
        transport=transport,
        payload=payload,
        end=end,
        tcp=tcp,
        six=six,
        dns=dns,
        opening=opening,
    )


def initial_numbers(buffer: bytes, packets: Packets, rows: Numbers, *, acknowledged: bool) -> Words:
    """The client's initial sequence numbers in SYNs, or in the SYN-ACKs that acknowledge them."""
    words = _views(buffer, 4)
    place = packets.transport[rows] + (8 if acknowledged else 4)
    numbers = words[place].astype(np.uint64)
    return (numbers - np.uint64(1)) & np.uint64(0xFFFFFFFF) if acknowledged else numbers
