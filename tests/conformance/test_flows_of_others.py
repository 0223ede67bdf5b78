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

from kubectl_netpolgen.cli.main import main
from kubectl_netpolgen.model.errors import ExitStatus
from kubectl_netpolgen.model.flow import Conversation
from kubectl_netpolgen.model.network import Address, canonical_address
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.reading import Engine, NotACapture, ReadingOptions, read, read_capture
from tests.cli.factories import Heard, an_environment
from tests.components import needs

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("NETPOLGEN_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "captures"

LINK_TYPES = set(LINKS)
FORMATS = {"pcap", "pcap-be", "pcap-ns", "pcapng", "pcap.gz", "pcap.zst"}
SCORED_DIRECTIONS = {"syn", "first+port", "port", "zeek", "suricata"}
UNREAD = {
    "ndpi-4in6tunnel.pcap": "the inside of a tunnel is listed, which is told with --inner only",
    "ndpi-6in6tunnel.pcap": "the same",
    "ndpi-sctp.cap": "the baseline lists SCTP without its ports",
    "zeek-cisco-fabric-path.pcap": "the same",
    "zeek-quic_chromium-115.0.5790.110-api-cirrus-com.pcap": "the baseline lists QUIC as TCP",
    "zeek-quic_quic-39264-rand.pcap": "the same",
    "zeek-quic_interop_quic-go_quic-go_handshake.pcap": "PPP, which the list of captures does not say",
    "zeek-quic_interop_quic-go_quic-go_zerortt.pcap": "the same",
}
"""Captures whose baseline lists what is no row, or whose link type is not read: they must be survived."""
MISTAKEN = {("sv-bittorrent-dht.pcap", frozenset({20000, 30000}))}
"""Directions that nothing in the packets tells: the first packet comes from the lower port."""

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
    """A pcapng file says the link types in its blocks; the list leaves them out."""
    if not entry.get("flows") and not entry["complete"]:
        return False
    kind = entry.get("linktype")
    return (kind is None or kind in LINK_TYPES) and entry.get("format", "pcap") in FORMATS


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


def disagreements(row: dict[str, Any], item: Conversation) -> list[str]:
    told = (item.client, item.client_port) == (canonical_address(row["orig_h"]), row["orig_p"])
    ports = frozenset((item.client_port, item.server_port))
    if not told and row["direction"] in SCORED_DIRECTIONS and (row["file"], ports) not in MISTAKEN:
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


@pytest.mark.parametrize("engine", [Engine.EXACT, Engine.FAST])
@pytest.mark.parametrize("entry", SCORED, ids=names_of(SCORED))
def test_the_flows_are_those_that_others_find(entry: dict[str, Any], engine: Engine) -> None:
    with read(FOLDER / "files" / entry["file"], options=ReadingOptions(engine=engine)) as reading:
        conversations = list(reading.conversations())
        packets = reading.packets
    found = {found_ends(item): item for item in conversations}
    wanted = {wanted_ends(row): row for row in FLOWS[entry["file"]]}
    assert len(found) == len(conversations)
    assert sorted(map(str, wanted.keys() - found.keys())) == []
    if entry["complete"]:
        assert sorted(map(str, found.keys() - wanted.keys())) == []
    differing = {str(ends): disagreements(wanted[ends], found[ends]) for ends in found.keys() & wanted.keys()}
    assert {ends: why for ends, why in differing.items() if why} == {}
    if entry.get("packets_in_file") is not None:
        assert packets == entry["packets_in_file"] - (1 if _last_record_is_cut(entry) else 0)


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


def told_names(directory: Path, files: list[str]) -> dict[str, set[str]]:
    """The names of all conversations of each file, as the command tells them."""
    world = Heard(an_environment(directory=directory, variables={"PATH": os.environ["PATH"]}))
    status = main(["kubectl-netpolgen", "flows", *files, "--conversations", "-o", "jsonl"], world.environment)
    assert status == ExitStatus.DONE, world.stderr
    found: dict[str, set[str]] = defaultdict(set)
    for line in world.stdout.splitlines():
        row = json.loads(line)
        found[row["file"]].update(item["name"] for item in row["names"])
    return found


@needs("tshark")
def test_server_names_are_those_that_others_read_also_inside_quic() -> None:
    ppp = {file for file in UNREAD if "interop" in file}
    unread = ppp | {entry["file"] for entry in MANIFEST if entry.get("linktype", 1) not in LINK_TYPES}
    wanted = [
        (row["file"], name.lower())
        for row in rows("flows.jsonl")
        for name in row.get("sni", ())
        if row["file"] not in unread
        and row.get("sni_confirmed") is not False
        and not row["file"].startswith("derived-snap96")
    ]
    told = told_names(FOLDER / "files", sorted({file for file, _ in wanted}))
    missing = [pair for pair in wanted if pair[1] not in told[pair[0]]]
    assert len(wanted) > 50
    assert len(missing) <= len(wanted) / 100, missing


def test_every_capture_is_either_compared_or_has_its_reason() -> None:
    for entry in OTHERS:
        reasons = (
            entry["file"] in UNREAD,
            entry.get("format", "pcap") not in FORMATS,
            entry.get("linktype", 1) not in LINK_TYPES,
            not entry.get("flows") and not entry["complete"],
        )
        assert any(reasons), entry["file"]
    assert set(UNREAD) <= {entry["file"] for entry in OTHERS}
    assert len(SCORED) >= 65
