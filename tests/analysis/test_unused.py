"""What is declared and had no traffic, and nothing that had some."""

from __future__ import annotations

from collections.abc import Iterable

from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.unused import Unused, UnusedKind, find_unused
from kubectl_netpolgen.model.edge import Edge, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    NOON,
    SECOND,
    a_pod,
    a_port,
    a_service,
    a_service_port,
    a_timeline,
    a_workload,
    an_edge,
    an_owner,
)

END = NOON + 60 * SECOND
WEB, API = (ObjectKey("Deployment", "shop", name) for name in ("web", "api"))
HTTP = a_port(8080, "http")
PODS = (a_workload("web"), a_pod("web-1"), a_workload("api"), a_pod("api-1", "10.244.1.6", ports=(HTTP,)))


def unused(*edges: Edge, objects: Iterable[KubernetesObject] = PODS) -> list[Unused]:
    identities = Identities(a_timeline(*objects), {})
    return list(find_unused(edges, [WEB, API], ["shop"], identities, started=NOON, ended=END))


PORT = Unused(UnusedKind.PORT, API, "8080/TCP (http)")


def test_a_declared_port_that_nobody_used_is_told() -> None:
    assert unused() == [PORT]
    assert unused(an_edge("web", "api", 8080)) == []


def test_another_port_protocol_or_end_is_no_use_of_it() -> None:
    assert unused(an_edge("web", "api", 9090)) == [PORT]
    assert unused(an_edge("web", "api", 8080, protocol=Protocol.UDP)) == [PORT]
    assert unused(an_edge("api", "web", 8080)) == [PORT]


def test_probes_and_refusals_are_no_use() -> None:
    assert unused(an_edge("web", "api", 8080, role=Role.PROBE)) == [PORT]
    assert unused(an_edge("web", "api", 8080, outcome=Outcome.REFUSED)) == [PORT]


def test_a_service_that_nobody_called_is_told_port_by_port() -> None:
    ports = (a_service_port(80, "http"), a_service_port(81, 9090))
    objects = (*PODS, a_service("api", ports=ports))
    services = [Unused(UnusedKind.SERVICE, ObjectKey("Service", "shop", "api"), f"{n}/TCP") for n in (80, 81)]
    assert unused(objects=objects) == [PORT, *services]
    assert unused(an_edge("web", "api", 8080), objects=objects) == services[1:]


def test_a_service_that_leads_nowhere_or_is_of_others_is_another_matter() -> None:
    nowhere = a_service("gone", "10.96.0.11", selector={"app": "gone"})
    elsewhere = a_service("api", "10.96.0.12", namespace="other", selector={"app": "api"})
    assert unused(an_edge("web", "api", 8080), objects=(*PODS, nowhere, elsewhere)) == []


def test_a_service_of_two_protocols_on_one_port_is_two() -> None:
    ports = tuple(
        a_service_port(53, 8080, protocol=item, name=item.value) for item in (Protocol.TCP, Protocol.UDP)
    )
    objects = (*PODS, a_service("api", ports=ports))
    found = unused(an_edge("web", "api", 8080), objects=objects)
    assert [item.name for item in found] == ["53/UDP"]


def test_a_cron_job_without_a_run_in_the_window_is_told() -> None:
    cron = a_workload("night", kind="CronJob", selector=None)
    key = ObjectKey("CronJob", "shop", "night")
    served = an_edge("web", "api", 8080)
    before = a_pod("night-1", "10.244.1.9", owner=an_owner("CronJob", "night"))
    assert unused(served, objects=(*PODS, cron)) == [Unused(UnusedKind.CRON_JOB, key)]
    assert unused(served, objects=(*PODS, cron, before)) == [Unused(UnusedKind.CRON_JOB, key)]
    during = a_pod("night-2", "10.244.1.10", owner=an_owner("CronJob", "night"), created=NOON + SECOND)
    assert unused(served, objects=(*PODS, cron, before, during)) == []


def test_init_containers_that_had_ended_before_the_run_are_told() -> None:
    served = an_edge("web", "api", 8080)
    old = a_pod("web-1", init_containers=("migrate",))
    assert unused(served, objects=(*PODS[:1], old, *PODS[2:])) == [
        Unused(UnusedKind.INIT_CONTAINER, WEB, "migrate")
    ]
    young = a_pod("web-2", "10.244.1.7", init_containers=("migrate",), created=NOON + SECOND)
    assert unused(served, objects=(*PODS[:1], old, young, *PODS[2:])) == []


def test_it_is_said_by_its_owner_and_name() -> None:
    assert str(PORT) == "Deployment shop/api 8080/TCP (http)"
    assert str(Unused(UnusedKind.CRON_JOB, API)) == "Deployment shop/api"
