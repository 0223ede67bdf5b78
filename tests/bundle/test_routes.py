"""Routes and monitors keep where they lead, and nothing that could be a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.bundle.configuration import Configuration
from kubectl_netpolgen.bundle.reduction import reduce_object
from kubectl_netpolgen.bundle.routes import REDUCTIONS, ROUTES
from kubectl_netpolgen.semantics.objects import parse_object

CANARY = "c4n4ry"
METADATA = {"name": "x", "namespace": "shop", "annotations": {"auth": CANARY}}
BACKEND = {"service": {"name": "web", "port": {"number": 80}, "x": CANARY}}
PATHS = [{"path": f"/{CANARY}", "pathType": "Prefix", "backend": BACKEND}]
REFERENCE = {"name": "web", "namespace": "bank", "port": 80, "weight": 1, "x": CANARY}
MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "shadow", "port": 81}}}
HEADERS = {
    "type": "RequestHeaderModifier",
    "requestHeaderModifier": {"set": [{"name": "a", "value": CANARY}]},
}
DOCUMENTS: list[dict[str, Any]] = [
    {
        "kind": "Ingress",
        "spec": {
            "ingressClassName": "nginx",
            "defaultBackend": BACKEND,
            "tls": [{"hosts": [CANARY], "secretName": CANARY}],
            "rules": [{"host": CANARY, "http": {"paths": PATHS}}],
        },
        "status": {"loadBalancer": {"ingress": [{"hostname": CANARY}]}},
    },
    *(
        {
            "kind": kind,
            "spec": {
                "parentRefs": [{"name": "edge", "namespace": "infra", "sectionName": CANARY}],
                "hostnames": [CANARY],
                "rules": [
                    {
                        "matches": [{"headers": [{"name": "a", "value": CANARY}]}],
                        "filters": [HEADERS],
                        "backendRefs": [{**REFERENCE, "filters": [HEADERS]}],
                    }
                ],
            },
        }
        for kind in ROUTES
    ),
    *(
        {
            "kind": kind,
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "namespaceSelector": {"any": True},
                field: [
                    {
                        "port": "metrics",
                        "path": CANARY,
                        "params": {"token": [CANARY]},
                        "basicAuth": {"password": {"name": CANARY}},
                        "bearerTokenFile": CANARY,
                    }
                ],
            },
        }
        for kind, field in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints"))
    ),
    {"kind": "IngressClass", "spec": {"controller": "k8s.io/ingress-nginx", "parameters": {"name": CANARY}}},
]


def whole(document: dict[str, Any]) -> dict[str, Any]:
    """As the API server has it."""
    return {"apiVersion": "example.test/v1", "metadata": METADATA, **document}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda item: item["kind"])
def test_nothing_but_where_it_leads_is_kept(document: dict[str, Any]) -> None:
    reduced = reduce_object(whole(document))
    assert reduced is not None
    assert CANARY not in json.dumps(reduced)
    assert parse_object(reduced) == parse_object(whole(document))
    assert reduce_object(reduced) == reduced


def test_class_in_the_annotation_of_old_is_a_class_like_any_other() -> None:
    metadata = {**METADATA, "annotations": {"kubernetes.io/ingress.class": "nginx", "auth": CANARY}}
    document = {"kind": "Ingress", "metadata": metadata, "spec": {"defaultBackend": BACKEND}}
    reduced = reduce_object(document)
    assert reduced is not None
    assert reduced["spec"]["ingressClassName"] == "nginx"
    assert "annotations" not in reduced["metadata"]
    assert parse_object(reduced) == parse_object(document)
    named = reduce_object({**document, "spec": {"ingressClassName": "other"}})
    assert named is not None and named["spec"]["ingressClassName"] == "other"


def test_mirror_of_requests_is_a_backend_like_any_other() -> None:
    rules = [{"filters": [MIRROR], "backendRefs": [{**REFERENCE, "filters": [MIRROR]}]}]
    reduced = reduce_object(whole({"kind": "HTTPRoute", "spec": {"rules": rules}}))
    assert reduced is not None
    (rule,) = reduced["spec"]["rules"]
    assert [one["name"] for one in rule["backendRefs"]] == ["web", "shadow"]


@pytest.mark.parametrize("kind", ["Ingress", "IngressClass", *ROUTES])
@pytest.mark.parametrize(
    "spec",
    [
        *(None, 5, [], "x", {"rules": 5}, {"rules": ["x", None]}, {"rules": [{"http": "x"}]}),
        *({"rules": [{"http": {"paths": {"a": 1}}}]}, {"defaultBackend": "x"}, {"parentRefs": "x"}),
        *(
            {"rules": [{"backendRefs": [None], "filters": "x"}]},
            {"defaultBackend": {"service": {"name": "x"}}},
        ),
    ],
)
def test_what_has_another_shape_is_left_out(kind: str, spec: Any) -> None:
    reduced = reduce_object(whole({"kind": kind, "spec": spec}))
    assert reduced is not None
    assert not reduced.get("spec")


@pytest.mark.parametrize(
    "spec", [None, 5, {"selector": "x"}, {"endpoints": "x"}, {"endpoints": [5]}, {"namespaceSelector": ["x"]}]
)
def test_monitor_of_another_shape_selects_by_nothing(spec: Any) -> None:
    reduced = reduce_object(whole({"kind": "ServiceMonitor", "spec": spec}))
    assert reduced is not None
    assert reduced["spec"] == {"selector": {}}


_FIELDS = (
    *("rules", "http", "paths", "backend", "service", "name", "port", "number", "parentRefs", "backendRefs"),
    *("filters", "requestMirror", "backendRef", "selector", "endpoints", "namespaceSelector", "controller"),
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=4),
    max_leaves=25,
)


@given(st.sampled_from([*REDUCTIONS, "ConfigMap"]), _ANYTHING)
def test_whatever_the_cluster_sends_is_reduced_and_no_further_the_second_time(kind: str, spec: Any) -> None:
    known = Configuration(("shop",))
    once = reduce_object(whole({"kind": kind, "spec": spec, "data": spec}), known)
    assert once is None or reduce_object(once, known) == once
