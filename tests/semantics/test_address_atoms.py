"""Addresses as integers: a block is exactly its addresses, families apart."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Address
from kubectl_netpolgen.model.policy import IPBlock, Peer, Rule
from kubectl_netpolgen.semantics.address_atoms import AddressAtoms, ip_blocks
from kubectl_netpolgen.semantics.evaluation import block_contains
from tests.factories import a_policy, address
from tests.semantics.factories import blocks

ADDRESSES = st.one_of(
    st.ip_addresses(v=4),
    st.ip_addresses(v=6),
    st.sampled_from(
        ["10.244.1.5", "10.244.255.255", "10.245.0.0", "203.0.113.10", "fd00::5", "::", "0.0.0.0"]
    ),
).map(lambda item: Address(str(item)))


@given(st.lists(blocks(), max_size=4), ADDRESSES)
def test_block_is_exactly_its_addresses(found: list[IPBlock], where: Address) -> None:
    atoms = AddressAtoms(found)
    for block in found:
        assert bool(atoms.mask(block) >> atoms.atom(where) & 1) is block_contains(block, where)
        printed = list(atoms.ranges(atoms.mask(block)))
        number = int(ipaddress.ip_address(where))
        assert block_contains(block, where) is any(
            (":" in item.first) is (":" in where)
            and int(ipaddress.ip_address(item.first)) <= number <= int(ipaddress.ip_address(item.last))
            for item in printed
        )


def test_all_addresses_are_one_range_for_each_family() -> None:
    atoms = AddressAtoms([IPBlock("10.0.0.0/8"), IPBlock("fd00::/8")])
    assert list(map(str, atoms.ranges(atoms.all))) == [
        "0.0.0.0-255.255.255.255",
        "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]
    assert list(atoms.ranges(0)) == []


def test_one_address_is_a_range_too_and_exceptions_leave_holes() -> None:
    block = IPBlock("203.0.113.0/24", ("203.0.113.10/32",))
    atoms = AddressAtoms([block, IPBlock("203.0.113.10/32")])
    assert list(map(str, atoms.ranges(atoms.mask(IPBlock("203.0.113.10/32"))))) == [
        "203.0.113.10-203.0.113.10"
    ]
    assert list(map(str, atoms.ranges(atoms.mask(block)))) == [
        "203.0.113.0-203.0.113.9",
        "203.0.113.11-203.0.113.255",
    ]


def test_order_is_by_family_and_number() -> None:
    atoms = AddressAtoms([IPBlock("9.0.0.0/8"), IPBlock("10.0.0.0/8"), IPBlock("::1/128")])
    mask = atoms.mask(IPBlock("10.0.0.0/8")) | atoms.mask(IPBlock("::1/128"))
    ranges = [*atoms.ranges(mask), *atoms.ranges(atoms.mask(IPBlock("9.0.0.0/8")))]
    assert [item.first for item in sorted(ranges, key=atoms.order)] == ["9.0.0.0", "10.0.0.0", "::1"]


def test_blocks_are_those_of_all_rules_of_both_directions() -> None:
    one, two = IPBlock("10.0.0.0/8"), IPBlock("fd00::/8")
    policy = a_policy(
        ingress=(Rule(peers=(Peer(ip_block=one),)),), egress=(Rule(), Rule(peers=(Peer(ip_block=two),)))
    )
    assert list(ip_blocks([policy])) == [one, two]
    assert AddressAtoms(ip_blocks([policy])).atom(address("10.1.1.1")) == 1
