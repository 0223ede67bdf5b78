"""Closed connections with pods that are no more, and all others, which still count."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.names import Names
from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.analysis.timeline import Timeline
from kubectl_netpolgen.analysis.vanished import vanished
from kubectl_netpolgen.model.finding import Finding
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.model.sockets import SocketRow, SocketState
from tests.factories import NOON, a_network, a_pod, a_row, address, networks_of

NODE = Node("node-1", pod_ranges=("10.244.1.0/24",))
WEB, API = a_pod("web-1", "10.244.1.5"), a_pod("api-1", "10.244.1.6")


def closed(remote: str) -> SocketRow:
    """A closed connection of web-1."""
    return a_row("10.244.1.5:40000", remote, state=SocketState.CLOSING)


def known(*, started: int = NOON) -> Timeline:
    """Two pods on a node whose range is known."""
    return Timeline((NODE, WEB, API), started=started)


def said(row: SocketRow, timeline: Timeline) -> Finding | None:
    """What web-1 says of it, which has its node's bridge as next hop."""
    networks = networks_of(a_network(WEB, gateways=frozenset({address("10.244.1.1")})))
    return vanished(row, WEB, timeline, Places(Identities(timeline, networks), Names({})))


@pytest.mark.parametrize(
    ("row", "gone"),
    [
        (closed("10.244.1.9:8080"), True),
        (closed("10.244.1.6:8080"), False),
        (closed("10.244.1.1:8080"), False),
        (closed("10.96.0.10:80"), False),
        (closed("203.0.113.10:443"), False),
        (a_row("10.244.1.5:40000", "10.244.1.9:8080"), False),
    ],
)
def test_only_a_closed_connection_with_a_pods_address_that_nobody_has_is_over(
    row: SocketRow, gone: bool
) -> None:
    assert (said(row, known()) is not None) is gone


def test_address_may_be_a_pods_that_we_cannot_see() -> None:
    assert said(closed("10.244.1.9:8080"), known(started=0)) is None


def test_what_is_lost_is_said() -> None:
    found = said(closed("10.244.1.9:8080"), known())
    assert found is not None
    assert (found.code, found.subject) == ("closed-with-gone-pod", "Pod shop/web-1")
    assert "10.244.1.9" in found.message
