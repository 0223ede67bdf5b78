"""The quick way of the standard library: a classic capture of Ethernet, where nearly all packets are plain.

Plain is TCP or UDP right behind an IPv4 header without options and fragments, or right behind an IPv6
header. The loop runs a million times a file and calls nothing that it need not; all other packets go to
`Tally.meet`, and what is counted here is what that would count.
"""

from __future__ import annotations

import struct

from kubectl_netpolgen.packets.counting import Frame, Tally, note_handshake
from kubectl_netpolgen.packets.halves import LISTENED, begin_half
from kubectl_netpolgen.packets.link import ETHERNET, ETHERTYPE_IPV4, ETHERTYPE_IPV6
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.payloads import TCP_STARTS, UDP_STARTS
from kubectl_netpolgen.packets.pcap import LONGEST_FRAME, FileHeader
from kubectl_netpolgen.packets.signals import HANDSHAKE, TCP_SIGNALS
from kubectl_netpolgen.packets.table import Context

# Ethernet's first byte and type; IPv4's version and length, total length, fragment bits, protocol; addresses
# and ports; the octets of TCP's data offset and flags
_FOUR = struct.Struct(">B11xHBxHxxHxB2x12s8xBB")
# IPv6's version, payload length, next header; addresses and ports; the same of TCP
_SIX = struct.Struct(">14xB3xHBx36s8xBB")
_SHORTEST_FOUR, _SHORTEST_SIX = _FOUR.size, _SIX.size
_FOUR_PORTS, _SIX_PORTS = 34, 54


def count_plain(tally: Tally, buffer: bytes, header: FileHeader, number: int) -> tuple[int, int]:
    """Count the whole records of a buffer that begins with one; the first has that number.

    Returns how many there were, and where the first that is not whole begins, or one that claims more than
    any capture holds: the caller sees which.
    """
    unpack = struct.Struct(f"{header.byte_order}IIII").unpack_from
    ahead, unit = header.record_header, header.nanoseconds
    four, six, signals_of = _FOUR.unpack_from, _SIX.unpack_from, TCP_SIGNALS
    tcp, udp, pending = tally.table.tcp, tally.table.udp, tally.payloads.assembly.pending
    tcp_starts, udp_starts = TCP_STARTS, UDP_STARTS
    context = Context(TCP)
    position, size = 0, len(buffer)
    first = number
    last = size - ahead
    while position <= last:
        seconds, fraction, captured, wire = unpack(buffer, position)
        start = position + ahead
        stop = start + captured
        if stop > size or captured > LONGEST_FRAME:
            break
        position = stop
        number += 1
        time = seconds * 1_000_000_000 + fraction * unit
        if captured >= _SHORTEST_FOUR:
            mac, kind, version, length, fragment, protocol, key, offset, flags = four(buffer, start)
            if kind == ETHERTYPE_IPV4:
                ports = start + _FOUR_PORTS
                end = start + 14 + length
                plain = version == 0x45 and not fragment & 0x3FFF and length >= 40 and mac != 0xFF
            elif kind == ETHERTYPE_IPV6 and captured >= _SHORTEST_SIX:
                version, length, protocol, key, offset, flags = six(buffer, start)
                ports = start + _SIX_PORTS
                end = ports + length
                plain = version >> 4 == 6 and length >= 20
            else:
                plain = False
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
        if protocol == TCP:
            signal = signals_of[flags]
            half.signals |= signal
            if signal & HANDSHAKE:
                note_handshake(half, buffer, ports, signal)
            payload = ports + (offset >> 4) * 4
            if (
                payload < end
                and (tcp_starts[buffer[payload]] or half.signals & LISTENED or (pending and key in pending))
                and offset >= 0x50
            ):
                frame = Frame(buffer, start, stop, time, wire, ETHERNET, number - 1, None)
                sequence = int.from_bytes(buffer[ports + 4 : ports + 8], "big")
                tally.listen_to_segment(context, half, key, buffer[payload:end], sequence, frame)
        else:
            payload = ports + 8
            if payload < end:
                if half.signals & LISTENED:
                    tally.hear_dns(half, key, buffer[payload:end], time)
                elif udp_starts[buffer[payload]]:
                    frame = Frame(buffer, start, stop, time, wire, ETHERNET, number - 1, None)
                    tally.listen_to_datagram(half, key, buffer[payload:end], frame)
    return number - first, position
