"""Protocols, addresses and what kind of address one is."""

from __future__ import annotations

import ipaddress
from enum import Enum
from functools import lru_cache
from typing import NewType

Address = NewType("Address", str)
"""An IPv4 or IPv6 address in canonical text (RFC 5952); `::ffff:a.b.c.d` is written as IPv4."""

DNS_PORT = 53


class Protocol(str, Enum):
    """The three protocols that NetworkPolicy v1 defines."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


# Ranges in which an address says nothing about who it is: pods, Services and nodes live there.
# An explicit list, because `ipaddress.is_global` changes between Python releases, and because the
# documentation ranges (RFC 5737, RFC 3849) never number a pod and must behave as the outside does.
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "64:ff9b:1::/48",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
    )
)


def canonical_address(text: str) -> Address:
    """Return the one spelling of an address, unmapping IPv4-in-IPv6; ValueError when it is none."""
    address = ipaddress.ip_address(text.split("%", 1)[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return Address(str(address.ipv4_mapped))
    return Address(str(address))


def is_outside(address: Address) -> bool:
    """True for an address that can only be outside the cluster, so that a `/32` for it is honest."""
    parsed = ipaddress.ip_address(address)
    if parsed.is_multicast:
        return False
    return not any(parsed in network for network in _PRIVATE if network.version == parsed.version)


def is_group_address(address: Address) -> bool:
    """True for multicast and the limited broadcast, which NetworkPolicy cannot express."""
    parsed = ipaddress.ip_address(address)
    return parsed.is_multicast or address == "255.255.255.255"


def is_loopback(address: Address) -> bool:
    """True for an address that never leaves the pod."""
    return ipaddress.ip_address(address).is_loopback


def host_network(address: Address) -> str:
    """The CIDR of exactly this address: `/32` or `/128`, as `ipBlock.cidr` wants it."""
    parsed = ipaddress.ip_address(address)
    return f"{address}/{parsed.max_prefixlen}"


@lru_cache(maxsize=1 << 16)
def address_order(address: Address) -> tuple[int, int]:
    """Sort key: IPv4 before IPv6, then by number."""
    parsed = ipaddress.ip_address(address)
    return (parsed.version, int(parsed))
