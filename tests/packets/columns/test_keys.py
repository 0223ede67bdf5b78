"""Keys as columns hold what keys as bytes hold."""

from __future__ import annotations

import ipaddress
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.packets.columns.keys import context_of, hash_columns, keys_of, raw_key
from kubectl_netpolgen.packets.network import TCP, UDP
from kubectl_netpolgen.packets.table import Context, reverse, unmapped_key

addresses = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
    st.sampled_from(
        [
            (ipaddress.ip_address("::ffff:10.0.0.1"), ipaddress.ip_address("::ffff:10.0.0.2")),
            (ipaddress.ip_address("::ffff:10.0.0.1"), ipaddress.ip_address("::1")),
            (ipaddress.ip_address("::1"), ipaddress.ip_address("::1")),
        ]
    ),
)
ports = st.integers(0, 65535)
raw_keys = st.builds(
    lambda ends, one, other: ends[0].packed + ends[1].packed + struct.pack(">HH", one, other),
    addresses,
    ports,
    ports,
)


vlans = st.one_of(st.none(), st.integers(0, 4095))


@given(st.lists(raw_keys, min_size=1, max_size=20), st.sampled_from([TCP, UDP]), vlans)
def test_a_key_comes_back_as_it_was(raw: list[bytes], protocol: int, vlan: int | None) -> None:
    keys = keys_of(raw, protocol, vlan)
    rows = zip(*(column.tolist() for column in keys), strict=True)
    for key, (*numbers, group) in zip(raw, rows, strict=True):
        assert raw_key(numbers, turned=bool(group & 1)) == unmapped_key(key)
        assert context_of(numbers[4]) == Context(protocol, vlan)


@given(raw_keys)
def test_both_directions_differ_in_one_bit_and_the_smaller_key_goes_there(key: bytes) -> None:
    there, back = keys_of([key], TCP), keys_of([reverse(key)], TCP)
    assert [column[0] for column in there[:5]] == [column[0] for column in back[:5]]
    one, other = int(there.group[0]), int(back.group[0])
    canonical = unmapped_key(key)
    if reverse(canonical) == canonical:
        assert one == other
        assert not one & 1
    else:
        assert one ^ other == 1
        assert bool(one & 1) is (reverse(canonical) < canonical)


def test_protocols_and_families_are_told_apart() -> None:
    four = bytes(8) + b"\0\1\0\2"
    six = bytes(32) + b"\0\1\0\2"
    groups = {int(keys_of([key], protocol).group[0]) >> 1 for key in (four, six) for protocol in (TCP, UDP)}
    assert len(groups) == 4


def test_the_hash_spreads_neighbours() -> None:
    columns = [np.arange(100_000, dtype=np.uint64), np.zeros(100_000, np.uint64)]
    hashed = hash_columns(columns)
    assert np.unique(hashed >> np.uint64(1)).size == 100_000
    partitions = np.bincount((hashed >> np.uint64(58)).astype(np.int64), minlength=64)
    assert partitions.min() > 1000
