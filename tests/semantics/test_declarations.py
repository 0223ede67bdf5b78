"""Documents that declare edges, whole, in part, and broken."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.declarations import ConfigMap, IngressClass, Monitor, Route
from kubectl_netpolgen.model.mentions import BackendReference, ConfigMapUse, Mention
from kubectl_netpolgen.model.objects import Pod
from kubectl_netpolgen.model.selector import labels_selector
from kubectl_netpolgen.semantics.declarations import DECLARING
from kubectl_netpolgen.semantics.objects import KubernetesObject, parse_object

METADATA = {"name": "x", "namespace": "shop"}


def parsed(kind: str, spec: Any = None, **fields: Any) -> KubernetesObject | None:
    """A document of the namespace shop."""
    document = {"kind": kind, "metadata": METADATA, **fields}
    return parse_object(document if spec is None else {**document, "spec": spec})


def service(name: str, port: Any) -> dict[str, Any]:
    """A backend of an Ingress."""
    return {"service": {"name": name, "port": port}}


def backend(name: str, port: int | str, namespace: str = "shop") -> BackendReference:
    """A Service's port."""
    return BackendReference(namespace, name, port)


def test_ingress_leads_to_the_backends_of_its_paths_and_to_its_default() -> None:
    paths = [
        {"backend": service("web", {"number": 80})},
        {"backend": service("api", {"name": "http"})},
        {"backend": service("web", {"number": 80})},
        {"backend": {"resource": {"kind": "Bucket", "name": "y"}}},
    ]
    spec = {
        "ingressClassName": "nginx",
        "defaultBackend": service("fallback", {"number": 8080}),
        "rules": [{"http": {"paths": paths}}, {"host": "a.test"}],
    }
    assert parsed("Ingress", spec) == Route(
        "Ingress",
        "shop",
        "x",
        (backend("fallback", 8080), backend("web", 80), backend("api", "http")),
        ingress_class="nginx",
    )


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"])
def test_route_leads_to_services_and_is_served_by_gateways(kind: str) -> None:
    references = [
        {"name": "web", "port": 80},
        {"name": "api", "namespace": "bank", "port": 81, "kind": "Service", "group": ""},
        {"name": "bucket", "kind": "Bucket", "group": "example.test", "port": 80},
        {"name": "import", "kind": "Service", "group": "example.test", "port": 80},
        {"name": "no-port"},
    ]
    parents = [{"name": "edge", "namespace": "infra"}, {"name": "own"}, {"name": "mesh", "kind": "Service"}]
    assert parsed(kind, {"parentRefs": parents, "rules": [{"backendRefs": references}, {}]}) == Route(
        kind,
        "shop",
        "x",
        (backend("web", 80), backend("api", 81, "bank")),
        gateways=(("infra", "edge"), ("shop", "own")),
    )


def test_monitors_say_where_they_look_and_at_which_ports() -> None:
    spec = {
        "selector": {"matchLabels": {"app": "web"}},
        "namespaceSelector": {"matchNames": ["shop", "bank"]},
        "endpoints": [{"port": "metrics"}, {"targetPort": 9100}, {"targetPort": "admin"}],
    }
    assert parsed("ServiceMonitor", spec) == Monitor(
        "ServiceMonitor",
        "shop",
        "x",
        labels_selector({"app": "web"}),
        ("shop", "bank"),
        ("metrics",),
        (9100, "admin"),
    )
    found = parsed(
        "PodMonitor",
        {"namespaceSelector": {"any": True}, "podMetricsEndpoints": [{"portNumber": 9100}, {"port": "m"}]},
    )
    assert isinstance(found, Monitor)
    assert (found.namespaces, found.ports, found.target_ports) == (None, ("m",), (9100,))


def test_class_names_its_controller() -> None:
    assert parsed("IngressClass", {"controller": "k8s.io/ingress-nginx"}) == IngressClass(
        "x", "k8s.io/ingress-nginx"
    )


@pytest.mark.parametrize("kind", ["Ingress", "IngressClass", "HTTPRoute", "ServiceMonitor", "PodMonitor"])
def test_object_without_a_spec_as_a_deletion_leaves_it_has_its_name(kind: str) -> None:
    found = parsed(kind)
    assert isinstance(found, (Route, IngressClass, Monitor))
    assert found.key.name == "x"


