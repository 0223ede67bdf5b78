"""A batch is its arrays, and comes out of them again."""

from __future__ import annotations

import numpy as np

from kubectl_netpolgen.packets.columns.batches import Batch, batch_of, columns_of, read_batch
from kubectl_netpolgen.packets.columns.decode import PADDING
from kubectl_netpolgen.packets.columns.walk import find_records
from kubectl_netpolgen.packets.link import LINKS
from kubectl_netpolgen.packets.pcap import FileHeader, Stretch
from tests.packets.columns.captures import some_traffic
from tests.packets.factories import ETHERNET, a_pcap

HEADER = FileHeader("<", 1000, ETHERNET, lengths_may_be_swapped=False)


def a_batch(seed: int) -> Batch:
    return batch_from(a_pcap(some_traffic(seed, 40)))


def batch_from(capture: bytes) -> Batch:
    """All packets of a capture."""
    content = capture[24:]
    offsets, position = find_records(Stretch(content, 0, len(content), len(content)), HEADER)
    assert position == len(content)
    return read_batch(content + bytes(PADDING), offsets, 9, HEADER, LINKS[ETHERNET])


def test_a_batch_is_its_arrays() -> None:
    batch = a_batch(1)
    columns = list(columns_of(batch))
    assert all(isinstance(column, np.ndarray) for column in columns)
    again = batch_of(batch.buffer, batch.link, batch.first, iter(columns))
    for one, other in zip(columns, columns_of(again), strict=True):
        assert one is other
    assert again.packets.keys.group is batch.packets.keys.group
    assert again.order.begins is batch.order.begins


def test_every_record_is_a_plain_packet_or_an_odd_one() -> None:
    batch = a_batch(2)
    numbers = sorted([*batch.packets.record.tolist(), *batch.odd.tolist()])
    assert numbers == list(range(batch.records.start.size))
    assert batch.odd.size
    assert batch.order.rows.size == batch.packets.record.size
