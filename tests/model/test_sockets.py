"""What a pod's tables say about the ports it serves."""

from __future__ import annotations

from kubectl_netpolgen.model.network import Protocol
from tests.factories import a_bound, a_listener, a_network, a_row


def test_listeners_count_for_tcp_and_bound_sockets_for_udp() -> None:
    network = a_network("uid", a_listener(8080), a_bound(8125), a_row())
    assert network.listening(Protocol.TCP) == {8080}
    assert network.listening(Protocol.UDP) == {8125}
    assert network.listening(Protocol.SCTP) == frozenset()


def test_loopback_serves_nobody_else() -> None:
    network = a_network(
        "uid", a_listener(9000, "127.0.0.1"), a_listener(9001, "::1"), a_listener(9002, "10.244.1.5")
    )
    assert network.listening(Protocol.TCP) == {9002}


def test_one_port_on_loopback_and_elsewhere_is_served() -> None:
    network = a_network("uid", a_listener(9000, "127.0.0.1"), a_listener(9000, "0.0.0.0"))
    assert network.listening(Protocol.TCP) == {9000}
