"""What only a full dissector can tell: the names in few selected frames.

One start of tshark for all files' frames of a link type; its answers come through pyshark. It is asked about
frames that anybody may have sent, so what it says is read as carefully as the packets themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import NameSource
from kubectl_netpolgen.model.network import Address, Protocol, canonical_address
from kubectl_netpolgen.packets.hostnames import read_host_name
from kubectl_netpolgen.packets.selection import MOST_FRAMES, Ends, SelectedFrame
from kubectl_netpolgen.packets.tshark import tshark_absent

TIME_BUDGET = 30
"""Seconds for all frames of one link type."""

_LAYERS = ("tls", "dtls", "quic", "dns", "http")
_FIELDS = {
    "tls.handshake.extensions_server_name": NameSource.SNI,
    "dtls.handshake.extensions_server_name": NameSource.SNI,
    "http.host": NameSource.HTTP,
}
_QUESTION, _ALIAS, _ADDRESS, _ADDRESS6 = "dns.qry.name", "dns.cname", "dns.a", "dns.aaaa"
_DNS_FIELDS = frozenset((_QUESTION, _ALIAS, _ADDRESS, _ADDRESS6))
_LONGEST_CHAIN = 16

_DECODED_AS = {
    (NameSource.QUIC, Protocol.UDP): ("udp.port=={}", "quic"),
    (NameSource.SNI, Protocol.UDP): ("udp.port=={}", "dtls"),
    (NameSource.SNI, Protocol.TCP): ("tcp.port=={}", "tls"),
    (NameSource.HTTP, Protocol.TCP): ("tcp.port=={}", "http"),
    (NameSource.DNS, Protocol.TCP): ("tcp.port=={}", "dns"),
    (NameSource.DNS, Protocol.UDP): ("udp.port=={}", "dns"),
}
_MOST_PORTS = 64
_MOST_VALUES = 4096
"""Values of one packet that are looked through."""

_SAME_END = 1200
"""Bytes at a frame's end by which it is the same at two places: a client's Initial is no shorter."""

_SECOND = 1_000_000_000


class PacketName(NamedTuple):
    """A name that the dissector read in one packet."""

    name: str
    source: NameSource
    address: Address | None = None
    """What a DNS answer says that the name stands for; None for what a client called its server."""
    via: tuple[str, ...] = ()
    """The CNAMEs of that answer."""


class DissectedName(NamedTuple):
    """The same for the conversation whose frame it was."""

    file: str
    ends: Ends
    said: PacketName
    time: int
    """Of the frame, in nanoseconds since the epoch."""


def dissect_names(
    frames: Sequence[SelectedFrame], *, program: Path | None, seconds: int = TIME_BUDGET
) -> tuple[tuple[DissectedName, ...], tuple[Finding, ...]]:
    """The names in frames, in the frames' order, and what could not be looked at.

    The same bytes seen in two files are dissected once and named in both. Never raises on what frames hold.
    """
    if not frames:
        return (), ()
    if program is None:
        return (), (_absent(frames),)
    findings: list[Finding] = []
    names: dict[DissectedName, None] = {}
    if len(frames) > MOST_FRAMES:
        left_out = len(frames) - MOST_FRAMES
        findings.append(
            _incomplete(f"{left_out} selected frames are beyond the {MOST_FRAMES} it is asked about")
        )
    owners: dict[tuple[int, bytes], list[SelectedFrame]] = {}
    for frame in frames[:MOST_FRAMES]:
        owners.setdefault((frame.link_type, frame.frame[-_SAME_END:]), []).append(frame)
    for link_type in sorted({key[0] for key in owners}):
        groups = [group for key, group in owners.items() if key[0] == link_type]
        trouble = _dissect_link(link_type, groups, program, seconds, names)
        if trouble:
            findings.append(_incomplete(trouble))
    order = {(frame.file, frame.ends): -number for number, frame in enumerate(reversed(frames))}
    found = sorted(names, key=lambda item: order[item.file, item.ends])
    return tuple(found), tuple(findings)


def read_names(packet: Any) -> Iterator[PacketName]:
    """The names in one of pyshark's packets: server names, HTTP hosts, and addresses in DNS answers."""
    for layer in packet.layers:
        kind = layer.layer_name
        if kind == "dns":
            yield from _read_answers(_values(layer))
            continue
        for key, value in _values(layer):
            source = _FIELDS.get(key)
            if source is None:
                continue
            if source is NameSource.HTTP:
                host, _, port = value.rpartition(":")
                name = read_host_name((host if port.isdigit() else value).encode("utf-8", "replace"))
            else:
                name = read_host_name(value.encode("utf-8", "replace"), addresses=True)
            if name is not None:
                yield PacketName(name, NameSource.QUIC if kind == "quic" else source)


