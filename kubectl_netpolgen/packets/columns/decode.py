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
_DNS_PORTS = np.zeros(1 << 16, bool)
_DNS_PORTS[[int.from_bytes(port, "big") for port in DNS_PORTS]] = True
_RECORD = 16
_BEFORE, _HEADERS = 16, 80
"""Bytes before the network header, where every frame has its record's header at least, and bytes in all."""
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
    heads = _gather(buffer, offsets, _RECORD).view(f"{header.byte_order}u4").reshape(-1, _RECORD // 4)
    time = heads[:, 0].astype(np.int64) * 1_000_000_000
    time += heads[:, 1].astype(np.int64) * header.nanoseconds
    start = offsets + header.record_header
    return Records(start, start + heads[:, 2], time, heads[:, 3].astype(np.int64))


def decode(buffer: bytes, records: Records, link: Link) -> tuple[Packets, Numbers]:
    """The plain packets, and the numbers of the records that are something else.

    The buffer ends with `PADDING`. What lies behind a frame's end is read, and masked out by the lengths.
    """
    octets = np.frombuffer(buffer, np.uint8)
    headers, at, kind, vlan = _find_network(buffer, records, link)
    room = records.stop - at
    first, second = headers.longs(0), headers.longs(8)
    four = _is_plain_four(first, second, room, kind)
    six = _is_plain_six(first, room, kind)
    if link is ETHERNET:
        four &= octets[records.start] != 0xFF
    either = four | six
    plain, odd = np.flatnonzero(either), np.flatnonzero(~either)
    if odd.size:
        at, vlan, first, second, six = at[plain], vlan[plain], first[plain], second[plain], six[plain]
        headers = headers.keep(plain)
    return _read_plain(octets, records, plain, headers, at, first, second, six, vlan), odd


def _gather(buffer: bytes, places: Numbers, size: int) -> NDArray[Any]:
    """So many bytes at each place, side by side: one such look costs no more than one at a single number."""
    stretches: NDArray[Any] = np.ndarray((len(buffer) - size + 1,), f"V{size}", buffer, strides=(1,))
    return stretches[places]


class _Headers:
    """What lies from 16 bytes before the network header of each packet on, in rows of 80 bytes."""

    def __init__(self, content: NDArray[Any]) -> None:
        self._content = content

    def keep(self, rows: Numbers) -> _Headers:
        """Some of the rows."""
        return _Headers(self._content[rows])

    def longs(self, at: int) -> Words:
        """Eight bytes at an offset, a multiple of eight, in every network header."""
        return self._column(">u8", at).astype(np.uint64)

    def words(self, at: int) -> Words:
        """Four bytes at a multiple of four."""
        return self._column(">u4", at).astype(np.uint64)

    def shorts(self, at: int) -> Numbers:
        """Two bytes at an even offset, which may be before the header."""
        return self._column(">u2", at).astype(np.int64)

    def _column(self, kind: str, at: int) -> NDArray[Any]:
        table = self._content.view(kind)
        width = table.dtype.itemsize
        column: NDArray[Any] = table.reshape(-1, _HEADERS // width)[:, (_BEFORE + at) // width]
        return column


def _find_network(buffer: bytes, records: Records, link: Link) -> tuple[_Headers, Numbers, Numbers, Numbers]:
    """The headers, where they begin behind at most one VLAN tag, their EtherType, and the VLAN or -1."""
    at = records.start + link.length
    vlan = np.full(at.size, -1, np.int64)
    # behind the end of a frame stands something else, which the room for a header masks out
    furthest = len(buffer) - PADDING
    content = _gather(buffer, np.minimum(at, furthest) - _BEFORE, _HEADERS)
    headers = _Headers(content)
    if link.ethertype is None:
        version = headers.shorts(0) >> 12
        return (
            headers,
            at,
            np.where(version == 4, ETHERTYPE_IPV4, np.where(version == 6, ETHERTYPE_IPV6, 0)),
            vlan,
        )
    kind = headers.shorts(link.ethertype - link.length)
    other = np.flatnonzero((kind != ETHERTYPE_IPV4) & (kind != ETHERTYPE_IPV6))
    tagged = other[np.isin(kind[other], VLAN_TAGS)]
    if tagged.size:
        vlan[tagged] = headers.shorts(0)[tagged] & 0x0FFF
        kind[tagged] = headers.shorts(2)[tagged]
        at[tagged] += VLAN_LENGTH
        content[tagged] = _gather(buffer, np.minimum(at[tagged], furthest) - _BEFORE, _HEADERS)
    return headers, at, kind, vlan


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
    octets: NDArray[np.uint8],
    records: Records,
    plain: Numbers,
    headers: _Headers,
    at: Numbers,
    first: Words,
    second: Words,
    six: NDArray[np.bool_],
    vlan: Numbers,
) -> Packets:
    rows = np.flatnonzero(six)
    source_high, destination_high = np.zeros(at.size, np.uint64), np.zeros(at.size, np.uint64)
    source, destination = second & np.uint64(0xFFFFFFFF), headers.words(16)
    protocol = second >> np.uint64(48) & np.uint64(0xFF)
    length = (first >> np.uint64(32) & np.uint64(0xFFFF)).astype(np.int64)
    ports, control = headers.words(20), headers.shorts(32)
    transport, end = at + 20, at + length
    if rows.size:
        longer = headers.keep(rows)
        ports[rows], control[rows] = longer.words(40), longer.shorts(52)
        protocol[rows] = first[rows] >> np.uint64(8) & np.uint64(0xFF)
        transport[rows] += 20
        end[rows] = transport[rows] + (first[rows] >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.int64)
    word = vlan_bits(vlan) | protocol << np.uint64(32) | ports
    if rows.size:
        source_high[rows], source[rows] = second[rows], longer.longs(16)
        destination_high[rows], destination[rows] = longer.longs(24), longer.longs(32)
        word[rows] |= np.uint64(word_of(0, six=True))
        unmap(source_high, source, destination_high, destination, word)
    end = np.minimum(end, records.stop[plain])
    tcp = protocol == TCP
    # data offset and flags stand side by side; of UDP nothing there is looked at
    header = np.where(tcp, control >> 12 << 2, 8)
    payload = np.where(header >= np.where(tcp, 20, 8), transport + header, end)
    payload = np.minimum(payload, end)
    filled = payload < end
    dns = _DNS_PORTS[ports >> np.uint64(16)] | _DNS_PORTS[ports & np.uint64(0xFFFF)]
    begin = np.where(filled, payload, 0)
    begins = octets[begin]
    pair = begins.astype(np.int64) << 8 | octets[begin + 1]
    opening = filled & (dns | np.where(tcp, _TCP_OPENINGS[pair], _UDP_STARTS[begins]))
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
    place = packets.transport[rows] + (8 if acknowledged else 4)
    numbers = _gather(buffer, place, 4).view(">u4").astype(np.uint64)
    return (numbers - np.uint64(1)) & np.uint64(0xFFFFFFFF) if acknowledged else numbers
