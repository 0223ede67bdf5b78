"""Captures of every shape, read by both engines."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from kubectl_netpolgen.model.flow import Conversation, Flow, NameAnswer
from kubectl_netpolgen.packets.capture import Reading
from kubectl_netpolgen.packets.columns.counter import FastCounter
from kubectl_netpolgen.packets.columns.table import ColumnTable
from kubectl_netpolgen.packets.counting import Tally
from kubectl_netpolgen.packets.engines import ExactCounter
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import Records, read_header
from kubectl_netpolgen.packets.table import HalfTable
from tests.packets.factories import (
    CLIENT,
    CLIENT6,
    ETHERNET,
    MILLISECOND,
    PSH,
    SECOND,
    SERVER,
    SERVER6,
    START,
    Packet,
    a_frame,
    a_pcap,
    dns_answer,
    dns_query,
    icmp_echo,
    icmp_unreachable,
    ip,
    sctp,
    tcp,
    tcp_close,
    tcp_handshake,
    tcp_refusal,
    tcp_syn,
    udp,
)
from tests.packets.factories_names import a_client_hello

HELLO = a_client_hello("shop.example.test", key_share=1220, name_last=True)
REQUEST = b"GET / HTTP/1.1\r\nHost: web.example.test\r\n\r\n"
FIRST = udp(payload=bytes(64)).ip[20:]


@dataclass(frozen=True)
class Result:
    """Everything that an engine tells of a capture."""

    flows: list[Flow]
    conversations: list[Conversation]
    names: tuple[NameAnswer, ...]
    proven: frozenset[tuple[int, bytes]]
    counts: tuple[int, ...]
    inexpressible: tuple[str, ...]


def read_with(
    engine: str,
    content: bytes,
    *,
    most: int = 10**6,
    link: int = ETHERNET,
    chunk: int = 1 << 62,
    keys: bool = False,
    inner: bool = False,
) -> Result:
    """What an engine makes of a capture, with room for so many rows in memory.

    `inner` looks into the tunnels of packets that have no columns, and keeps columns for the others.
    """
    source = io.BytesIO(content)
    header = read_header(_Slow(source, chunk), Path("x.pcap"))
    records = Records(_Slow(source, chunk), header)
    tally = Tally(inner=inner, keys=keys, table=HalfTable(most=most))
    counter = FastCounter(tally, inner=False) if engine == "fast" else ExactCounter(tally, inner=False)
    if isinstance(counter, FastCounter):
        counter.table = ColumnTable(tally.table, most=most)
    counter.count_records(records, header, LINKS[link])
    with Reading("x.pcap", tally, counter.finish()) as reading:
        reading.packets = records.count
        contents = reading.contents()
        return Result(
            list(reading.flows()),
            list(reading.conversations()),
            reading.names,
            reading.proven,
            (records.count, contents.unread_packets, contents.left_out_packets, len(contents.conversations)),
            contents.inexpressible,
        )


class _Slow:
    """A source that gives at most so many bytes at once."""

    def __init__(self, source: io.BytesIO, chunk: int) -> None:
        self._source, self._chunk = source, chunk

    def read(self, size: int, /) -> bytes:
        return self._source.read(min(size, self._chunk))


def a_hello(port: int, time: int) -> list[Packet]:
    """A TLS hello over two segments, the second of which comes after something else."""
    ends = (CLIENT, port, SERVER, 443)
    return [
        *tcp_handshake(*ends, isn=port, time=time),
        tcp(*ends, flags=PSH, sequence=port + 1, payload=HELLO[:1000], time=time + 3 * MILLISECOND),
        icmp_echo(time=time + 3 * MILLISECOND),
        tcp(*ends, flags=PSH, sequence=port + 1001, payload=HELLO[1000:], time=time + 4 * MILLISECOND),
    ]


def some_traffic(seed: int, count: int = 60) -> list[Packet]:
    """Seeded traffic of every kind that the engines treat apart."""
    chance = random.Random(seed)
    packets: list[Packet] = []
    for number in range(count):
        time = START + chance.randrange(3 * SECOND) // 1000 * 1000
        port = chance.randrange(1024, 1400)
        ends = chance.choice([(CLIENT, port, SERVER, 80), (CLIENT6, port, SERVER6, 50051)])
        packets += chance.choice(
            [
                tcp_handshake(*ends, isn=number, time=time) + tcp_close(*ends, time=time + MILLISECOND),
                [tcp_syn(*ends, isn=number, time=time), tcp_refusal(*ends, isn=number, time=time)],
                [tcp(*ends, flags=PSH | 0x10, payload=REQUEST, time=time)],
                [tcp("::ffff:10.0.0.1", port, "::ffff:10.0.0.2", 81, flags=0x10, time=time)],
                a_hello(port, time),
                [dns_query(time=time), dns_answer(time=time)],
                [dns_answer("gone.test", [], rcode=3, time=time)],
                [udp(time=time), icmp_unreachable(udp(), time=time)],
                [replace(udp(*ends, time=time), vlans=(7,)), replace(tcp_syn(*ends, time=time), captured=54)],
                [replace(packet, vlans=(9,)) for packet in a_hello(port, time)],
                [replace(udp(destination="10.244.1.255", time=time), broadcast=True)],
                [sctp(chunk=1, initiate_tag=number, time=time)],
                [
                    Packet(ip(CLIENT, SERVER, 17, FIRST[:40], more=1), time=time),
                    Packet(ip(CLIENT, SERVER, 17, FIRST[40:], fragment=5), time=time),
                ],
                [Packet(ip(CLIENT, SERVER, 6, tcp_syn(*ends).ip[20:40], options=bytes(4)), time=time)],
                [Packet(b"", time=time)],
            ]
        )
    return packets


def mutated(packets: Iterable[Packet], seed: int) -> bytes:
    """The capture of the packets, with bytes of their frames changed."""
    chance = random.Random(seed)
    frames: list[Packet | bytes] = []
    for packet in packets:
        frame = bytearray(a_frame(packet))
        for _ in range(chance.choice([0, 0, 1, 2])):
            if frame:
                frame[chance.randrange(min(len(frame), 70))] = chance.randrange(256)
        frames.append(bytes(frame[: chance.choice([len(frame)] * 4 + [chance.randrange(len(frame) + 1)])]))
    return a_pcap(frames)


seeds = st.integers(0, 2**32)
