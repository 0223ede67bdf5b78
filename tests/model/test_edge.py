"""What makes two sightings one endpoint, and how endpoints are named."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.edge import CONFIDENCE_OF, Confidence, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import DIRECTION_ORDER, Direction
from tests.factories import an_endpoint, an_external


def test_names_and_roles_are_only_said_about_an_endpoint() -> None:
    assert an_external("203.0.113.10", "a.test").identity == an_external("203.0.113.10").identity
    assert an_endpoint(role=Role.DNS, host_network=True).identity == an_endpoint().identity


def test_kind_of_owner_namespace_name_and_address_tell_endpoints_apart() -> None:
    identities = {
        endpoint.identity
        for endpoint in (
            an_endpoint(),
            an_endpoint(owner_kind="StatefulSet"),
            an_endpoint(namespace="other"),
            an_endpoint("api"),
            an_external("203.0.113.10"),
            an_external("203.0.113.11"),
            Endpoint(EndpointKind.UNKNOWN, address="203.0.113.10"),
        )
    }
    assert len(identities) == 7


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (an_endpoint(), "shop/Deployment/web"),
        (Endpoint(EndpointKind.API_SERVER), "the API server"),
        (Endpoint(EndpointKind.NODE, name="node-1"), "node node-1"),
        (Endpoint(EndpointKind.SERVICE, namespace="shop", name="web"), "shop/Service/web"),
        (Endpoint(EndpointKind.UNKNOWN, address="10.9.8.7"), "10.9.8.7"),
        (Endpoint(EndpointKind.UNKNOWN, names=("whoever serves Ingresses",)), "whoever serves Ingresses"),
        (Endpoint(EndpointKind.UNKNOWN), "somebody"),
        (an_external("203.0.113.10", "a.test", "b.test"), "203.0.113.10 (a.test, b.test)"),
    ],
)
def test_endpoint_is_named_as_a_person_would(endpoint: Endpoint, words: str) -> None:
    assert str(endpoint) == words


def test_every_direction_has_its_confidence_and_none_rises_as_directions_weaken() -> None:
    order = list(Confidence)
    ranks = [order.index(CONFIDENCE_OF[direction]) for direction in DIRECTION_ORDER]
    assert ranks == sorted(ranks)
    assert CONFIDENCE_OF[Direction.HEURISTIC] is Confidence.LOW
