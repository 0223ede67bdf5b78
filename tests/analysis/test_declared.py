"""What manifests imply and nobody was seen to use, and nothing that was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubectl_netpolgen.analysis.declared import accepted_edges, find_declared
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.model.declarations import Declaration, Obstacle
from kubectl_netpolgen.model.edge import Edge, Endpoint, EndpointKind, Role
from kubectl_netpolgen.model.flow import Outcome
from kubectl_netpolgen.model.mentions import ConfigMapUse
from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.objects import ControlPlaneCalls, ObjectKey
from kubectl_netpolgen.semantics.objects import KubernetesObject
from tests.factories import (
    a_network,
    a_pod,
    a_port,
    a_service,
    a_service_port,
    a_slice,
    a_timeline,
    a_workload,
    address,
    an_edge,
    an_endpoint,
    an_event,
    an_external,
    an_unknown,
)
from tests.factories_declarations import (
    a_backend,
    a_class,
    a_config_map,
    a_controller,
    a_monitor,
    a_route,
    an_ingress,
    declared_in,
    declared_words,
    mentioning,
)

API_POD = a_pod("api-1", "10.244.1.6", ports=(a_port(8080, "http"),))
API = a_service(
    "api", labels={"app": "api"}, ports=(a_service_port(80), a_service_port(9090, 9090, name="metrics"))
)
OBJECTS: tuple[KubernetesObject, ...] = (a_workload("web"), a_workload("api"), API_POD, API)
WEB = mentioning("web-1", a_backend())
WEB_TO_API = "shop/Deployment/web -> shop/Deployment/api 8080/TCP"
NODE = Endpoint(EndpointKind.NODE, name="node-1")
HOOK = ControlPlaneCalls("ValidatingWebhookConfiguration", "x", (("shop", "api", 80),))


def test_variable_declares_an_edge_to_the_pods_behind_the_service() -> None:
    (item,) = declared_in((*OBJECTS, WEB))
    assert declared_words([item]) == [WEB_TO_API]
    edge = item.edge
    assert (edge.id, edge.outcome) == (an_edge("web", "api", 8080).id, Outcome.DECLARED)
    assert (edge.client_pods, edge.server_pods) == (("uid-web-1",), ("uid-api-1",))
    assert (edge.connections, edge.bytes, edge.first, edge.last, edge.evidence) == (None, None, 0, 0, ())
    assert (edge.port_name, edge.dialled_ports, edge.ports) == ("http", (80,), (8080,))
    assert item.declarations == (
        Declaration(ObjectKey("Deployment", "shop", "web"), "env URL0 of container main"),
    )
    assert item.obstacle is Obstacle.NONE


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.DECLARED])
def test_edge_that_was_seen_is_not_declared_again(outcome: Outcome) -> None:
    assert declared_in((*OBJECTS, WEB), edges=[an_edge("web", "api", 8080, outcome=outcome)]) == ()


def test_edge_that_differs_in_port_or_protocol_is_another() -> None:
    seen = [an_edge("web", "api", 8081), an_edge("web", "api", 8080, protocol=Protocol.UDP)]
    assert declared_words(declared_in((*OBJECTS, WEB), edges=seen)) == [WEB_TO_API]


def test_several_declarations_of_one_edge_are_one() -> None:
    use = (ConfigMapUse("conf", "", "volume files"),)
    web = mentioning("web-1", a_backend(), a_backend(port=80), config_maps=use)
    (item,) = declared_in((*OBJECTS, web, a_config_map(url=a_backend())))
    assert [str(one.object) for one in item.declarations] == [
        "ConfigMap shop/conf",
        "Deployment shop/web",
        "Deployment shop/web",
    ]


def test_config_map_speaks_for_the_pods_that_use_it_and_for_the_entry_that_they_use() -> None:
    conf = a_config_map(url=a_backend(), other=a_backend("cache", 6379))
    cache = (
        a_workload("cache"),
        a_pod("cache-1", "10.244.1.7"),
        a_service("cache", "", ports=(a_service_port(6379, 6379),)),
    )
    by_key = a_pod("web-1", config_maps=(ConfigMapUse("conf", "url", "env URL of container main"),))
    whole = replace(by_key, config_maps=(ConfigMapUse("conf", "", "envFrom of container main"),))
    absent = replace(by_key, config_maps=(ConfigMapUse("gone", "", "envFrom of container main"),))
    assert declared_words(declared_in((*OBJECTS, *cache, conf, by_key))) == [WEB_TO_API]
    assert declared_words(declared_in((*OBJECTS, *cache, conf, whole))) == [
        WEB_TO_API,
        "shop/Deployment/web -> shop/Deployment/cache 6379/TCP",
    ]
    assert declared_in((*OBJECTS, *cache, conf, absent)) == ()


def test_only_captured_workloads_count() -> None:
    assert declared_in((*OBJECTS, WEB), captured=[]) == ()
    api = ObjectKey("Deployment", "shop", "api")
    assert declared_in((*OBJECTS, WEB), captured=[api]) == (), "nobody read the client's configuration"


def test_pods_that_are_gone_speak_only_where_none_is_left() -> None:
    old = replace(WEB, phase="Succeeded")
    assert declared_words(declared_in((*OBJECTS, old))) == [WEB_TO_API]
    assert declared_in((*OBJECTS, old, a_pod("web-2", "10.244.1.8"))) == ()


def test_lookups_are_the_dns_rules_affair() -> None:
    dns = a_service(
        "kube-dns",
        "10.96.0.53",
        namespace="kube-system",
        ports=(a_service_port(53, 53, protocol=Protocol.UDP),),
    )
    pod = a_pod("kube-dns-1", "10.244.9.9", namespace="kube-system")
    web = mentioning("web-1", a_backend("kube-dns", 53, "kube-system"))
    network = a_network("uid-web-1", nameservers=frozenset({address("10.96.0.53")}))
    assert declared_in((*OBJECTS, dns, pod, web), networks=[network]) == ()


def test_service_that_may_not_be_read_asks_for_its_server() -> None:
    web = mentioning("web-1", a_backend("ledger", 700, "bank"))
    (item,) = declared_in((*OBJECTS, web))
    assert declared_words([item]) == ["shop/Deployment/web -> bank/Service/ledger 700/TCP server-unknown"]
    seen = an_edge("web", an_unknown("10.96.7.7", names=("ledger.bank.svc.cluster.local",)), 700)
    assert declared_in((*OBJECTS, web), edges=[seen]) == (), (
        "it was seen by its address, and its name was looked up"
    )
    other = an_edge("web", an_unknown("10.96.7.7", names=("ledger.other.svc.cluster.local",)), 700)
    assert len(declared_in((*OBJECTS, web), edges=[other])) == 1


def test_api_server_is_itself_wherever_it_was_dialled() -> None:
    kubernetes = a_service(
        "kubernetes", "10.96.0.1", namespace="default", selector={}, ports=(a_service_port(443, 6443),)
    )
    endpoint = a_pod("x", "172.18.0.9")
    slices = a_slice("kubernetes", endpoint, namespace="default", ports=(("", Protocol.TCP, 6443),))
    web = mentioning("web-1", a_backend("kubernetes", 443, "default"))
    (item,) = declared_in((*OBJECTS, kubernetes, slices, web))
    assert declared_words([item]) == ["shop/Deployment/web -> the API server 443/TCP"]
    assert (item.edge.addresses, item.edge.ports) == (("10.96.0.1", "172.18.0.9"), (443, 6443))
    seen = an_edge("web", Endpoint(EndpointKind.API_SERVER), 6443)
    assert declared_in((*OBJECTS, kubernetes, slices, web), edges=[seen]) == ()


def test_webhook_lets_the_api_server_in() -> None:
    (item,) = declared_in((*OBJECTS, HOOK))
    assert declared_words([item]) == ["the API server -> shop/Deployment/api 8080/TCP"]
    assert item.declarations == (Declaration(HOOK.key, "service api.shop:80"),)
    for client in (NODE, an_unknown("172.18.0.9"), an_external()):
        seen = an_edge(client, "api", 8080, server_pods=("uid-api-1",))
        assert declared_in((*OBJECTS, HOOK), edges=[seen]) == ()
    pods = an_edge("web", "api", 8080, server_pods=("uid-api-1",))
    assert len(declared_in((*OBJECTS, HOOK), edges=[pods])) == 1


def test_ingress_is_served_by_its_controller() -> None:
    objects = (*OBJECTS, an_ingress(a_backend()), a_class(), a_controller())
    (item,) = declared_in(objects)
    assert declared_words([item]) == ["ingress/Deployment/controller -> shop/Deployment/api 8080/TCP"]
    assert item.edge.client_pods == ("uid-controller-1",)
    assert item.declarations == (Declaration(ObjectKey("Ingress", "shop", "web"), "backend api.shop:80"),)
    seen = an_edge(item.edge.client, "api", 8080)
    assert declared_in(objects, edges=[seen]) == ()


def test_controller_on_its_nodes_network_is_seen_with_the_nodes_address() -> None:
    objects = (*OBJECTS, an_ingress(a_backend()), a_class(), a_controller(host_network=True))
    (item,) = declared_in(objects)
    assert item.edge.client.host_network
    assert declared_in(objects, edges=[an_edge(NODE, "api", 8080)]) == ()


def test_ingress_that_nobody_is_known_to_serve_asks_for_its_client() -> None:
    (item,) = declared_in((*OBJECTS, an_ingress(a_backend())))
    assert declared_words([item]) == [
        "the controller of Ingress class nginx -> shop/Deployment/api 8080/TCP client-unknown"
    ]
    # somebody from elsewhere was seen there, who may well be the one
    for client in (NODE, an_unknown(), an_endpoint("x", namespace="infra")):
        assert declared_in((*OBJECTS, an_ingress(a_backend())), edges=[an_edge(client, "api", 8080)]) == ()
    for edge in (an_edge("web", "api", 8080), an_edge(NODE, "api", 8080, role=Role.PROBE)):
        assert len(declared_in((*OBJECTS, an_ingress(a_backend())), edges=[edge])) == 1


def test_one_certain_declaration_makes_an_uncertain_one_certain() -> None:
    unknown = an_ingress(a_backend(), ingress_class="other", name="a")
    known = an_ingress(a_backend(), name="b")
    found = declared_in((*OBJECTS, unknown, known, a_class(), a_controller()))
    assert [item.obstacle for item in found] == [Obstacle.CLIENT_UNKNOWN, Obstacle.NONE]


def test_several_unknown_clients_of_one_port_are_named_together() -> None:
    (item,) = declared_in((*OBJECTS, an_ingress(a_backend()), a_route(a_backend())))
    assert item.edge.client.names == (
        "what serves Gateway infra/edge",
        "the controller of Ingress class nginx",
    )
    assert item.reason == (
        "what serves Gateway infra/edge is not known; the controller of Ingress class nginx is not known"
    )
    assert [str(one.object) for one in item.declarations] == ["HTTPRoute shop/web", "Ingress shop/web"]


def test_route_is_served_by_its_gateways_pods() -> None:
    labels = {"gateway.networking.k8s.io/gateway-name": "edge"}
    gateway = a_pod("edge-1", "10.244.9.2", namespace="infra", labels=labels)
    found = declared_in((*OBJECTS, a_route(a_backend()), gateway))
    assert declared_words(found) == ["infra/Deployment/edge -> shop/Deployment/api 8080/TCP"]
    assert declared_words(declared_in((*OBJECTS, a_route(a_backend())))) == [
        "what serves Gateway infra/edge -> shop/Deployment/api 8080/TCP client-unknown"
    ]


def test_backend_that_leads_nowhere_declares_nothing() -> None:
    assert declared_in((*OBJECTS, an_ingress(a_backend("gone")), a_class(), a_controller())) == ()


def test_monitor_declares_the_scrapes_of_prometheus() -> None:
    labels = {"app.kubernetes.io/name": "prometheus"}
    prometheus = a_pod("prometheus-1", "10.244.9.3", namespace="monitoring", labels=labels)
    (item,) = declared_in((*OBJECTS, a_monitor(), prometheus))
    assert declared_words([item]) == ["monitoring/Deployment/prometheus -> shop/Deployment/api 9090/TCP"]
    assert item.declarations == (Declaration(ObjectKey("ServiceMonitor", "shop", "api"), "port 9090"),)
    assert declared_words(declared_in((*OBJECTS, a_monitor()))) == [
        "the Prometheus that scrapes it -> shop/Deployment/api 9090/TCP client-unknown"
    ]


def test_probe_is_listed_and_needs_nothing() -> None:
    api = replace(API_POD, probe_ports=frozenset({8080}))
    objects = (a_workload("api"), api)
    (item,) = declared_in(objects)
    assert declared_words([item]) == ["node node-1 -> shop/Deployment/api 8080/TCP always-allowed"]
    assert item.edge.role is Role.PROBE
    assert accepted_edges([item], {item.edge.id}, every=True) == ()
    assert declared_in(objects, edges=[an_edge(NODE, "api", 8080, role=Role.PROBE)]) == ()


def test_deleted_object_declares_nothing_more() -> None:
    ingress = an_ingress(a_backend())
    timeline = a_timeline(*OBJECTS, ingress, events=[an_event(replace(ingress, backends=()), type="DELETED")])
    assert find_declared((), {ObjectKey("Deployment", "shop", "api")}, Identities(timeline, {})) == ()


def test_order_of_objects_changes_nothing() -> None:
    objects = (*OBJECTS, WEB, HOOK, an_ingress(a_backend()), a_class(), a_controller(), a_monitor())
    assert declared_in(objects) == declared_in(reversed(objects))


def accepted(declared: tuple[Edge, ...]) -> list[str]:
    return [str(edge.client) for edge in declared]


def test_what_a_person_accepts_is_one_by_one_or_all_that_can_be() -> None:
    found = declared_in((*OBJECTS, WEB, an_ingress(a_backend())))
    unknown, certain = found if found[0].obstacle is not Obstacle.NONE else found[::-1]
    assert accepted(accepted_edges(found, (), every=False)) == []
    assert accepted(accepted_edges(found, (), every=True)) == ["shop/Deployment/web"]
    assert accepted_edges(found, {unknown.edge.id}, every=False) == (unknown.edge,)
    assert set(accepted_edges(found, {unknown.edge.id}, every=True)) == {certain.edge, unknown.edge}
