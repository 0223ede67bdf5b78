"""Who was behind a Service at a time: the same for the whole of a run, or looked at anew."""

from __future__ import annotations

from kubectl_netpolgen.analysis.endpoints import Backend, Behind, Endpoints
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import EndpointSlice, SliceEndpoint
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    SECOND,
    a_pod,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    address,
    an_event,
)

BLUE, GREEN = a_pod("blue-1", "10.244.1.6"), a_pod("green-1", "10.244.1.7")
PORT = a_service_port(80, 8080)
SERVICE = a_service("api", ports=(PORT,))
LATER = NOON + 60 * SECOND


def behind(
    *objects: KubernetesObject, first: int = NOON, last: int = NOON + SECOND, events: object = ()
) -> Behind:
    """The endpoints of the Service between two times."""
    timeline = a_timeline(SERVICE, *objects, events=events)  # type: ignore[arg-type]
    return Endpoints(timeline).between(SERVICE, PORT, Protocol.TCP, first, last)


def addresses(found: Behind) -> list[str]:
    return [backend.address for backend in found.backends]


def test_endpoints_are_sorted_and_their_ends_are_known() -> None:
    found = behind(BLUE, GREEN, a_slice("api", GREEN, BLUE))
    assert addresses(found) == ["10.244.1.6", "10.244.1.7"]
    assert found.ends == {("10.244.1.6", 8080), ("10.244.1.7", 8080)}


def test_endpoints_that_stay_are_looked_at_once() -> None:
    timeline = a_timeline(SERVICE, BLUE, GREEN, a_slice("api", BLUE, GREEN))
    endpoints = Endpoints(timeline)
    first = endpoints.between(SERVICE, PORT, Protocol.TCP, NOON, NOON)
    assert endpoints.between(SERVICE, PORT, Protocol.TCP, LATER, LATER) is first
    assert endpoints.listed(SERVICE, PORT, Protocol.TCP).steady is first


def test_pod_that_came_later_is_no_endpoint_before() -> None:
    young = a_pod("young-1", "10.244.1.9", created=LATER)
    objects = (BLUE, young, a_slice("api", BLUE, young))
    assert addresses(behind(*objects)) == ["10.244.1.6"]
    assert addresses(behind(*objects, first=LATER, last=LATER)) == ["10.244.1.6", "10.244.1.9"]


def test_pod_that_came_while_a_flow_lasted_is_asked_for_by_the_time_it_came() -> None:
    young = a_pod("young-1", "10.244.1.9", created=LATER)
    found = behind(young, a_slice("api", young), last=LATER + SECOND)
    assert found.backends == (Backend(address("10.244.1.9"), 8080, LATER),)


def test_pod_that_left_is_no_endpoint_after() -> None:
    objects = (BLUE, GREEN, a_slice("api", BLUE, GREEN))
    gone = [an_event(GREEN, at=LATER, type="DELETED")]
    assert addresses(behind(*objects, events=gone)) == ["10.244.1.6", "10.244.1.7"]
    after = LATER + 60 * SECOND
    assert addresses(behind(*objects, events=gone, first=after, last=after)) == ["10.244.1.6"]


def test_address_that_was_handed_on_is_an_endpoint_only_while_it_was_the_pods() -> None:
    heir = a_pod("other-1", "10.244.1.7", created=LATER)
    events = [an_event(GREEN, at=LATER, type="DELETED"), an_event(heir, at=LATER, type="ADDED")]
    objects = (BLUE, GREEN, a_slice("api", BLUE, GREEN))
    after = LATER + 60 * SECOND
    assert addresses(behind(*objects, events=events)) == ["10.244.1.6", "10.244.1.7"]
    assert addresses(behind(*objects, events=events, first=after, last=after)) == ["10.244.1.6"]


def test_endpoint_that_is_no_pod_is_always_there() -> None:
    piece = EndpointSlice(
        "shop", "api-x", "api", (SliceEndpoint((address("198.51.100.7"),)),), (("http", Protocol.TCP, 8080),)
    )
    port = a_service_port(80, 8080, name="http")
    endpoints = Endpoints(a_timeline(a_service("api", ports=(port,)), piece))
    found = endpoints.between(SERVICE, port, Protocol.TCP, LATER, LATER)
    assert found.backends == (Backend(address("198.51.100.7"), 8080, LATER),)
    assert endpoints.listed(SERVICE, port, Protocol.TCP).steady is None


def test_port_of_another_name_or_protocol_or_none_has_no_endpoints() -> None:
    timeline = a_timeline(SERVICE, BLUE, a_slice("api", BLUE))
    endpoints = Endpoints(timeline)
    assert endpoints.between(SERVICE, None, Protocol.TCP, NOON, NOON).backends == ()
    assert endpoints.between(SERVICE, PORT, Protocol.UDP, NOON, NOON).backends == ()
    other = a_service_port(81, 8081, name="other")
    assert endpoints.between(SERVICE, other, Protocol.TCP, NOON, NOON).ends == frozenset()
