"""From what a client dialled to the pods and ports behind it."""

from __future__ import annotations

from typing import Any

from kubectl_netpolgen.analysis.endpoints import Backend
from kubectl_netpolgen.analysis.flow_table import table_of
from kubectl_netpolgen.analysis.services import Translation, Translator
from kubectl_netpolgen.model.flow import Flow
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import EndpointSlice, Node, SliceEndpoint
from kubectl_netpolgen.model.sockets import PodNetwork
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    SECOND,
    a_flow,
    a_listener,
    a_network,
    a_pod,
    a_row,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    address,
    networks_of,
)

WEB = a_pod("web-1", "10.244.1.5")
BLUE, GREEN = a_pod("blue-1", "10.244.1.6"), a_pod("green-1", "10.244.1.7")
SERVICE = a_service("api", "10.96.0.10")
DIALLED = a_flow("10.244.1.5", "10.96.0.10", 80)
OBJECTS: tuple[KubernetesObject, ...] = (WEB, BLUE, GREEN, SERVICE, a_slice("api", BLUE, GREEN))


def served_by(pod: Any, client: str = "10.244.1.5", **changes: Any) -> Flow:
    """The same connection in the backend's capture."""
    return a_flow(
        client,
        pod.addresses[0],
        **{
            "server_port": 8080,
            "capture": f"captures/{pod.uid}/run.pcap",
            "pod_uid": pod.uid,
            **changes,
        },
    )


def translated(
    *flows: Flow, objects: tuple[KubernetesObject, ...] = OBJECTS, networks: tuple[PodNetwork, ...] = ()
) -> Translation:
    """What stands behind the first flow."""
    return Translator(a_timeline(*objects), table_of(flows), networks_of(*networks)).of_flow(flows[0])


def ends(translation: Translation) -> list[tuple[str, int]]:
    """Addresses and ports of the backends."""
    return [(backend.address, backend.port) for backend in translation.backends]


def test_what_both_captures_share_names_the_backend() -> None:
    found = translated(DIALLED, served_by(GREEN))
    assert ends(found) == [("10.244.1.7", 8080)]
    assert found.joined
    assert found.unseen == ()
    assert found.service == SERVICE


def test_connection_with_another_number_is_another_connection() -> None:
    found = translated(DIALLED, served_by(GREEN, keys=("tffffffff",), client="10.244.1.9"))
    assert not found.joined
    assert ends(found) == [("10.244.1.6", 8080), ("10.244.1.7", 8080)]


def test_same_number_at_another_time_is_another_connection() -> None:
    later = NOON + 600 * SECOND
    found = translated(DIALLED, served_by(GREEN, first=later, last=later, client="10.244.1.9"))
    assert not found.joined


def test_clocks_of_two_nodes_may_differ_a_little() -> None:
    late = served_by(GREEN, first=NOON + 2 * SECOND, last=NOON + 3 * SECOND)
    assert translated(DIALLED, late).joined


def test_source_that_was_rewritten_does_not_hinder_the_join() -> None:
    assert ends(translated(DIALLED, served_by(GREEN, client="172.18.0.2"))) == [("10.244.1.7", 8080)]


def test_udp_ports_join_only_with_the_same_client() -> None:
    dialled = a_flow("10.244.1.5", "10.96.0.10", 80, protocol=Protocol.UDP, keys=("u5000",))
    service = a_service("api", "10.96.0.10", ports=(a_service_port(protocol=Protocol.UDP),))
    piece = a_slice("api", BLUE, GREEN, ports=(("", Protocol.UDP, 8080),))
    objects = (WEB, BLUE, GREEN, service, piece)
    udp: dict[str, Any] = {"protocol": Protocol.UDP, "keys": ("u5000",)}
    assert translated(dialled, served_by(GREEN, **udp), objects=objects).joined
    stranger = served_by(GREEN, client="10.244.1.9", **udp)
    assert not translated(dialled, stranger, objects=objects).joined


def test_socket_that_sends_to_two_services_from_one_port_is_told_apart() -> None:
    udp: dict[str, Any] = {"protocol": Protocol.UDP, "keys": ("u5000",)}
    dialled = a_flow("10.244.1.5", "10.96.0.10", 80, **udp)
    other = a_pod("statsd-1", "10.244.1.8")
    objects = (
        *(WEB, BLUE, other),
        a_service("api", "10.96.0.10", ports=(a_service_port(protocol=Protocol.UDP),)),
        a_slice("api", BLUE, ports=(("", Protocol.UDP, 8080),)),
    )
    found = translated(
        dialled, served_by(BLUE, **udp), served_by(other, server_port=8125, **udp), objects=objects
    )
    assert ends(found) == [("10.244.1.6", 8080)]


def test_without_the_servers_capture_the_endpoints_are_all_there_is() -> None:
    found = translated(DIALLED)
    assert (ends(found), found.joined) == ([("10.244.1.6", 8080), ("10.244.1.7", 8080)], False)


