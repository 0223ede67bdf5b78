"""The quick way of the standard library: a classic capture of Ethernet, where nearly all packets are plain.

Plain is TCP or UDP right behind an IPv4 header without options and fragments, or right behind an IPv6
header. The loop runs a million times a file and calls nothing that it need not; all other packets go to
`Tally.meet`, and what is counted here is what that would count.
"""

from __future__ import annotations

import struct

from kubectl_netpolgen.packets.counting import Frame, Tally, note_handshake
from kubectl_netpolgen.packets.halves import LISTENED, begin_half
from kubectl_netpolgen.packets.http import METHOD_PAIRS
from kubectl_netpolgen.packets.link import ETHERNET, ETHERTYPE_IPV4, ETHERTYPE_IPV6
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.payloads import REQUEST_STARTS, UDP_STARTS
from kubectl_netpolgen.packets.pcap import LONGEST_FRAME, RECORD_HEADER_LENGTH, FileHeader, Stretch
from kubectl_netpolgen.packets.signals import HANDSHAKE, TCP_SIGNALS
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tls import CLIENT_HELLO
from kubectl_netpolgen.packets.tls import HANDSHAKE as TLS_HANDSHAKE

# a record's header, Ethernet's first byte and type; IPv4's version and length, the two octets of its total
# length, fragment bits, protocol; addresses and ports; the octets of TCP's data offset and flags
_FOUR = "IIII{more}xB11xHBxBB2xHxB2x12s8xBB"
# IPv6's version, payload length, next header; addresses and ports; the same of TCP
_SIX = struct.Struct(">14xB3xHBx36s8xBB")
_SHORTEST_FOUR, _SHORTEST_SIX = 48, _SIX.size
_FOUR_PORTS, _SIX_PORTS = 34, 54
_KIND = 5
"""Where in a TLS record the kind of message stands."""
PADDING = 64
"""Bytes behind a stretch that may be looked at."""


def count_plain(tally: Tally, stretch: Stretch, header: FileHeader, number: int) -> tuple[int, int]:
    """Count the whole records of a stretch; the first has that number. `PADDING` lies behind the stretch.

    Returns how many there were, and where the first that was not counted begins: one that is not whole, or
    claims more than any capture holds, or the first behind the stretch.
    """
    order, ahead, unit = header.byte_order, header.record_header, header.nanoseconds
    unpack = struct.Struct(order + _FOUR.format(more=ahead - RECORD_HEADER_LENGTH)).unpack_from
    kind_four, kind_six, fragmented = _swapped(order, ETHERTYPE_IPV4, ETHERTYPE_IPV6, 0x3FFF)
    six, signals_of = _SIX.unpack_from, TCP_SIGNALS
    tcp, udp, pending = tally.table.tcp, tally.table.udp, tally.payloads.assembly.pending
    requests, methods, datagrams = REQUEST_STARTS, METHOD_PAIRS, UDP_STARTS
    hear_request = tally.payloads.hear_request
    context = Context(TCP)
    buffer, position, limit, size = stretch
    first = number
    last = min(limit - 1, size - ahead)
    while position <= last:
        found = unpack(buffer, position)
        (
            seconds,
            fraction,
            captured,
            wire,
            mac,
            kind,
            version,
            high,
            low,
            fragment,
            protocol,
            key,
            offset,
            flags,
        ) = found
        start = position + ahead
        stop = start + captured
        if stop > size or captured > LONGEST_FRAME:
            break
        position = stop
        number += 1
        time = seconds * 1_000_000_000 + fraction * unit
        if kind == kind_four and captured >= _SHORTEST_FOUR:
            length = high << 8 | low
            ports = start + _FOUR_PORTS
            end = start + 14 + length
            plain = version == 0x45 and not fragment & fragmented and length >= 40 and mac != 0xFF
        elif kind == kind_six and captured >= _SHORTEST_SIX:
            version, length, protocol, key, offset, flags = six(buffer, start)
            ports = start + _SIX_PORTS
            end = ports + length
            plain = version >> 4 == 6 and length >= 20
        else:
            plain = False
        if plain and protocol == TCP:
            half = tcp.get(key)
            if half is None:
                half = tcp[key] = begin_half(key, time)
        elif plain and protocol == UDP:
            half = udp.get(key)
            if half is None:
                half = udp[key] = begin_half(key, time)
        else:
            tally.meet(Frame(buffer, start, stop, time, wire, ETHERNET, number - 1, None))
            continue
        half.packets += 1
        half.bytes += wire
        if time > half.last:
            half.last = time
        elif time < half.first:
            half.first = time
        if end > stop:
            end = stop
        if protocol == UDP:
            payload = ports + 8
            if payload < end:
                if half.signals & LISTENED:
                    tally.hear_dns(half, key, buffer[payload:end], time)
                elif datagrams[buffer[payload]]:
                    frame = Frame(buffer, start, stop, time, wire, ETHERNET, number - 1, None)
                    tally.listen_to_datagram(half, key, buffer[payload:end], frame)
            continue
        signal = signals_of[flags]
        if signal & ~half.signals:
            half.signals |= signal
        if signal & HANDSHAKE:
            note_handshake(half, buffer, ports, signal)
        payload = ports + (offset >> 4) * 4
        if payload >= end or offset < 0x50:
            continue
        byte = buffer[payload]
        if half.signals & LISTENED or (pending and key in pending):
            heard = True
        elif byte == TLS_HANDSHAKE:
            heard = payload + _KIND < end and buffer[payload + _KIND] == CLIENT_HELLO
        else:
            if requests[byte] and buffer[payload : payload + 2] in methods:
                name = hear_request(key, buffer[payload:end], time)
                if name is not None:
                    half.call(name)
            continue
        if heard:
            frame = Frame(buffer, start, stop, time, wire, ETHERNET, number - 1, None)
            sequence = int.from_bytes(buffer[ports + 4 : ports + 8], "big")
            tally.listen_to_segment(context, half, key, buffer[payload:end], sequence, frame)
    return number - first, position


def _swapped(order: str, *numbers: int) -> list[int]:
    """Numbers of two octets as they look when read in a byte order."""
    if order == ">":
        return list(numbers)
    return [int.from_bytes(number.to_bytes(2, "big"), "little") for number in numbers]
