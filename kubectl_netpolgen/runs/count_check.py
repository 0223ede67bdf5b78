"""Our counts of a capture held against tshark's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.flow import Conversation
from kubectl_netpolgen.packets.tshark import TsharkFailed
from kubectl_netpolgen.packets.verification import Count, Pair, conversation_counts, pair_ends

MOST_DIFFERENCES = 20
"""Findings of one file; the rest is a number."""


def compare_counts(
    label: str, conversations: Iterable[Conversation], program: Path, capture: Path | None
) -> tuple[tuple[Finding, ...], bool]:
    """What tshark counts otherwise in one file, and whether there is anything.

    A file that tshark cannot read to its end, or that can be read once only, is not compared.
    """
    if capture is None or not capture.is_file():
        return (_uncompared(label, "it can be read once only"),), False
    try:
        theirs = conversation_counts(program, capture)
    except TsharkFailed as error:
        return (_uncompared(label, error.message),), False
    differences = list(_differences(*our_counts(conversations), theirs))
    findings = [
        Finding("counts-differ", Severity.ERROR, label, text, "report it, with the file if you can")
        for text in differences[:MOST_DIFFERENCES]
    ]
    if len(differences) > MOST_DIFFERENCES:
        more = len(differences) - MOST_DIFFERENCES
        findings.append(Finding("counts-differ", Severity.ERROR, label, f"{more} more conversations differ"))
    return tuple(findings), bool(differences)


def our_counts(conversations: Iterable[Conversation]) -> tuple[Mapping[Pair, Count], frozenset[Pair]]:
    """Frames and bytes of the outermost conversations; and those whose duplicates have no bytes here.

    tshark knows neither duplicates nor VLANs in what it counts together, so they are added back.
    """
    counts: dict[Pair, Count] = {}
    vague = set()
    for item in conversations:
        if item.tunnel is not None:
            continue
        pair = pair_ends(item.protocol, (item.client, item.client_port), (item.server, item.server_port))
        known = counts.get(pair, Count(0, 0))
        frames = item.packets_to_server + item.packets_to_client + item.duplicates
        counts[pair] = Count(known.frames + frames, known.bytes + item.bytes_to_server + item.bytes_to_client)
        if item.duplicates:
            vague.add(pair)
    return counts, frozenset(vague)


def _differences(
    ours: Mapping[Pair, Count], vague: frozenset[Pair], theirs: Mapping[Pair, Count]
) -> Iterator[str]:
    nothing = Count(0, 0)
    for pair in sorted({*ours, *theirs}, key=str):
        our, their = ours.get(pair, nothing), theirs.get(pair, nothing)
        if our.frames == their.frames and (our.bytes == their.bytes or pair in vague):
            continue
        ends = " and ".join(f"{address} port {port}" for address, port in (pair.lower, pair.upper))
        yield (
            f"{pair.protocol.value} between {ends}: {our.frames} packets and {our.bytes} bytes here, "
            f"{their.frames} and {their.bytes} in tshark"
        )


def _uncompared(label: str, why: str) -> Finding:
    return Finding("counts-uncompared", Severity.WARNING, label, f"was not compared with tshark: {why}")