def _read_answers(values: Iterable[tuple[str, str]]) -> Iterator[PacketName]:
    """The addresses in a message about one name; the CNAMEs before them are taken for the way there."""
    found: dict[str, list[str]] = {}
    for key, value in values:
        if key in _DNS_FIELDS:
            found.setdefault(key, []).append(value)
    questions = set(found.get(_QUESTION, ()))
    name = read_host_name(questions.pop().encode("utf-8", "replace")) if len(questions) == 1 else None
    if name is None:
        return
    aliases = (read_host_name(value.encode("utf-8", "replace")) for value in found.get(_ALIAS, ()))
    via = tuple(alias for alias in aliases if alias is not None)[:_LONGEST_CHAIN]
    for value in (*found.get(_ADDRESS, ()), *found.get(_ADDRESS6, ())):
        yield PacketName(name, NameSource.DNS, canonical_address(value), via)


def _dissect_link(
    link_type: int,
    groups: list[list[SelectedFrame]],
    program: Path,
    seconds: int,
    names: dict[DissectedName, None],
) -> str:
    """Dissect frames of one link type; what went wrong, or nothing."""
    try:
        # pyshark takes long to import, and asks for the current directory, which may be gone
        from kubectl_netpolgen.packets.pyshark_capture import SharkCapture
    except (ImportError, OSError) as error:
        return f"pyshark cannot be loaded: {error}"
    with TemporaryDirectory(prefix="netpolgen-") as directory:
        path = Path(directory, "selected.pcap")
        path.write_bytes(pcap_bytes(link_type, (group[0] for group in groups)))
        decode_as = _decode_as(group[0] for group in groups)
        with SharkCapture(
            path, program=program, seconds=seconds, layers=_LAYERS, children=True, decode_as=decode_as
        ) as capture:
            try:
                for packet in capture.packets():
                    number = int(packet.number)
                    for said in read_names(packet):
                        for frame in groups[number - 1] if 0 < number <= len(groups) else ():
                            names[DissectedName(frame.file, frame.ends, said, frame.time)] = None
            except Exception as error:  # what pyshark raises on odd output is not bounded by any contract
                return f"tshark's answer could not be read: {type(error).__name__}"
        if capture.timed_out:
            return f"tshark took longer than {seconds} seconds"
        return "" if capture.status == 0 else f"tshark ended with {capture.status}"


def pcap_bytes(link_type: int, frames: Iterable[SelectedFrame]) -> bytes:
    """A capture file of these frames, with their times to the nanosecond."""
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type & 0xFFFF)]
    for frame in frames:
        whole, rest = divmod(frame.time, _SECOND)
        wire = max(frame.wire, len(frame.frame))
        parts.append(struct.pack("<IIII", whole & 0xFFFFFFFF, rest, len(frame.frame), wire))
        parts.append(frame.frame)
    return b"".join(parts)


def _decode_as(frames: Iterable[SelectedFrame]) -> list[tuple[str, str]]:
    """What tshark shall take the servers' ports for; a port that is two things is left to itself."""
    wanted: dict[str, set[str]] = {}
    for frame in frames:
        rule = _DECODED_AS.get((frame.source, frame.ends.protocol))
        if rule is not None:
            wanted.setdefault(rule[0].format(int(frame.ends.server_port)), set()).add(rule[1])
    certain = [(port, min(kinds)) for port, kinds in sorted(wanted.items()) if len(kinds) == 1]
    return certain[:_MOST_PORTS]


def _values(layer: Any) -> Iterator[tuple[str, str]]:
    """Every field of a layer with its text, however deep, without recursion and with an end."""
    whole = [layer._all_fields, *(one._all_fields for one in layer.duplicate_layers)]
    waiting: list[tuple[str, Any]] = [("", whole)]
    seen = 0
    while waiting and seen < _MOST_VALUES:
        key, value = waiting.pop()
        seen += 1
        if isinstance(value, dict):
            waiting.extend(reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend((key, item) for item in reversed(value))
        elif isinstance(value, str):
            yield key, value


def _absent(frames: Sequence[SelectedFrame]) -> Finding:
    kinds = ", ".join(sorted({frame.source.value for frame in frames}))
    return tshark_absent(
        f"{len(frames)} frames",
        f"names of kind {kinds} in them were not read, because tshark is not installed",
    )


def _incomplete(trouble: str) -> Finding:
    return Finding(
        "names-incomplete", Severity.NOTE, "tshark", f"not every name in selected frames was read: {trouble}"
    )
