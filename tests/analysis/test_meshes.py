"""What a mesh hides, and what it is recognised by."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.analysis.meshes import (
    PROBE_SOURCES,
    has_sidecar,
    hidden_by_sidecar,
    tunnelled,
)
from kubectl_netpolgen.model.network import Protocol
from tests.factories import a_listener, a_network, a_pod, an_edge


def listening(*ports: int) -> bool:
    return has_sidecar(a_network("uid-web-1", *(a_listener(port) for port in ports)))


def test_sidecar_is_known_by_both_of_its_ports() -> None:
    assert listening(15001, 15006, 8080)
    assert not listening(15006, 8080)
    assert not listening()


def test_pod_with_a_sidecar_is_named() -> None:
    finding = hidden_by_sidecar(a_pod("web-1"))
    assert (finding.code, finding.subject) == ("mesh-sidecar", "pod shop/web-1")


@pytest.mark.parametrize(
    ("port", "protocol", "told"),
    [(15008, Protocol.TCP, True), (15008, Protocol.UDP, False), (8080, Protocol.TCP, False)],
)
def test_tunnel_of_an_ambient_mesh_is_told(port: int, protocol: Protocol, told: bool) -> None:
    finding = tunnelled(an_edge(port=port, protocol=protocol))
    assert (finding is not None) is told
    assert finding is None or finding.code == "mesh-tunnel"


def test_probes_of_an_ambient_mesh_come_from_addresses_of_no_node() -> None:
    assert all(address.startswith(("169.254.", "fd16:")) for address in PROBE_SOURCES)
