"""Records the demo's bundle anew: the sample shop on the real cluster, captured as a user does, made small.

Run by `make demo-bundle`. Packets are cut to their headers, DNS answers excepted, since names come from them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.e2e.boutique.product import Bundle, Product
from tests.e2e.boutique.stage import Stage
from tests.e2e.boutique.workloads import boutique
from tests.harness.target import find_target

RECORDED = Path(__file__).parents[2] / "kubectl_netpolgen" / "recorded"
SHOP = "boutique"
IMAGE = "localhost/netpolgen/toolbox:dev"
_FILE_HEADER, _RECORD_HEADER = 24, 16
_SLL2 = 20
_UDP, _TCP = 17, 6
_KEPT = ("bundle.json", "session.jsonl", "cluster", "captures")


def headers_only(capture: bytes) -> bytes:
    """Cut each packet of a little-endian SLL2 capture after its transport header; DNS stays whole."""
    out = bytearray(capture[:_FILE_HEADER])
    position = _FILE_HEADER
    while position + _RECORD_HEADER <= len(capture):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", capture, position)
        frame = capture[position + _RECORD_HEADER : position + _RECORD_HEADER + captured]
        kept = frame[: _header_length(frame)]
        out += struct.pack("<IIII", seconds, fraction, len(kept), wire) + kept
        position += _RECORD_HEADER + captured
    return bytes(out)


def _header_length(frame: bytes) -> int:
    if len(frame) <= _SLL2:
        return len(frame)
    six = frame[_SLL2] >> 4 == 6
    protocol = frame[_SLL2 + (6 if six else 9)] if len(frame) > _SLL2 + 9 else 0
    transport = _SLL2 + (40 if six else (frame[_SLL2] & 15) * 4)
    if protocol == _UDP and 53 not in struct.unpack_from(">HH", frame.ljust(transport + 4, b"\0"), transport):
        return transport + 8
    if protocol == _TCP:
        return transport + 20
    return len(frame)


def shrink(bundle: Path, target: Path) -> None:
    """Copy what the analysis reads, packets cut, sizes and hashes of the manifest made true again."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in _KEPT:
        source = bundle / name
        if source.is_dir():
            shutil.copytree(source, target / name)
        else:
            shutil.copy(source, target / name)
    manifest: dict[str, Any] = json.loads((target / "bundle.json").read_text())
    for pod in manifest["pods"]:
        if pod["pcap"]:
            path = target / pod["pcap"]
            path.write_bytes(headers_only(path.read_bytes()))
            pod["bytes"] = path.stat().st_size
            pod["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (target / "bundle.json").write_text(json.dumps(manifest, indent=2) + "\n")
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        if path.name.endswith((".stderr", ".status.json")):
            path.unlink()


def main() -> int:
    """Deploy the shop, capture it for 30 seconds and put the small bundle in its place."""
    target = find_target()
    target.kubectl.run("create", "namespace", SHOP)
    target.kubectl.wait("-n", SHOP, "--for=create", "serviceaccount/default")
    with tempfile.TemporaryDirectory() as scratch:
        stage = Stage(target.kubectl, SHOP, boutique(target.is_harness))
        stage.deploy()
        stage.wait_for_calls(stage.calls() - {("pricefeed", "adservice-legacy")})
        bundle = Bundle(Path(scratch) / "bundle")
        arguments = ("-n", SHOP, "--duration", "30s", "--bundle", str(bundle.path), "--image", IMAGE, "--yes")
        finished = Product(target.kubectl, target.kubeconfig).run("capture", *arguments)
        sys.stderr.write(finished.said)
        finished.expect(0)
        shrink(bundle.path, RECORDED)
    target.kubectl.run("delete", "namespace", SHOP, "--wait=false")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
