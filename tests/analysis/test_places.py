"""Who was at an address: remembered where that cannot change, asked anew where it may."""

from __future__ import annotations

from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.names import Names
from kubectl_netpolgen.analysis.places import Places
from kubectl_netpolgen.model.edge import EndpointKind
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    SECOND,
    a_pod,
    a_port,
    a_timeline,
    a_workload,
    address,
    an_answer,
    an_event,
)

WEB, TWIN = a_pod("web-1", "10.244.1.5"), a_pod("web-2", "10.244.1.8", labels={"app": "web"})
OBJECTS: tuple[KubernetesObject, ...] = (WEB, TWIN, a_workload("web"))
LATER = NOON + 60 * SECOND


def places(*objects: KubernetesObject, events: object = (), names: Names | None = None) -> Places:
    timeline = a_timeline(*(objects or OBJECTS), events=events)  # type: ignore[arg-type]
    return Places(Identities(timeline, {}), names or Names({}))


def test_pod_is_found_and_remembered_with_the_time_it_had_the_address() -> None:
    known = places()
    assert known.stay(WEB.addresses[0]) is None
    found = known.find(WEB.addresses[0], NOON, "uid-api-1")
    assert found[1] == WEB
    stay = known.stay(WEB.addresses[0])
    assert stay is not None and stay.found is found and stay.start <= NOON <= stay.end
    assert known.find(WEB.addresses[0], LATER, "uid-db-1") is found


def test_pods_of_a_workload_are_one_and_the_same_endpoint() -> None:
    known = places()
    first, second = (known.find(pod.addresses[0], NOON, "")[0] for pod in (WEB, TWIN))
    assert first is second


def test_address_that_was_handed_on_is_asked_for_each_time() -> None:
    heir = a_pod("api-1", "10.244.1.5", created=LATER)
    events = [an_event(WEB, at=LATER, type="DELETED"), an_event(heir, at=LATER, type="ADDED")]
    known = places(*OBJECTS, a_workload("api"), events=events)
    assert known.find(address("10.244.1.5"), NOON, "")[1] == WEB
    assert known.find(address("10.244.1.5"), LATER + 30 * SECOND, "")[1] == heir
    assert known.stay(address("10.244.1.5")) is None


def test_time_outside_of_a_stay_is_asked_for() -> None:
    young = a_pod("web-1", "10.244.1.5", created=LATER)
    known = places(young, a_workload("web"))
    assert known.find(address("10.244.1.5"), LATER, "")[1] == young
    assert known.find(address("10.244.1.5"), NOON, "")[1] is None


def test_outside_address_has_the_names_of_each_observer() -> None:
    names = Names({"uid-web-1": [an_answer("api.example.test", "203.0.113.10")]})
    known = places(names=names)
    outside = address("203.0.113.10")
    assert known.find(outside, NOON, "uid-web-1")[0].names == ("api.example.test",)
    assert known.find(outside, NOON, "uid-web-2")[0].names == ()
    assert known.find(outside, NOON, "uid-web-2")[0] is known.find(outside, LATER, "uid-web-3")[0]


def test_unknown_address_keeps_any_name_it_was_asked_for() -> None:
    names = Names({"uid-web-1": [an_answer("db.other.svc.cluster.local", "10.99.9.9")]})
    end, pod = places(names=names).find(address("10.99.9.9"), NOON, "uid-web-1")
    assert (end.kind, end.names, pod) == (EndpointKind.UNKNOWN, ("db.other.svc.cluster.local",), None)


def test_port_has_the_first_of_its_names() -> None:
    pod = a_pod(ports=(a_port(80, "web"), a_port(80, "alt"), a_port(80), a_port(53, "dns", Protocol.UDP)))
    known = places(pod)
    assert [known.port_name(pod, 80, Protocol.TCP) for _ in range(2)] == ["alt", "alt"]
    assert known.port_name(pod, 53, Protocol.TCP) == ""
    assert known.port_name(pod, 53, Protocol.UDP) == "dns"
    assert known.port_name(None, 80, Protocol.TCP) == ""
