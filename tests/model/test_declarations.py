"""Objects that declare edges are told apart by kind, namespace and name."""

from __future__ import annotations

from kubectl_netpolgen.model.declarations import ConfigMap, Declaration, IngressClass, Monitor, Route
from kubectl_netpolgen.model.objects import ObjectKey


def test_each_has_the_key_of_its_object() -> None:
    keys = [
        ConfigMap("shop", "x").key,
        IngressClass("x", "k8s.io/ingress-nginx").key,
        Route("HTTPRoute", "shop", "x").key,
        Monitor("PodMonitor", "shop", "x").key,
    ]
    assert keys == [
        ObjectKey("ConfigMap", "shop", "x"),
        ObjectKey("IngressClass", "", "x"),
        ObjectKey("HTTPRoute", "shop", "x"),
        ObjectKey("PodMonitor", "shop", "x"),
    ]


def test_declarations_sort_by_object_and_then_by_field() -> None:
    web, api = ObjectKey("Deployment", "shop", "web"), ObjectKey("Deployment", "shop", "api")
    found = sorted([Declaration(web, "a"), Declaration(api, "z"), Declaration(api, "b")])
    assert [(item.object.name, item.where) for item in found] == [("api", "b"), ("api", "z"), ("web", "a")]


def test_monitor_selects_everything_in_its_own_namespace_unless_it_says_otherwise() -> None:
    assert Monitor("ServiceMonitor", "shop", "x").selector.empty
    assert Monitor("ServiceMonitor", "shop", "x").namespaces == ()
