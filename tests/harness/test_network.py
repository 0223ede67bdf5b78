"""The network's commands, checked as text: what routes where, and what policies see."""

from __future__ import annotations

import pytest

from tests.harness import layout, network

NODES = layout.nodes(3)


def lines(commands: object) -> list[str]:
    """Commands as one would type them."""
    assert hasattr(commands, "__iter__")
    return [" ".join(command) for command in commands]


def test_a_node_routes_to_every_other_nodes_pods_and_not_to_its_own() -> None:
    said = lines(network.node_commands(NODES[0], NODES))
    for other in NODES[1:]:
        assert f"ip -n npg-node1 route add {other.pod_range} via {other.address}" in said
        assert f"ip -n npg-node1 route add {other.pod_range_v6} via {other.address_v6}" in said
    assert not any(f"add {NODES[0].pod_range} " in line for line in said)


def test_a_node_reaches_everything_else_through_the_outside() -> None:
    said = lines(network.node_commands(NODES[0], NODES))
    assert f"ip -n npg-node1 route add default via {layout.WORLD_GATEWAY}" in said
    assert f"ip -n npg-node1 route add default via {layout.WORLD_GATEWAY_V6}" in said


@pytest.mark.parametrize(
    ("iptables", "pods"), [("iptables", layout.POD_RANGE), ("ip6tables", layout.POD_RANGE_V6)]
)
def test_both_families_are_translated_on_their_way_out(iptables: str, pods: str) -> None:
    said = lines(network.node_commands(NODES[0], NODES))
    assert any(f"{iptables} -w -t nat -A POSTROUTING -s {pods} ! -d {pods}" in line for line in said)


def test_policies_never_see_what_the_node_itself_sends() -> None:
    for iptables in ("iptables", "ip6tables"):
        assert "! --src-type LOCAL" in network.policy_queue_rule(iptables)
        assert "--queue-bypass" in network.policy_queue_rule(iptables)


def test_policies_never_see_neighbour_discovery() -> None:
    assert "! -p icmpv6" in network.policy_queue_rule("ip6tables")
    assert "icmp" not in network.policy_queue_rule("iptables")


def test_the_outside_has_no_way_on() -> None:
    said = lines(network.world_commands())
    assert not any("route add" in line for line in said)
    assert any("net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0" in line for line in said)


def test_the_control_plane_reaches_services_through_the_first_node() -> None:
    said = lines(network.control_plane_routes(NODES))
    assert f"ip route add {layout.SERVICE_RANGE} via {NODES[0].address}" in said
    assert f"ip route add {layout.SERVICE_RANGE_V6} via {NODES[0].address_v6}" in said


def test_no_command_enters_a_namespace_in_the_way_that_loses_control_groups() -> None:
    assert not any("netns exec" in line for line in lines(network.node_commands(NODES[0], NODES)))