def test_handshake_before_the_capture_is_made_up_for_by_the_endpoints_own_captures() -> None:
    early, late = (a_flow("10.244.1.5", "10.96.0.10", 80, keys=()), served_by(GREEN, keys=()))
    found = translated(early, late)
    assert ends(found) == [("10.244.1.7", 8080)]
    assert found.joined
    assert [backend.address for backend in found.unseen] == ["10.244.1.6"]


def test_connections_that_no_captured_backend_saw_are_told() -> None:
    found = translated(
        a_flow("10.244.1.5", "10.96.0.10", 80, keys=("t00000001", "t00009c40")), served_by(GREEN)
    )
    assert ends(found) == [("10.244.1.7", 8080)]
    assert [backend.address for backend in found.unseen] == ["10.244.1.6"]


def test_captured_backend_without_those_connections_is_no_suspect() -> None:
    dialled = a_flow("10.244.1.5", "10.96.0.10", 80, keys=("t00000001", "t00009c40"))
    found = translated(dialled, served_by(GREEN), networks=(a_network("uid-blue-1"),))
    assert found.unseen == ()


def test_pods_address_needs_no_translation() -> None:
    found = translated(a_flow("10.244.1.5", "10.244.1.6", 9000))
    assert (ends(found), found.service, found.joined) == ([("10.244.1.6", 9000)], None, True)


def test_address_of_nobody_has_no_backends() -> None:
    assert translated(a_flow("10.244.1.5", "203.0.113.10", 443)) == Translation(None, None, (), joined=False)


def test_port_that_the_service_does_not_have_has_no_backends() -> None:
    found = translated(a_flow("10.244.1.5", "10.96.0.10", 81))
    assert (found.service, found.service_port, found.backends) == (SERVICE, None, ())


def test_slice_is_asked_by_the_name_of_the_port_and_its_protocol() -> None:
    ports = (a_service_port(80, "http", name="http"), a_service_port(81, 9090, name="admin"))
    piece = a_slice(
        "api",
        BLUE,
        ports=(("http", Protocol.TCP, 8080), ("admin", Protocol.TCP, 9090), ("http", Protocol.UDP, 1)),
    )
    objects = (WEB, BLUE, a_service("api", "10.96.0.10", ports=ports), piece)
    assert ends(translated(DIALLED, objects=objects)) == [("10.244.1.6", 8080)]


def test_named_port_may_be_two_numbers_during_a_rollout() -> None:
    newer = a_slice("api", GREEN, name="newer", ports=(("", Protocol.TCP, 9090),))
    objects = (WEB, BLUE, GREEN, SERVICE, a_slice("api", BLUE), newer)
    assert ends(translated(DIALLED, objects=objects)) == [("10.244.1.6", 8080), ("10.244.1.7", 9090)]


def test_node_port_is_its_service() -> None:
    service = a_service("api", "10.96.0.10", type="NodePort", ports=(a_service_port(node_port=30080),))
    objects = (WEB, BLUE, service, a_slice("api", BLUE), Node("node-2", (address("172.18.0.3"),)))
    for node in ("172.18.0.2", "172.18.0.3"):
        assert ends(translated(a_flow("10.244.1.5", node, 30080), objects=objects)) == [("10.244.1.6", 8080)]
    assert translated(a_flow("10.244.1.5", "172.18.0.3", 9100), objects=objects).service is None


def test_load_balancer_address_is_short_circuited() -> None:
    service = a_service("api", addresses=(address("203.0.113.80"),))
    objects = (WEB, BLUE, service, a_slice("api", BLUE))
    found = translated(a_flow("10.244.1.5", "203.0.113.80", 80), objects=objects)
    assert ends(found) == [("10.244.1.6", 8080)]


def test_services_on_one_address_are_told_apart_by_port() -> None:
    shared = address("172.18.0.2")
    one = a_service("api", addresses=(shared,))
    two = a_service("other", addresses=(shared,), ports=(a_service_port(443, 8443),))
    objects = (WEB, BLUE, GREEN, one, two, a_slice("api", BLUE))
    slice_two = a_slice("other", GREEN, ports=(("", Protocol.TCP, 8443),))
    found = translated(a_flow("10.244.1.5", "172.18.0.2", 443), objects=(*objects, slice_two))
    assert ends(found) == [("10.244.1.7", 8443)]
    # the kubelet's port on the node whose address a load balancer hands out
    assert translated(a_flow("10.244.1.5", "172.18.0.2", 10250), objects=objects).service is None


def test_endpoint_whose_address_was_handed_on_is_not_its_new_owner() -> None:
    gone = a_pod("blue-0", "10.244.1.7", phase="Succeeded")
    piece = EndpointSlice(
        "shop",
        "s",
        "api",
        (
            SliceEndpoint((address("10.244.1.7"),), gone.uid),
            SliceEndpoint((address("10.244.1.6"),), BLUE.uid),
        ),
        (("", Protocol.TCP, 8080),),
    )
    assert ends(translated(DIALLED, objects=(WEB, BLUE, GREEN, gone, SERVICE, piece))) == [
        ("10.244.1.6", 8080)
    ]


