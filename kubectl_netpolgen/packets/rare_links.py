"""Packets of captures whose link type we do not read, as tshark tells them: slow, and complete."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.model.network import Address, Protocol, canonical_address
from kubectl_netpolgen.packets.dissector import PacketName, read_names
from kubectl_netpolgen.packets.tshark import TsharkFailed
from kubectl_netpolgen.packets.verification import outermost_transport

TIME_BUDGET = 600
"""Seconds for a whole file; tshark and pyshark need about a third of a millisecond a packet."""

_LAYERS = ("vlan", "ip", "ipv6", "tcp", "udp", "sctp", "tls", "dtls", "quic", "dns", "http")
_PREFERENCES = (
    ("ip.defragment", "FALSE"),
    ("ipv6.defragment", "FALSE"),
    ("tcp.analyze_sequence_numbers", "FALSE"),
)
_SECOND = 1_000_000_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class DissectedPacket(NamedTuple):
    """One TCP, UDP or SCTP packet by its outermost IP header."""

    time: int
    """Nanoseconds since the epoch."""
    wire: int
    """Bytes on the wire with the link header."""
    protocol: Protocol
    source: Address
    source_port: int
    destination: Address
    destination_port: int
    flags: int
    """Of TCP; 0 for other protocols, as are the two numbers."""
    sequence: int
    acknowledgment: int
    vlan: int | None
    """The innermost."""
    names: tuple[PacketName, ...]


def dissect_packets(
    capture: Path, *, program: Path, seconds: int = TIME_BUDGET
) -> Iterator[DissectedPacket | None]:
    """Every packet of a file in order; None for one that is no TCP, UDP or SCTP with ports.

    TsharkFailed, after the packets that could be read: the file is damaged, or tshark reached its limits.
    """
    # pyshark takes long to import
    from kubectl_netpolgen.packets.pyshark_capture import SharkCapture

    with SharkCapture(
        capture, program=program, seconds=seconds, layers=_LAYERS, children=True, preferences=_PREFERENCES
    ) as shark:
        packets = shark.packets()
        while True:
            try:
                packet = next(packets)
                read = _read_packet(packet)
            except StopIteration:
                break
            except Exception as error:  # what pyshark raises on odd output is not bounded by any contract
                raise _failure(f"its answer could not be read ({type(error).__name__})") from error
            yield read
        if shark.timed_out:
            raise _failure(f"it took longer than {seconds} seconds")
        if shark.status:
            raise _failure(f"it ended with {shark.status}, as it does where a file is damaged")


def parse_time(text: str) -> int:
    """Nanoseconds since the epoch, from seconds with a fraction or, since tshark 4.4, RFC 3339."""
    if "T" in text:
        moment, _, fraction = text.rstrip("Z").partition(".")
        parsed = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.timezone.utc)
        whole = (parsed - _EPOCH) // datetime.timedelta(seconds=1)
    else:
        moment, _, fraction = text.partition(".")
        whole = int(moment)
    return whole * _SECOND + int(f"{fraction:0<9}"[:9])


def _read_packet(packet: Any) -> DissectedPacket | None:
    found = outermost_transport(str(packet.frame_info.get_field("protocols")))
    if found is None:
        return None
    version, protocol = found
    # of several headers of one kind pyshark's layer is the first, and keeps the others beside it
    layers = {layer.layer_name: layer for layer in reversed(packet.layers)}
    network, transport = layers["ip" if version == 4 else "ipv6"], layers.get(protocol.value.lower())
    if transport is None or not transport._all_fields.get(f"{transport.layer_name}.srcport"):
        return None
    tcp = protocol is Protocol.TCP
    vlan = layers.get("vlan")
    tags = [] if vlan is None else [vlan, *vlan.duplicate_layers]
    names = (
        name for name in read_names(packet) if name.source is not NameSource.DNS or name.address is not None
    )
    return DissectedPacket(
        time=parse_time(packet.sniff_timestamp),
        wire=int(packet.length),
        protocol=protocol,
        source=canonical_address(_field(network, "src")),
        source_port=_number(transport, "srcport"),
        destination=canonical_address(_field(network, "dst")),
        destination_port=_number(transport, "dstport"),
        flags=_number(transport, "flags") if tcp else 0,
        sequence=_number(transport, "seq_raw") if tcp else 0,
        acknowledgment=_number(transport, "ack_raw") if tcp else 0,
        vlan=_number(tags[-1], "id") if tags else None,
        names=tuple(names),
    )


def _field(layer: Any, name: str) -> str:
    """A field of a layer, or nothing; the first when the layer has it several times."""
    value = layer._all_fields.get(f"{layer.layer_name}.{name}", "")
    return str(value[0] if isinstance(value, list) and value else value)


def _number(layer: Any, name: str) -> int:
    text = _field(layer, name)
    return int(text, 0) if text else 0


def _failure(reason: str) -> TsharkFailed:
    return TsharkFailed(
        f"tshark did not read it to its end: {reason}",
        way_out="look at the file with: tshark -r FILE, or convert it with editcap",
    )
