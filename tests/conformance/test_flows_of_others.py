"""Captures of other projects and the flows that those projects find in them.

The folder is data beside the project, never part of it: `../shared/conformance`, or where
NETPOLGEN_CONFORMANCE says.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.model.flow import CaptureContents, Conversation
from kubectl_netpolgen.model.network import Address, canonical_address, is_loopback
from kubectl_netpolgen.packets.reading import NotACapture, read_capture

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("NETPOLGEN_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "captures"

LINK_TYPES = {1, 113, 276}
FORMATS = {"pcap", "pcap-be", "pcap-ns", "pcapng", "pcap.gz", "pcap.zst"}
SCORED_DIRECTIONS = {"syn", "first+port", "port", "zeek", "suricata"}
UNREAD = {
    "ndpi-4in6tunnel.pcap": "IPv4 in IPv6: listed as a tunnel, the inside is not read",
    "ndpi-6in6tunnel.pcap": "IPv6 in IPv6: listed as a tunnel, the inside is not read",
    "ndpi-sctp.cap": "the baseline lists SCTP without its ports",
    "zeek-cisco-fabric-path.pcap": "FabricPath, and the baseline lists SCTP without its ports",
    "zeek-pbb.pcap": "provider backbone bridging, which no pod's interface has",
    "zeek-pppoe.pcap": "PPPoE, which no pod's interface has",
}
"""Captures of link types that are read, in an encapsulation that is not: they must be survived."""

Ends = tuple[str, frozenset[tuple[Address, int]]]
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the conformance folder is not there")


def rows(name: str) -> list[dict[str, Any]]:
    path = FOLDER / name
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


MANIFEST = rows("manifest.jsonl")
FLOWS: dict[str, list[dict[str, Any]]] = defaultdict(list)
for _row in rows("flows.jsonl"):
    FLOWS[_row["file"]].append(_row)


def read_in_scope(entry: dict[str, Any]) -> bool:
    return entry.get("linktype") in LINK_TYPES and entry.get("format") in FORMATS


def names_of(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["file"] for entry in entries]


SCORED = [entry for entry in MANIFEST if read_in_scope(entry) and entry["file"] not in UNREAD]
OTHERS = [entry for entry in MANIFEST if not read_in_scope(entry) or entry["file"] in UNREAD]


def wanted_ends(row: dict[str, Any]) -> Ends:
    ends = (
        (canonical_address(row["orig_h"]), row["orig_p"]),
        (canonical_address(row["resp_h"]), row["resp_p"]),
    )
    return row["proto"], frozenset(ends)


def found_ends(item: Conversation) -> Ends:
    ends = (item.client, item.client_port), (item.server, item.server_port)
    return item.protocol.value.lower(), frozenset(ends)


def is_set_apart(row: dict[str, Any], contents: CaptureContents) -> bool:
    """Loopback is no traffic of a pod; groups and port 0 are listed as what NetworkPolicy cannot express."""
    protocol, source, destination = row["proto"].upper(), row["orig_h"], row["resp_h"]
    listed = {f"{protocol} {source} > {destination}", f"{protocol} {destination} > {source}"}
    if any(is_loopback(canonical_address(end)) for end in (source, destination)):
        return True
    return bool(listed & set(contents.inexpressible))


def disagreements(row: dict[str, Any], item: Conversation) -> list[str]:
    told = (item.client, item.client_port) == (canonical_address(row["orig_h"]), row["orig_p"])
    if not told and row["direction"] in SCORED_DIRECTIONS:
        return [f"{row['direction']} says the client is {row['orig_h']}:{row['orig_p']}"]
    counts = {
        "packets": item.packets_to_server + item.packets_to_client,
        "orig_pkts": item.packets_to_server if told else item.packets_to_client,
        "resp_pkts": item.packets_to_client if told else item.packets_to_server,
        "bytes": item.bytes_to_server + item.bytes_to_client,
    }
    return [
        f"{what}: {count}, not {row[what]}" for what, count in counts.items() if row.get(what, count) != count
    ]


@pytest.mark.parametrize("entry", SCORED, ids=names_of(SCORED))
def test_the_flows_are_those_that_others_find(entry: dict[str, Any]) -> None:
    contents = read_capture(FOLDER / "files" / entry["file"])
    found = {found_ends(item): item for item in contents.conversations}
    wanted = {wanted_ends(row): row for row in FLOWS[entry["file"]]}
    missing = [row for ends, row in wanted.items() if ends not in found and not is_set_apart(row, contents)]
    assert missing == []
    if entry["complete"]:
        assert sorted(map(str, found.keys() - wanted.keys())) == []
    differing = {str(ends): disagreements(wanted[ends], found[ends]) for ends in found.keys() & wanted.keys()}
    assert {ends: why for ends, why in differing.items() if why} == {}
    if "packets_in_file" in entry:
        assert contents.packets == entry["packets_in_file"] - (1 if _last_record_is_cut(entry) else 0)


def _last_record_is_cut(entry: dict[str, Any]) -> bool:
    return bool(entry["file"].startswith("derived-trunc-"))


@pytest.mark.parametrize("entry", OTHERS, ids=names_of(OTHERS))
def test_other_captures_are_survived_or_refused_with_the_reason(entry: dict[str, Any]) -> None:
    path = FOLDER / "files" / entry["file"]
    try:
        contents = read_capture(path)
    except NotACapture as refusal:
        assert path.name in refusal.message
        assert refusal.way_out
    else:
        counted = sum(item.packets_to_server + item.packets_to_client for item in contents.conversations)
        assert contents.packets == counted + contents.unread_packets + contents.left_out_packets


def test_names_are_those_that_others_read() -> None:
    missing = []
    scored = {entry["file"] for entry in SCORED}
    wanted = [row for row in rows("dns.jsonl") if row["file"] in scored]
    told: dict[str, set[tuple[str, str]]] = {}
    for row in wanted:
        if row["file"] not in told:
            contents = read_capture(FOLDER / "files" / row["file"])
            told[row["file"]] = {(name.name, str(name.address)) for name in contents.names}
        missing += [
            (row["file"], row["query"], answer)
            for answer in row["answers"]
            if (row["query"].lower(), str(canonical_address(answer))) not in told[row["file"]]
        ]
    assert wanted
    assert missing == []


def test_every_capture_is_either_compared_or_has_its_reason() -> None:
    for entry in OTHERS:
        reasons = (
            entry["file"] in UNREAD,
            entry.get("format") not in FORMATS,
            entry.get("linktype") not in LINK_TYPES,
        )
        assert any(reasons), entry["file"]
    assert set(UNREAD) <= {entry["file"] for entry in OTHERS}
    assert len(SCORED) >= 35