def test_backend_that_is_younger_than_the_flow_is_asked_for_at_its_own_time() -> None:
    young = a_pod("blue-2", "10.244.1.8", created=NOON + 30 * SECOND)
    flow = a_flow("10.244.1.5", "10.96.0.10", 80, last=NOON + 60 * SECOND)
    objects = (WEB, young, SERVICE, a_slice("api", young))
    (backend,) = translated(flow, objects=objects).backends
    assert backend == Backend(address("10.244.1.8"), 8080, NOON + 30 * SECOND)
    assert translated(a_flow("10.244.1.5", "10.96.0.10", 80), objects=objects).backends == ()


def test_endpoint_outside_the_cluster_is_a_backend() -> None:
    piece = EndpointSlice(
        "shop", "s", "api", (SliceEndpoint((address("203.0.113.5"),)),), (("", Protocol.TCP, 5432),)
    )
    objects = (WEB, a_service("api", "10.96.0.10", selector={}), piece)
    assert ends(translated(DIALLED, objects=objects)) == [("203.0.113.5", 5432)]


def test_socket_is_joined_by_the_clients_address_and_port() -> None:
    server = a_network("uid-green-1", a_listener(8080), a_row("10.244.1.7:8080", "10.244.1.5:40000"))
    translator = Translator(a_timeline(*OBJECTS), table_of(()), networks_of(server))
    found = translator.of_socket(a_row("10.244.1.5:40000", "10.96.0.10:80"))
    assert (ends(found), found.joined) == ([("10.244.1.7", 8080)], True)
    other = translator.of_socket(a_row("10.244.1.5:40001", "10.96.0.10:80"))
    assert (ends(other), other.joined) == ([("10.244.1.6", 8080), ("10.244.1.7", 8080)], False)


def test_clients_port_that_also_reaches_another_server_joins_only_the_services_own() -> None:
    cache = a_network("uid-cache-1", a_listener(6379), a_row("10.244.1.8:6379", "10.244.1.5:40000"))
    translator = Translator(
        a_timeline(*OBJECTS, a_pod("cache-1", "10.244.1.8")), table_of(()), networks_of(cache)
    )
    found = translator.of_socket(a_row("10.244.1.5:40000", "10.96.0.10:80"))
    assert ends(found) == [("10.244.1.6", 8080), ("10.244.1.7", 8080)]
    assert not found.joined


def test_socket_to_no_service_is_what_it_says() -> None:
    translator = Translator(a_timeline(*OBJECTS), table_of(()), {})
    assert ends(translator.of_socket(a_row("10.244.1.5:40000", "203.0.113.10:443"))) == [
        ("203.0.113.10", 443)
    ]


def true_clients(*flows: Flow) -> tuple[list[str], float]:
    """Who is behind the source of the first flow."""
    clients, left = Translator(a_timeline(*OBJECTS), table_of(flows), {}).true_clients(flows[0])
    return [address for address, _ in clients], left


def test_rewritten_source_is_found_by_the_clients_own_capture() -> None:
    masked = served_by(GREEN, client="172.18.0.2")
    assert true_clients(masked, DIALLED) == (["10.244.1.5"], 0)


def test_connections_that_no_client_explains_are_told() -> None:
    masked = served_by(GREEN, client="172.18.0.2", keys=("t00000001", "t00009c40"))
    assert true_clients(masked, DIALLED) == (["10.244.1.5"], 0.5)
    assert true_clients(masked) == ([], 1)


def test_several_clients_behind_one_source_are_all_found() -> None:
    masked = served_by(GREEN, client="172.18.0.2", keys=("t00000001", "t00009c40"))
    second = a_flow(
        "10.244.1.6", "10.96.0.10", 80, keys=("t00000001",), pod_uid="uid-blue-1", capture="captures/b"
    )
    assert true_clients(masked, DIALLED, second) == (["10.244.1.5", "10.244.1.6"], 0)


def test_udp_port_proves_no_rewritten_source() -> None:
    udp: dict[str, Any] = {"protocol": Protocol.UDP, "keys": ("u5000",)}
    masked = served_by(GREEN, client="172.18.0.2", **udp)
    assert true_clients(masked, a_flow("10.244.1.5", "10.96.0.10", 80, **udp)) == ([], 1)


def test_backend_on_a_nodes_network_is_the_pod_that_the_endpoints_name() -> None:
    agent = a_pod("agent-1", "10.89.0.11", host_network=True)
    node = Node("node1", addresses=(address("10.89.0.11"),))
    objects = (WEB, agent, node, SERVICE, a_slice("api", agent))
    (backend,) = translated(DIALLED, objects=objects).backends
    assert (backend.address, backend.pod_uid) == ("10.89.0.11", agent.uid)
    # A pod with an address of its own is asked for by the time, which knows who had it before.
    (plain,) = translated(DIALLED, objects=(WEB, BLUE, SERVICE, a_slice("api", BLUE))).backends
    assert plain.pod_uid == ""
