"""Three shapes of a line, and what is wrong with a fourth."""

from __future__ import annotations

from typing import Any

import pytest

from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import Node
from kubectl_netpolgen.runs.flow_lines import asked_of
from kubectl_netpolgen.semantics.ends import EndKind, Ends
from kubectl_netpolgen.semantics.subjects import cast_of
from tests.factories import a_pod, address

MANIFESTS = Manifests(
    pods=(a_pod("web-1"), a_pod("api-1", "10.244.1.6")), nodes=(Node("n", (address("172.18.0.9"),)),)
)
ENDS = Ends(MANIFESTS, cast_of(MANIFESTS, per_pod=True))
POD = {"kind": "Pod", "namespace": "shop", "name": "web-1"}
FLOW = {
    "source": {"pod": "shop/web-1"},
    "destination": {"address": "10.244.1.6"},
    "protocol": "TCP",
    "port": 80,
}
ROW = {"client": "10.244.1.5", "server": "10.244.1.6", "protocol": "UDP", "serverPort": 53}
EDGE = {
    "id": "e-1",
    "client": POD,
    "server": {"kind": "External", "address": "8.8.8.8"},
    "protocol": "TCP",
    "port": 443,
}


def test_flow_as_one_asks_about_it() -> None:
    found = asked_of(FLOW, ENDS)
    assert (found.source.pod, found.destination.pod) == ("shop/web-1", "shop/api-1")
    assert (found.protocol, found.port, found.beside) == (Protocol.TCP, 80, None)


def test_row_of_flows() -> None:
    found = asked_of(ROW, ENDS)
    assert (found.source.pod, found.destination.pod, found.port) == ("shop/web-1", "shop/api-1", 53)


def test_edge_keeps_what_it_is_and_gets_the_other_shape() -> None:
    found = asked_of(EDGE, ENDS)
    assert (found.source.pod, found.destination.kind) == ("shop/web-1", EndKind.OUTSIDE)
    shapes = {"source": {"pod": "shop/web-1"}, "destination": {"address": "8.8.8.8"}}
    assert found.beside == {**EDGE, **shapes}


@pytest.mark.parametrize(
    ("end", "kind", "shape"),
    [
        (
            {"kind": "Deployment", "namespace": "shop", "name": "x"},
            EndKind.UNKNOWN,
            {"workload": "shop/Deployment/x"},
        ),
        ({"kind": "Node", "name": "n"}, EndKind.NODE, None),
        ({"kind": "APIServer"}, EndKind.UNKNOWN, None),
        ({"kind": "Unknown", "names": ["db"]}, EndKind.UNKNOWN, None),
    ],
)
def test_other_ends_of_edges(end: dict[str, Any], kind: EndKind, shape: dict[str, str] | None) -> None:
    found = asked_of({**EDGE, "server": end}, ENDS)
    assert found.destination.kind is kind
    assert found.beside is not None
    assert found.beside["destination"] == shape


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ([], "is no object"),
        ({**FLOW, "protocol": "ICMP"}, "'ICMP' is none of TCP, UDP, SCTP"),
        ({**FLOW, "protocol": ["TCP"]}, "protocol"),
        ({**FLOW, "port": 0}, "port: 0 is not between"),
        ({**FLOW, "port": True}, "port: True is not between"),
        ({**FLOW, "source": "web"}, "source: an endpoint is"),
        ({**FLOW, "destination": {"address": "web"}}, "destination: "),
        ({**ROW, "client": "web"}, "client: "),
        ({**EDGE, "client": {"kind": "Deployment"}}, "client, server: "),
        ({"protocol": "TCP"}, "neither source and destination nor client and server"),
    ],
)
def test_what_asks_nothing_says_which_field(item: object, word: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        asked_of(item, ENDS)
    assert word in str(error.value)
