"""Names and addresses are arithmetic: no two nodes may share any, and sockets must fit."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from tests.harness import layout
from tests.harness.layout import Layout


def test_no_two_nodes_share_a_name_an_address_or_a_range() -> None:
    nodes = layout.nodes(layout.MAX_NODES)
    for parts in zip(
        *(
            (one.name, one.link, one.address, one.address_v6, one.pod_range, one.pod_range_v6)
            for one in nodes
        ),
        strict=True,
    ):
        assert len(set(parts)) == len(nodes)


def test_pod_ranges_lie_inside_the_clusters_range_and_service_ranges_do_not() -> None:
    pods, pods_v6 = ipaddress.IPv4Network(layout.POD_RANGE), ipaddress.IPv6Network(layout.POD_RANGE_V6)
    for one in layout.nodes(layout.MAX_NODES):
        assert ipaddress.IPv4Network(one.pod_range).subnet_of(pods)
        assert ipaddress.IPv6Network(one.pod_range_v6).subnet_of(pods_v6)
    assert not pods.overlaps(ipaddress.IPv4Network(layout.SERVICE_RANGE))
    assert not pods_v6.overlaps(ipaddress.IPv6Network(layout.SERVICE_RANGE_V6))


def test_the_outside_is_documentation_space_only() -> None:
    for host in (layout.WORLD_DNS, *layout.WORLD_HOSTS):
        assert ipaddress.IPv4Address(host.address) in ipaddress.IPv4Network("203.0.113.0/24")
        assert ipaddress.IPv6Address(host.address_v6) in ipaddress.IPv6Network("2001:db8::/64")


def test_links_have_names_that_the_kernel_takes() -> None:
    assert all(len(one.link) <= 15 for one in layout.nodes(layout.MAX_NODES))


def test_sockets_have_paths_that_the_kernel_takes() -> None:
    longest = layout.nodes(layout.MAX_NODES)[-1]
    assert len(str(Layout().containerd_socket(longest))) <= 107


@pytest.mark.parametrize("count", [0, 10])
def test_an_impossible_number_of_nodes_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 9"):
        layout.nodes(count)


def test_the_cache_follows_the_users_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Layout().cache == tmp_path / "netpolgen"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Layout().cache == Path.home() / ".cache" / "netpolgen"
