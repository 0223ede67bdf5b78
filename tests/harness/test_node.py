"""The settings without which two nodes on one machine disturb each other, or do not start at all."""

from __future__ import annotations

from pathlib import Path

from tests.harness import layout, node
from tests.harness.layout import Layout

WHERE = Layout(state=Path("/s"), build=Path("/b"), cache=Path("/c"))
FIRST, SECOND = layout.nodes(2)


def test_pods_get_an_address_of_each_family_from_their_own_node() -> None:
    bridge = node.cni_configuration(SECOND, WHERE)["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.2.0/24"}], [{"subnet": "fd00:10:244:2::/64"}]]
    assert {route["dst"] for route in bridge["ipam"]["routes"]} == {"0.0.0.0/0", "::/0"}
    # The nodes' own rules translate, and only what leaves the pod range.
    assert bridge["ipMasq"] is False


def test_nodes_share_no_directory() -> None:
    first, second = (node.kubelet_configuration(one, WHERE) for one in (FIRST, SECOND))
    for key in ("podLogsDir", "volumePluginDir", "cgroupRoot", "containerRuntimeEndpoint", "address"):
        assert first[key] != second[key]
    assert node.cni_configuration(FIRST, WHERE)["plugins"][0]["ipam"]["dataDir"].startswith("/s/node1/")


def test_the_runtime_keeps_everything_in_its_nodes_directory() -> None:
    settings = node.containerd_configuration(FIRST, WHERE)
    for line in (
        'root = "/s/node1/containerd"',
        'state = "/s/node1/run"',
        'address = "/s/node1/containerd.sock"',
    ):
        assert line in settings
    assert "netns_mounts_under_state_dir = true" in settings


def test_nothing_asks_for_protection_from_the_oom_killer() -> None:
    assert "restrict_oom_score_adj = true" in node.containerd_configuration(FIRST, WHERE)
    assert node.kubelet_configuration(FIRST, WHERE)["oomScoreAdj"] == 0
    assert node.proxy_configuration(FIRST, Path("/k"))["oomScoreAdj"] == 0


def test_the_kubelet_accepts_nobody_without_credentials() -> None:
    settings = node.kubelet_configuration(FIRST, WHERE)
    assert settings["authentication"]["anonymous"] == {"enabled": False}
    assert settings["authorization"] == {"mode": "Webhook"}
