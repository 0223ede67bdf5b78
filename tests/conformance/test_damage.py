"""Captures cut anywhere and damaged anyhow: no crash, no hang, and what precedes the damage is kept."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from kubectl_netpolgen.packets.reading import Engine, ReadingOptions, read
from tests.conformance.damage import mutations, prefixes, survive
from tests.conformance.test_flows_of_others import FOLDER, MANIFEST

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the conformance folder is not there")
FILES = sorted(entry["file"] for entry in MANIFEST)
MUTATIONS = 50
PREFIXES = 1000
"""Of files beyond 8 KiB; of those below, every one."""
MOST_MEMORY = 300 << 20


def content_of(name: str) -> bytes:
    return (FOLDER / "files" / name).read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(name: str, tmp_path: Path) -> None:
    for number, prefix in enumerate(prefixes(content_of(name), seed=1, most=PREFIXES)):
        survive(prefix, tmp_path / "cut.pcap", Engine.FAST if number % 20 == 0 else Engine.EXACT)


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_damage_is_survived(name: str, tmp_path: Path) -> None:
    content = content_of(name)
    for number, damaged in enumerate(mutations(content, seed=2, count=MUTATIONS)):
        survive(damaged, tmp_path / "damaged.pcap", Engine.FAST if number % 5 == 0 else Engine.EXACT)


def test_a_longer_prefix_tells_no_fewer_packets(tmp_path: Path) -> None:
    content = content_of("ndpi-nats.pcap")
    path, before = tmp_path / "x.pcap", 0
    for size in range(24, len(content)):
        path.write_bytes(content[:size])
        with read(path, options=ReadingOptions()) as reading:
            assert reading.packets >= before
            before = reading.packets
    assert before == 26


def test_none_of_it_needed_much_memory() -> None:
    # of this process with all its tests, so the bound is generous; `bench` measures the command alone
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_MEMORY + (200 << 20)
