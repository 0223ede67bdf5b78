"""The quick way of the standard library: a classic capture of Ethernet, where nearly all packets are plain.

Plain is TCP or UDP right behind an IPv4 header without options and fragments, or right behind an IPv6
header. The loop runs a million times a file and calls nothing that it need not; all other packets go to
`Tally.meet`, and what is counted here is what that would count.
"""

from __future__ import annotations

import struct

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.packets.counting import Frame, Tally
from kubectl_netpolgen.packets.halves import ANNOUNCED, LISTENED, Half, begin_half
from kubectl_netpolgen.packets.http import METHOD_PAIRS
from kubectl_netpolgen.packets.link import ETHERNET, ETHERTYPE_IPV4, ETHERTYPE_IPV6
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.payloads import TCP_STARTS, UDP_STARTS
from kubectl_netpolgen.packets.pcap import LONGEST_FRAME, RECORD_HEADER_LENGTH, FileHeader, Stretch
from kubectl_netpolgen.packets.signals import HANDSHAKE, OPENS, TCP_SIGNALS
from kubectl_netpolgen.packets.table import Context
from kubectl_netpolgen.packets.tls import HANDSHAKE as TLS_HANDSHAKE
from kubectl_netpolgen.packets.tls import begins_client_hello, read_client_hello

# a record's header, Ethernet's first byte and type; IPv4's version and length, the two octets of its total
# length, fragment bits, protocol; addresses and ports; the octets of TCP's data offset and flags
_FOUR = "IIII{more}xB11xHBxBB2xHxB2x12s8xBB"
# IPv6's version, the two octets of its payload length, next header; addresses and ports; the same of TCP
_SIX = struct.Struct(">14xB3xBBBx36s8xBB")
_NUMBER = struct.Struct(">I")
_SHORTEST_FOUR, _SHORTEST_SIX = 48, _SIX.size
_PAYLOADS = tuple((octet >> 4) * 4 if octet >= 0x50 else LONGEST_FRAME for octet in range(256))
"""By the octet of TCP's data offset: how far behind the ports the payload is, or nowhere in the frame."""
_ODD = 0
"""Stands for the protocol of what is not plain."""
_TCP = Context(TCP)
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
    six, signals_of, payload_behind, starts = _SIX.unpack_from, TCP_SIGNALS, _PAYLOADS, TCP_STARTS
    tcp, udp, pending = tally.table.tcp, tally.table.udp, tally.payloads.assembly.pending
    number_at = _NUMBER.unpack_from
    find_tcp, find_udp, messages = tcp.get, udp.get, tally.repeated.messages
    aloud = ANNOUNCED if not tally.keys else LISTENED
    longest, shortest_four, shortest_six = LONGEST_FRAME, _SHORTEST_FOUR, _SHORTEST_SIX
    tcp_number, udp_number, listened, handshake = TCP, UDP, LISTENED, HANDSHAKE
    buffer, position, limit, size = stretch
    first, second, second_time = number, -1, 0
    last = min(limit - 1, size - ahead)
    while position <= last:
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
        ) = unpack(buffer, position)
        start = position + ahead
        stop = start + captured
        if stop > size or captured > longest:
            break
        position = stop
        number += 1
        if seconds != second:
            second = seconds
            second_time = seconds * 1_000_000_000
        time = second_time + fraction * unit
        if kind == kind_four:
            ports = start + 34
            if (
                captured < shortest_four
                or version != 0x45
                or fragment & fragmented
                or mac == 0xFF
                or (low < 40 and not high)
            ):
                protocol = _ODD
        elif kind == kind_six and captured >= shortest_six:
            version, high, low, protocol, key, offset, flags = six(buffer, start)
            ports = start + 54
            if version >> 4 != 6 or (low < 20 and not high):
                protocol = _ODD
            # where the packet ends is told from the same place as by IPv4
            low += 20
        else:
            protocol = _ODD
        if protocol == tcp_number:
            half = find_tcp(key)
            if half is None:
                half = tcp[key] = begin_half(key, time)
            half.packets += 1
            half.bytes += wire
            if time > half.last:
                half.last = time
            elif time < half.first:
                half.first = time
            signal = signals_of[flags]
            half.signals |= signal
            if signal & handshake:
                if signal == OPENS:
                    (initial,) = number_at(buffer, ports + 4)
                    if half.opened < 0:
                        half.opened = initial
                    elif half.opened != initial:
                        half.open(initial)
                else:
                    (initial,) = number_at(buffer, ports + 8)
                    half.accept(initial - 1 & 0xFFFFFFFF)
            payload = ports + payload_behind[offset]
            if payload < stop and (
                starts[buffer[payload]] or half.signals >= listened or (pending and key in pending)
            ):
                end = min(stop, ports - 20 + (high << 8) + low)
                if payload < end:
                    _listen(tally, half, key, buffer, ports, payload, end, time, captured < wire)
        elif protocol == udp_number:
            half = find_udp(key)
            if half is None:
                half = udp[key] = begin_half(key, time)
            half.packets += 1
            half.bytes += wire
            if time > half.last:
                half.last = time
            elif time < half.first:
                half.first = time
            payload = ports + 8
            end = ports - 20 + (high << 8) + low
            if end > stop:
                end = stop
            if payload >= end:
                continue
            signals = half.signals
            if signals < listened:
                if UDP_STARTS[buffer[payload]]:
                    frame = Frame(buffer, start, stop, time, wire, ETHERNET, number - 1, None)
                    tally.listen_to_datagram(half, key, buffer[payload:end], frame)
            elif signals < aloud:
                message = messages.get(buffer[payload + 2 : end])
                if message is None:
                    half.signals = signals | tally.repeated.hear(buffer[payload:end], time)
                else:
                    half.signals = signals | message.signal
                    message.count += 1
                    if time > message.last:
                        message.last = time
                    elif time < message.first:
                        message.first = time
            else:
                tally.hear_dns(half, key, buffer[payload:end], time)
        else:
            tally.meet(Frame(buffer, start, stop, time, wire, ETHERNET, number - 1, None))
    return number - first, position


def _listen(
    tally: Tally,
    half: Half,
    key: bytes,
    buffer: bytes,
    ports: int,
    payload: int,
    end: int,
    time: int,
    cut: bool,
) -> None:
    """Read a payload of TCP that begins as if it held a name, or is one that somebody waits for."""
    if half.signals < LISTENED and key not in tally.payloads.assembly.pending:
        if buffer[payload] != TLS_HANDSHAKE:
            if buffer[payload : payload + 2] in METHOD_PAIRS:
                tally.repeated.request(half, key, buffer[payload:end], time)
            return
        if not begins_client_hello(buffer, payload, end):
            return
        hello = read_client_hello(buffer[payload:end])
        if hello is None:
            return
        if hello.server_name is not None:
            half.call(tally.payloads.call(key, hello.server_name, NameSource.SNI, time))
            return
        if not hello.missing:
            return
    sequence = int.from_bytes(buffer[ports + 4 : ports + 8], "big")
    tally.listen_to_segment(_TCP, half, key, buffer[payload:end], sequence, time, cut=cut)


def _swapped(order: str, *numbers: int) -> list[int]:
    """Numbers of two octets as they look when read in a byte order."""
    if order == ">":
        return list(numbers)
    return [int.from_bytes(number.to_bytes(2, "big"), "little") for number in numbers]
