"""Configuration is read where asked for, and nothing of it is kept but Services."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.bundle.configuration import Configuration
from kubectl_netpolgen.bundle.reduction import reduce_object
from tests.bundles import service_documents

CANARY = "c4n4ry"
SECRETS = {
    "PASSWORD": CANARY,
    "URL": f"http://user:{CANARY}@orders:80/{CANARY}?token={CANARY}#{CANARY}",
    "DSN": f"root:{CANARY}@tcp(orders:80)/x",
    "AMQP": f"amqp://{CANARY}:80@orders:80",
    "OTHER": f"http://{CANARY}:80/",
}


def configuration(*namespaces: str) -> Configuration:
    """One that knows the Service orders of the namespace shop."""
    found = Configuration(namespaces or ("shop",))
    found.learn(service_documents("orders", "10.96.0.10", {})[0])
    return found


def a_pod(*env: Any, namespace: str = "shop", **container: Any) -> dict[str, Any]:
    """A pod with one container."""
    return {
        "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": namespace},
        "spec": {"containers": [{"name": "main", "image": "x", "env": list(env), **container}]},
    }


def kept(pod: dict[str, Any], known: Configuration | None = None) -> dict[str, Any]:
    """The one container as it is written."""
    reduced = reduce_object(pod, known or configuration())
    assert reduced is not None
    container: dict[str, Any] = reduced["spec"]["containers"][0]
    return container


def test_variable_keeps_its_name_and_the_service_that_it_mentions() -> None:
    container = kept(a_pod({"name": "URL", "value": "http://orders/x"}, {"name": "LEVEL", "value": "debug"}))
    assert container == {"name": "main", "env": [{"name": "URL", "value": "orders.shop.svc:80"}]}


def test_no_part_of_any_credential_is_written() -> None:
    variables = [{"name": name, "value": value} for name, value in SECRETS.items()]
    text = json.dumps(kept(a_pod(*variables)))
    assert CANARY not in text
    assert text.count("orders.shop.svc:80") == 3
    config_map = {"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}, "data": SECRETS}
    reduced = reduce_object(config_map, configuration())
    assert reduced is not None
    assert CANARY not in json.dumps(reduced)
    assert sorted(reduced["data"]) == ["AMQP", "DSN", "URL"]


@given(st.text(max_size=60), st.sampled_from(["http://u:{}@orders/", "{}", "orders {}", "x={}&h=orders:80"]))
def test_whatever_the_value_is_only_the_service_comes_out(secret: str, form: str) -> None:
    found = kept(a_pod({"name": "SERVER_URL", "value": form.format(secret)})).get("env", [])
    words = {word for variable in found for word in variable["value"].split(" ")}
    assert all(word == "orders.shop.svc:80" or ".svc" in form.format(secret).lower() for word in words)


def test_references_to_config_maps_are_kept_and_those_to_secrets_are_not() -> None:
    pod = a_pod(
        {"name": "HOST", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "host", "optional": True}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": CANARY, "key": CANARY}}},
        envFrom=[{"configMapRef": {"name": "all"}, "prefix": CANARY}, {"secretRef": {"name": CANARY}}],
    )
    pod["spec"]["volumes"] = [
        {"name": "a", "configMap": {"name": "conf", "items": [{"key": CANARY}]}},
        {"name": "b", "secret": {"secretName": CANARY}},
        {"name": "c", "projected": {"sources": [{"secret": {"name": CANARY}}, {"configMap": {"name": "p"}}]}},
    ]
    reduced = reduce_object(pod, configuration())
    assert reduced is not None
    assert CANARY not in json.dumps(reduced)
    (container,) = reduced["spec"]["containers"]
    assert container["env"] == [
        {"name": "HOST", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "host"}}}
    ]
    assert container["envFrom"] == [{"configMapRef": {"name": "all"}}]
    assert reduced["spec"]["volumes"] == [
        {"name": "a", "configMap": {"name": "conf"}},
        {"name": "c", "configMap": {"name": "p"}},
    ]


def test_host_and_port_of_two_variables_belong_together() -> None:
    known = configuration()
    ports = {"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}], "clusterIP": "10.96.0.10"}
    known.learn({"kind": "Service", "metadata": {"name": "orders", "namespace": "shop"}, "spec": ports})
    pod = a_pod({"name": "ORDERS_HOST", "value": "orders"}, {"name": "ORDERS_PORT", "value": "81"})
    assert kept(pod, known)["env"] == [{"name": "ORDERS_HOST", "value": "orders.shop.svc:81"}]
    data = {"ordersHost": "orders", "ordersPort": "80", "host": "orders"}
    config_map = {"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}, "data": data}
    reduced = reduce_object(config_map, known)
    assert reduced is not None
    assert reduced["data"] == {"ordersHost": "orders.shop.svc:80"}


def test_reducing_twice_changes_nothing() -> None:
    known = configuration()
    once = reduce_object(a_pod({"name": "URL", "value": "http://orders/"}), known)
    assert once is not None
    assert reduce_object(once, known) == once


def test_other_namespaces_are_not_looked_at() -> None:
    known = configuration("bank")
    pod = a_pod({"name": "URL", "value": "http://orders.shop/"}, envFrom=[{"configMapRef": {"name": "x"}}])
    assert kept(pod, known) == {"name": "main"}
    data = {"url": "http://orders.shop/"}
    config_map = {"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}, "data": data}
    assert reduce_object(config_map, known) is None


def test_config_map_that_mentions_no_service_is_not_written() -> None:
    metadata = {"name": "x", "namespace": "shop"}
    for data in ({"a": "b"}, {}, None, "x", {"url": 5}, {"url": ["http://orders"]}):
        assert (
            reduce_object({"kind": "ConfigMap", "metadata": metadata, "data": data}, configuration()) is None
        )
    binary = {"kind": "ConfigMap", "metadata": metadata, "binaryData": {"url": "http://orders/"}}
    assert reduce_object(binary, configuration()) is None


def test_secrets_are_not_written_whatever_was_asked_for() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "x", "namespace": "shop"},
        "data": {"url": "http://orders/"},
    }
    assert reduce_object(secret, configuration()) is None


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"env": None},
            {"env": "x"},
            {"env": ["x", None, 5]},
            {"env": [{"name": 5, "value": "http://orders/"}]},
        ),
        *({"env": [{"name": "A", "value": 5}]}, {"env": [{"name": "A", "valueFrom": "x"}]}, {"envFrom": "x"}),
        *({"envFrom": ["x", {"configMapRef": "x"}]}, {"env": [{"value": "http://orders/"}]}),
    ],
)
def test_fields_of_a_wrong_type_are_passed_over(changes: dict[str, Any]) -> None:
    assert kept(a_pod(**{"env": [], **changes} if "env" not in changes else changes)) == {"name": "main"}


def test_volumes_of_a_wrong_type_are_passed_over() -> None:
    for volumes in ("x", ["x", None, {"configMap": "x"}, {"projected": "x"}, {"projected": {"sources": 5}}]):
        pod = a_pod()
        pod["spec"]["volumes"] = volumes
        reduced = reduce_object(pod, configuration())
        assert reduced is not None and "volumes" not in reduced["spec"]


@pytest.mark.parametrize(
    "document", [{"kind": "Pod"}, {"kind": "Service"}, {"kind": "Service", "metadata": 5}]
)
def test_what_is_no_service_teaches_nothing(document: dict[str, Any]) -> None:
    known = Configuration(("shop",))
    known.learn(document)
    assert kept(a_pod({"name": "URL", "value": "http://orders/"}), known) == {"name": "main"}
