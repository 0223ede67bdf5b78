"""One spelling for each address, and which addresses can only be outside the cluster."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import (
    Address,
    address_order,
    canonical_address,
    host_network,
    is_group_address,
    is_loopback,
    is_outside,
)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:a00:1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::", "::"),
    ],
)
def test_address_has_one_spelling(text: str, spelled: str) -> None:
    assert canonical_address(text) == spelled


@given(st.ip_addresses())
def test_spelling_an_address_twice_changes_nothing(address: object) -> None:
    once = canonical_address(str(address))
    assert canonical_address(once) == once


@pytest.mark.parametrize(
    "text", ["", "None", "host", "10.0.0.1/24", "010.0.0.1", "1.2.3", "10.0.0.256", "::g"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        canonical_address(text)


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "203.0.113.10", "2001:db8::10", "2606:4700::1111", "172.32.0.1", "100.128.0.1"]
)
def test_address_that_numbers_no_pod_is_outside(text: str) -> None:
    assert is_outside(Address(text))


@pytest.mark.parametrize(
    "text",
    [
        "10.244.1.5",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "fd00::1",
        "fe80::1",
        "::1",
        "::",
        "ff02::1",
    ],
)
def test_address_that_may_be_a_pod_or_a_node_is_not_outside(text: str) -> None:
    assert not is_outside(Address(text))


def test_groups_are_multicast_and_limited_broadcast() -> None:
    assert is_group_address(Address("239.1.2.3"))
    assert is_group_address(Address("ff02::fb"))
    assert is_group_address(Address("255.255.255.255"))
    assert not is_group_address(Address("10.255.255.255"))


def test_loopback_is_all_of_127_and_the_one_of_ipv6() -> None:
    assert is_loopback(Address("127.8.8.8"))
    assert is_loopback(Address("::1"))
    assert not is_loopback(Address("10.0.0.1"))


@given(st.ip_addresses())
def test_cidr_of_an_address_holds_that_address_alone(parsed: ipaddress.IPv4Address) -> None:
    address = canonical_address(str(parsed))
    network = ipaddress.ip_network(host_network(address))
    assert network.num_addresses == 1
    assert str(network.network_address) == address


def test_addresses_sort_by_family_then_number() -> None:
    texts = ["10.0.0.10", "10.0.0.9", "2001:db8::1", "9.0.0.1", "::2"]
    assert sorted(map(Address, texts), key=address_order) == [
        "9.0.0.1",
        "10.0.0.9",
        "10.0.0.10",
        "::2",
        "2001:db8::1",
    ]
