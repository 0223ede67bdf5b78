"""A batch: the packets of one buffer, decoded and in order, before anybody asked what they say.

All of it is arrays and the bytes that they point into, so that another process may make it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from numpy.typing import NDArray

from kubectl_netpolgen.packets.columns.decode import Numbers, Packets, Records, decode, read_records
from kubectl_netpolgen.packets.columns.keys import Keys
from kubectl_netpolgen.packets.columns.rows import Order, order_rows
from kubectl_netpolgen.packets.columns.walk import Offsets
from kubectl_netpolgen.packets.link import Link
from kubectl_netpolgen.packets.pcap import FileHeader

Column = NDArray[Any]


class Batch(NamedTuple):
    """Some of a capture's records."""

    buffer: bytes
    link: Link
    first: int
    """The number of the first record in the file."""
    records: Records
    packets: Packets
    odd: Numbers
    """Records that are no plain packets."""
    order: Order

    def key(self, row: int) -> bytes:
        """The key of a row's half as it lies in the packet, which is how the other engine takes it."""
        transport = int(self.packets.transport[row])
        return self.buffer[transport - (32 if self.packets.six[row] else 8) : transport + 4]


def read_batch(buffer: bytes, offsets: Offsets, first: int, header: FileHeader, link: Link) -> Batch:
    """Decode the records at the offsets of a buffer, which has `PADDING` behind them."""
    records = read_records(buffer, offsets, header)
    packets, odd = decode(buffer, records, link)
    return Batch(buffer, link, first, records, packets, odd, order_rows(packets.keys))


def columns_of(batch: Batch) -> Iterator[Column]:
    """All arrays of a batch, which `batch_of` puts together again."""
    yield from batch.records
    for column in batch.packets:
        if isinstance(column, Keys):
            yield from column
        else:
            yield column
    yield batch.odd
    yield from batch.order


def batch_of(buffer: bytes, link: Link, first: int, columns: Iterator[Column]) -> Batch:
    """The batch whose arrays these are."""

    def take(count: int) -> list[Column]:
        return [next(columns) for _ in range(count)]

    records = Records(*take(len(Records._fields)))
    (record,), keys = take(1), Keys(*take(len(Keys._fields)))
    packets = Packets(record, keys, *take(len(Packets._fields) - 2))
    (odd,) = take(1)
    return Batch(buffer, link, first, records, packets, odd, Order(*take(len(Order._fields))))
