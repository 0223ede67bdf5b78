"""Probes and others behind one address, told apart by how often the probes come."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.analysis.probing import crowded, more_than_probes, role_of
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.network import Protocol
from tests.factories import SECOND, a_flow, a_pod, a_service, a_timeline, an_endpoint

NODE = Endpoint(EndpointKind.NODE, name="node-1")
SERVER = Endpoint(EndpointKind.WORKLOAD, "Deployment", "shop", "web")
PROBED = a_pod("web-1", node="node-1", probe_ports=frozenset({8080}), probe_periods=((8080, 3), (8080, 10)))


@pytest.mark.parametrize(
    ("connections", "seconds", "more"),
    [
        # 45 s hold 15 periods of 3 s and 4 of 10 s, each with its two ends and a late one
        (15 + 2 + 4 + 2, 45, False),
        (15 + 2 + 4 + 2 + 1, 45, True),
        (4, 0, False),
        (5, 0, True),
    ],
)
def test_probes_are_as_many_as_their_periods_allow(connections: int, seconds: int, more: bool) -> None:
    assert more_than_probes(PROBED, 8080, connections, seconds * SECOND) is more


@pytest.mark.parametrize("periods", [(), ((8080, 0),), ((8080, 3), (8080, 0)), ((9090, 3),)])
def test_probes_of_an_unknown_period_may_be_any_number(periods: tuple[tuple[int, int], ...]) -> None:
    pod = a_pod("web-1", probe_ports=frozenset({8080}), probe_periods=periods)
    assert not more_than_probes(pod, 8080, 1_000_000, SECOND)


def test_node_is_crowded_where_a_node_port_leads_to_the_port_that_is_probed() -> None:
    flow = a_flow("10.244.1.1", "10.244.1.5", 8080, pod_uid=PROBED.uid)
    invites, keeps_in = (a_service("web", "10.96.0.10", type=kind) for kind in ("NodePort", "ClusterIP"))
    assert crowded(flow, 100.0, a_timeline(PROBED, invites))
    assert not crowded(flow, 3.0, a_timeline(PROBED, invites))
    assert not crowded(flow, 100.0, a_timeline(PROBED, keeps_in))
    assert not crowded(flow, 100.0, a_timeline(invites))


def test_what_comes_from_the_own_node_is_no_probe_where_others_are_among_it() -> None:
    assert role_of(NODE, SERVER, 8080, Protocol.TCP, PROBED, crowded=True) is None


@pytest.mark.parametrize(
    ("client", "server", "port", "protocol", "role"),
    [
        (NODE, an_endpoint("api"), 8080, Protocol.TCP, Role.PROBE),
        (NODE, an_endpoint("api"), 8081, Protocol.TCP, None),
        (NODE, an_endpoint("api"), 8080, Protocol.UDP, None),
        (Endpoint(EndpointKind.NODE, name="node-2"), an_endpoint("api"), 8080, Protocol.TCP, None),
        (an_endpoint("web"), an_endpoint("api"), 8080, Protocol.TCP, None),
        (NODE, an_endpoint("dns", role=Role.DNS), 8080, Protocol.TCP, Role.DNS),
    ],
)
def test_probe_comes_from_the_pods_own_node_to_a_port_that_is_probed(
    client: Endpoint, server: Endpoint, port: int, protocol: Protocol, role: Role | None
) -> None:
    assert role_of(client, server, port, protocol, PROBED) is role
