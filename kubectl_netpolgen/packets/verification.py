"""tshark's own count of a capture's conversations, to hold ours against."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kubectl_netpolgen.model.network import Address, Protocol, address_order, canonical_address
from kubectl_netpolgen.packets.tshark import stream_fields

_PROTOCOLS = {"tcp": Protocol.TCP, "udp": Protocol.UDP, "udplite": None, "sctp": Protocol.SCTP}
_FIELDS = (
    *("frame.len", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst"),
    *("tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "sctp.srcport", "sctp.dstport"),
)
_PORTS = {Protocol.TCP: 6, Protocol.UDP: 8, Protocol.SCTP: 10}
_SECONDS = 600

End = tuple[Address, int]


class Pair(NamedTuple):
    """A 5-tuple without a direction: the lower end first."""

    protocol: Protocol
    lower: End
    upper: End


class Count(NamedTuple):
    """Frames, and their bytes on the wire."""

    frames: int
    bytes: int


def pair_ends(protocol: Protocol, one: End, other: End) -> Pair:
    """The same pair whichever end comes first."""
    lower, upper = sorted((one, other), key=lambda end: (address_order(end[0]), end[1]))
    return Pair(protocol, lower, upper)


def outermost_transport(protocols: str) -> tuple[int, Protocol] | None:
    """The IP version and the protocol that the outermost IP header carries, by tshark's `frame.protocols`.

    None when that is no transport with ports: an ICMP error quotes one, a tunnel holds one, of others.
    """
    layers = iter(protocols.split(":"))
    version = next((4 if layer == "ip" else 6 for layer in layers if layer in ("ip", "ipv6")), None)
    if version is None:
        return None
    for layer in layers:
        if layer.startswith("ipv6.") or layer == "ah":
            continue
        protocol = _PROTOCOLS.get(layer)
        return None if protocol is None else (version, protocol)
    return None


def conversation_counts(program: Path, capture: Path, *, seconds: int = _SECONDS) -> Mapping[Pair, Count]:
    """Frames and bytes of every TCP, UDP and SCTP conversation of the outermost IP headers.

    Later fragments have no ports and are in no row. TsharkFailed: tshark could not finish.
    """
    counts: dict[Pair, Count] = {}
    addresses: dict[str, Address] = {}
    for cells in stream_fields(program, capture, _FIELDS, seconds=seconds):
        found = outermost_transport(cells[1]) if len(cells) == len(_FIELDS) else None
        if found is None:
            continue
        version, protocol = found
        ports = _PORTS[protocol]
        here = 2 if version == 4 else 4
        words = cells[here], cells[ports], cells[here + 1], cells[ports + 1]
        if not all(words):
            continue
        ends = []
        for address, port in (words[:2], words[2:]):
            if address not in addresses:
                addresses[address] = canonical_address(address)
            ends.append((addresses[address], int(port)))
        pair = pair_ends(protocol, ends[0], ends[1])
        known = counts.get(pair, Count(0, 0))
        counts[pair] = Count(known.frames + 1, known.bytes + int(cells[0]))
    return counts
