"""Manifests of np-guard/netpol-analyzer and what that project expects of them, compared as sets."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from kubectl_netpolgen.cli.main import main
from tests.cli.factories import Heard, an_environment
from tests.conformance.test_flows_of_others import FOLDER

CASES = FOLDER.parent / "netpol-analyzer"
INDEX = CASES / "index.json"
ABSENT = f"no conformance cases at {CASES}"
FOUND: list[dict[str, Any]] = json.loads(INDEX.read_text())["cases"] if INDEX.is_file() else []
PROTOCOLS = ("SCTP", "TCP", "UDP")

Pair = tuple[str, str]


def cases(*kinds: str) -> list[Any]:
    found = [case for case in FOUND if case["kind"] in kinds]
    absent = pytest.param({}, marks=pytest.mark.skip(reason=ABSENT), id="absent")
    return [pytest.param(case, id=case["name"]) for case in found] or [absent]


@dataclass(frozen=True)
class Ran:
    """What a run said, and how it ended."""

    status: int
    stdout: str
    stderr: str


def connectivity(case: dict[str, Any], *words: str) -> Ran:
    heard = Heard(an_environment())
    folder = str(CASES / case["manifests"])
    words = ("kubectl-netpolgen", "connectivity", "-f", folder, "-o", "json", *words)
    status = main(words, heard.environment)
    return Ran(status, heard.stdout, heard.stderr)


def merged(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """A set of numbers as its ranges, the fewest there are."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


class Union:
    """Pairs, with ports as a set of numbers, and with addresses as a set for each set of ports."""

    def __init__(self) -> None:
        self._pairs: dict[Pair, dict[str, list[tuple[int, int]]]] = {}
        self._outside: dict[tuple[Pair, str, tuple[tuple[int, int], ...]], list[tuple[int, int]]] = {}

    def add(self, source: str, destination: str, ports: dict[str, list[tuple[int, int]]]) -> None:
        ends = [_addresses(end) for end in (source, destination)]
        if not any(ends):
            known = self._pairs.setdefault((source, destination), {})
            for protocol, ranges in ports.items():
                known.setdefault(protocol, []).extend(ranges)
            return
        pair = tuple(
            "outside" if address else end for end, address in zip((source, destination), ends, strict=True)
        )
        for address in filter(None, ends):
            for protocol, ranges in ports.items():
                for first, last in merged(ranges):
                    self._outside.setdefault(((pair[0], pair[1]), protocol, ((first, last),)), []).append(
                        address
                    )

    def result(self) -> dict[str, Any]:
        inside = {
            f"{pair[0]} > {pair[1]}": {protocol: merged(ranges) for protocol, ranges in sorted(ports.items())}
            for pair, ports in self._pairs.items()
        }
        return {"inside": inside, "outside": _areas(self._outside)}


def _areas(
    found: dict[tuple[Pair, str, tuple[tuple[int, int], ...]], list[tuple[int, int]]],
) -> dict[str, Any]:
    """Addresses times ports cut at all bounds, so that it does not matter how either side cut them."""
    grouped: dict[tuple[Pair, str], list[tuple[tuple[int, int], list[tuple[int, int]]]]] = {}
    for (pair, protocol, (ports,)), addresses in found.items():
        grouped.setdefault((pair, protocol), []).append((ports, addresses))
    areas: dict[str, Any] = {}
    for (pair, protocol), items in grouped.items():
        bounds = sorted({bound for (first, last), _ in items for bound in (first, last + 1)})
        pieces: dict[tuple[tuple[int, int], ...], list[tuple[int, int]]] = {}
        for first, after in pairwise(bounds):
            here = [address for (low, high), listed in items if low <= first <= high for address in listed]
            if here:
                pieces.setdefault(merged(here), []).append((first, after - 1))
        areas[f"{pair[0]} > {pair[1]} {protocol}"] = {where: merged(ports) for where, ports in pieces.items()}
    return areas


def _addresses(end: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"([\d.]+)-([\d.]+)(?:\[External\])?", end)
    if match is None:
        return None
    return int(ipaddress.ip_address(match[1])), int(ipaddress.ip_address(match[2]))


