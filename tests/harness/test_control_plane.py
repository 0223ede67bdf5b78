"""How the control plane is reached, and by whom."""

from __future__ import annotations

from pathlib import Path

from tests.harness import control_plane, gobuild, layout
from tests.harness.layout import Layout

WHERE = Layout(state=Path("/s"), build=Path("/b"), cache=Path("/c"))
PROGRAMS = gobuild.built_programs(WHERE.cache)


def test_the_api_server_listens_on_the_private_bridge_alone() -> None:
    assert f"--bind-address={layout.CONTROL_PLANE}" in control_plane.api_server(WHERE, PROGRAMS).command


def test_only_the_front_proxy_may_speak_for_others() -> None:
    command = control_plane.api_server(WHERE, PROGRAMS).command
    assert "--requestheader-allowed-names=front-proxy-client" in command


def test_services_have_both_families() -> None:
    command = control_plane.api_server(WHERE, PROGRAMS).command
    assert "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112" in command


def test_nothing_but_the_api_server_is_reachable_from_elsewhere() -> None:
    kubeconfig = Path("/k")
    for component in (
        control_plane.controller_manager(WHERE, PROGRAMS, kubeconfig),
        control_plane.scheduler(PROGRAMS, kubeconfig),
    ):
        assert "--bind-address=127.0.0.1" in component.command
    assert all("0.0.0.0" not in part for part in control_plane.etcd(WHERE).command)


def test_without_an_authority_nothing_is_ready(tmp_path: Path) -> None:
    assert not control_plane.api_is_ready(tmp_path / "ca.crt", "token")