def test_config_map_keeps_what_each_entry_mentions() -> None:
    data = {"app.yaml": "orders.shop.svc:80 redis.shop.svc:6379", "other": "anything else"}
    assert parsed("ConfigMap", data=data) == ConfigMap(
        "shop", "x", (Mention("app.yaml", backend("orders", 80)), Mention("app.yaml", backend("redis", 6379)))
    )


def test_pod_tells_what_its_environment_mentions_and_which_config_maps_it_uses() -> None:
    container = {
        "name": "main",
        "env": [
            {"name": "URL", "value": "orders.shop.svc:80"},
            {"name": "LEVEL", "value": "debug"},
            {"name": "HOST", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "host"}}},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "p"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "all"}}, {"secretRef": {"name": "s"}}],
    }
    spec = {
        "initContainers": [{"name": "setup", "env": [{"name": "URL", "value": "redis.shop.svc:6379"}]}],
        "containers": [container],
        "volumes": [{"name": "files", "configMap": {"name": "conf"}}, {"name": "s", "secret": {}}],
    }
    pod = parsed("Pod", spec)
    assert isinstance(pod, Pod)
    assert pod.mentions == (
        Mention("env URL of container setup", backend("redis", 6379)),
        Mention("env URL of container main", backend("orders", 80)),
    )
    assert pod.config_maps == (
        ConfigMapUse("conf", "host", "env HOST of container main"),
        ConfigMapUse("all", "", "envFrom of container main"),
        ConfigMapUse("conf", "", "volume files"),
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "spec",
                        "metadata",
                        "name",
                        "namespace",
                        "rules",
                        "http",
                        "paths",
                        "backend",
                        "service",
                        "port",
                    ),
                    *(
                        "number",
                        "parentRefs",
                        "backendRefs",
                        "selector",
                        "matchLabels",
                        "endpoints",
                        "data",
                        "env",
                    ),
                    *(
                        "containers",
                        "envFrom",
                        "configMapRef",
                        "volumes",
                        "configMap",
                        "defaultBackend",
                        "controller",
                    ),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(st.sampled_from([*DECLARING, "Pod"]), _JSON, _JSON)
def test_any_document_is_a_value_or_a_value_error(kind: str, spec: Any, metadata: Any) -> None:
    with contextlib.suppress(ValueError):
        parse_object({"kind": kind, "metadata": metadata, "spec": spec, "data": spec})


def test_pod_as_the_cluster_has_it_mentions_nothing() -> None:
    env = [{"name": "URL", "value": "http://user:secret@orders:8080/"}]
    pod = parsed("Pod", {"containers": [{"name": "main", "env": env}]})
    assert isinstance(pod, Pod)
    assert pod.mentions == ()


@pytest.mark.parametrize("port", [{}, {"number": 0}, {"number": 70000}, {"number": True}, {"name": ["x"]}])
def test_backend_without_a_usable_port_is_left_out(port: Any) -> None:
    found = parsed("Ingress", {"defaultBackend": service("web", port)})
    assert isinstance(found, Route)
    assert found.backends == ()


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Ingress", {"rules": 5}),
        ("Ingress", {"rules": ["x"]}),
        ("Ingress", {"defaultBackend": {"service": {"port": {"number": 80}}}}),
        ("HTTPRoute", {"rules": [{"backendRefs": ["x"]}]}),
        ("HTTPRoute", {"parentRefs": [{}]}),
        ("ServiceMonitor", {"endpoints": {"a": 1}}),
        ("ServiceMonitor", {"selector": {"matchLabels": ["app"]}}),
        ("IngressClass", ["x"]),
        ("IngressClass", {"controller": 5}),
        ("Ingress", {"ingressClassName": ["x"]}),
        ("Ingress", {"defaultBackend": {"service": {"name": ["x"], "port": {"number": 80}}}}),
        ("HTTPRoute", {"parentRefs": [{"name": 5}]}),
        ("ServiceMonitor", {"namespaceSelector": {"matchNames": [5]}}),
        ("Pod", {"containers": [{"envFrom": [{"configMapRef": {"name": 5}}]}]}),
        ("Pod", {"containers": [{"env": ["x"]}]}),
        ("Pod", {"volumes": ["x"]}),
    ],
)
def test_document_that_breaks_its_kinds_promise_is_an_error_that_names_it(kind: str, spec: Any) -> None:
    with pytest.raises(ValueError, match=f"{kind}|matchLabels"):
        parsed(kind, spec)