def expected_ports(text: str) -> dict[str, list[tuple[int, int]]]:
    """`TCP 80,8000-8080,UDP 53`; an item without a protocol goes on with the one before."""
    if text == "All Connections":
        return {protocol: [(1, 65535)] for protocol in PROTOCOLS}
    found: dict[str, list[tuple[int, int]]] = {}
    protocol = ""
    for item in text.split(","):
        words = item.split()
        if words[0] in PROTOCOLS:
            protocol = words.pop(0)
        for word in words:
            first, _, last = word.partition("-")
            found.setdefault(protocol, []).append((int(first), int(last or first)))
    return found


def ours(ran: Ran) -> dict[str, Any]:
    found = Union()
    document = json.loads(ran.stdout)
    assert (document["apiVersion"], document["kind"]) == ("netpolgen/v1", "ConnectivityList")
    for item in document["items"]:
        ends = [_spelled(item[name]) for name in ("source", "destination")]
        if any(":" in end for end in ends):
            # the others know of IPv4 only
            continue
        found.add(
            ends[0], ends[1], {one["protocol"]: [tuple(r) for r in one["ports"]] for one in item["allowed"]}
        )
    return found.result()


def _spelled(end: dict[str, str]) -> str:
    if "range" in end:
        return end["range"]
    if "pod" in end:
        return f"{end['pod']}[Pod]"
    namespace, kind, name = end["workload"].split("/")
    return f"{namespace}/{name}[{kind}]"


@pytest.mark.parametrize("case", cases("connlist"))
def test_everything_that_is_allowed_is_listed_and_nothing_else(case: dict[str, Any]) -> None:
    found = Union()
    for line in (CASES / case["expected"]["txt"]).read_text().splitlines():
        if " => " not in line or any(word in line for word in case.get("ignore_lines_containing", ())):
            continue
        pair, _, ports = line.partition(" : ")
        source, _, destination = pair.partition(" => ")
        found.add(source.strip(), destination.strip(), expected_ports(ports.strip()))
    ran = connectivity(case, "--ipblock-pods", "ignore")
    assert ran.status == 0, ran.stderr
    assert ours(ran) == found.result()


@pytest.mark.parametrize("case", cases("connections-map"))
def test_pod_by_pod_with_each_pod_itself(case: dict[str, Any]) -> None:
    ran = connectivity(case, "--pods")
    assert ran.status == 0, ran.stderr
    items = json.loads(ran.stdout)["items"]
    known = {
        (item["source"]["pod"], item["destination"]["pod"]): {
            one["protocol"]: [tuple(r) for r in one["ports"]] for one in item["allowed"]
        }
        for item in items
        if "pod" in item["source"] and "pod" in item["destination"]
    }
    lines = (CASES / case["expected"]["txt"]).read_text().splitlines()
    seen = 0
    for line in lines:
        match = re.fullmatch(r"src: (.+), dest: (.+), allowed conns: (.+)", line)
        if match is None or _addresses(match[1]) or _addresses(match[2]):
            continue
        allowed = known.get((match[1], match[2]), {})
        if match[3] in ("true", "false"):
            tcp = any(first <= 80 <= last for first, last in allowed.get("TCP", ()))
            assert tcp is (match[3] == "true"), line
        elif match[3] == "No Connections":
            assert not allowed, line
        else:
            assert allowed == expected_ports(match[3]), line
        seen += 1
    assert seen > 100


@pytest.mark.parametrize("case", cases("invalid"))
def test_what_the_api_server_refuses_is_refused(case: dict[str, Any]) -> None:
    ran = connectivity(case)
    if case["basis"] == "tool-choice":
        # the API server takes these: a named port matches no address, and pods are judged one by one
        assert ran.status == 0, ran.stderr
        return
    assert (ran.status, ran.stdout) == (2, "")
    assert re.search(r"\.(?:ya?ml|json):\d+: \w+ \S+: ", ran.stderr), ran.stderr
