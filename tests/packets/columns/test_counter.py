"""Two engines, one result: on every shape of packet, in chunks of any size, with memory or without."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.packets.columns.captures import Result, mutated, read_with, seeds, some_traffic
from tests.packets.factories import LINUX_SLL2, a_pcap


def both(content: bytes, *, keys: bool = False) -> tuple[Result, Result]:
    return read_with("exact", content, keys=keys), read_with("fast", content, keys=keys)


@given(seeds, st.booleans())
@settings(max_examples=60)
def test_the_engines_agree_on_whatever_is_sent(seed: int, keys: bool) -> None:
    exact, fast = both(a_pcap(some_traffic(seed)), keys=keys)
    assert exact == fast


@given(seeds, st.booleans())
@settings(max_examples=60)
def test_the_engines_agree_on_damaged_packets(seed: int, keys: bool) -> None:
    exact, fast = both(mutated(some_traffic(seed), seed), keys=keys)
    assert exact == fast


@pytest.mark.parametrize("chunk", [40, 700, 5000])
@pytest.mark.parametrize("most", [1, 20, 1000])
def test_neither_chunks_nor_the_lack_of_memory_change_anything(chunk: int, most: int) -> None:
    content = a_pcap(some_traffic(chunk + most, 150))
    assert read_with("exact", content, most=most, chunk=chunk) == read_with("exact", content)
    assert read_with("fast", content, most=most, chunk=chunk) == read_with("exact", content)


@pytest.mark.parametrize("link", [0, 101, 108, 104, 113, 276])
@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_the_engines_agree_on_other_links_and_byte_orders(link: int, byte_order: str) -> None:
    packets = some_traffic(link)
    if link in (113, 276):
        content = a_pcap(packets, link=link, byte_order=byte_order)
    else:
        header = {0: b"\2\0\0\0", 101: b"", 108: b"\0\0\0\2", 104: b"\x0f\0\x08\0"}[link]
        content = a_pcap([header + packet.ip for packet in packets], link=link, byte_order=byte_order)
    exact = read_with("exact", content, link=link)
    assert exact == read_with("fast", content, link=link)
    assert exact.counts[0] == len(packets)


def test_a_frame_of_several_interfaces_is_counted_by_the_other_code() -> None:
    packets = [packet for each in some_traffic(3) for packet in (each, each.on(9))]
    content = a_pcap(packets, link=LINUX_SLL2)
    exact = read_with("exact", content, link=LINUX_SLL2)
    assert exact == read_with("fast", content, link=LINUX_SLL2)
    assert sum(flow.duplicates for flow in exact.flows) > 100


def test_an_empty_capture_has_nothing() -> None:
    exact, fast = both(a_pcap([]))
    assert exact == fast
    assert fast.flows == []
