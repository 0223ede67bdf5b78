"""Which lists a run asks for."""

from __future__ import annotations

from kubectl_netpolgen.cluster.resources import PODS, Resource, run_resources


def by_name(resources: list[Resource]) -> dict[str, Resource]:
    return {resource.name: resource for resource in resources}


def test_what_tells_who_an_address_is_is_read_across_the_cluster() -> None:
    names = set(by_name(run_resources(["shop"])))
    assert {"pods:*", "services:*", "endpointslices:*", "networkpolicies:*", "replicasets:*"} <= names
    assert {"namespaces", "nodes"} <= names
    assert not {"pods:shop", "services:shop"} & names


def test_what_only_the_captured_namespaces_need_is_read_there() -> None:
    names = set(by_name(run_resources(["shop", "pay"])))
    assert {"jobs:shop", "jobs:pay", "cronjobs:shop", "ingresses:pay"} <= names
    assert not {name for name in names if name.startswith("jobs:") and name.endswith("*")}


def test_without_cluster_rights_the_captured_namespaces_stand_in() -> None:
    resources = by_name(run_resources(["shop", "pay"]))
    assert [one.name for one in resources["pods:*"].fallback] == ["pods:shop", "pods:pay"]
    assert [one.name for one in resources["services:*"].fallback] == [
        "services:shop",
        "services:pay",
        "services:kube-system",
        "services:default",
    ]
    namespace = resources["namespaces"].fallback[0]
    assert (namespace.name, namespace.path, namespace.single) == (
        "namespaces:shop",
        "/api/v1/namespaces/shop",
        True,
    )


def test_a_captured_kube_system_is_not_read_twice() -> None:
    resources = by_name(run_resources(["kube-system"]))
    assert [one.name for one in resources["services:*"].fallback] == [
        "services:kube-system",
        "services:default",
    ]


def test_namespace_only_asks_for_nothing_beyond() -> None:
    resources = run_resources(["shop", "shop"], cluster_wide=False)
    assert all(resource.name.endswith(":shop") for resource in resources)
    assert len(by_name(resources)) == len(resources)


def test_a_path_quotes_what_it_is_given() -> None:
    assert PODS.path("a/../b") == "/api/v1/namespaces/a%2F..%2Fb/pods"
    assert PODS.path() == "/api/v1/pods"


def test_what_administrators_know_is_asked_for_across_the_cluster_and_may_be_refused() -> None:
    resources = by_name(run_resources(["shop"]))
    hooks = resources["validatingwebhookconfigurations"]
    assert hooks.path == "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    assert {"apiservices", "adminnetworkpolicies", "clusternetworkpolicies"} <= set(resources)
    assert not hooks.fallback and not hooks.single


def test_what_declares_edges_is_read_in_the_captured_namespaces_and_may_be_missing() -> None:
    resources = by_name(run_resources(["shop"]))
    assert resources["httproutes:shop"].path == (
        "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes"
    )
    assert {"grpcroutes:shop", "tcproutes:shop", "ingresses:shop", "ingressclasses"} <= set(resources)
    # who scrapes a namespace says so in another one
    monitors = resources["servicemonitors:*"]
    assert [one.name for one in monitors.fallback] == ["servicemonitors:shop"]


def test_config_maps_are_read_once_and_only_where_asked_for() -> None:
    assert not [one for one in run_resources(["shop"]) if one.name.startswith("configmaps")]
    resources = run_resources(["shop", "pay"], configuration=True)
    found = [one for one in resources if one.name.startswith("configmaps")]
    assert [(one.name, one.once) for one in found] == [("configmaps:shop", True), ("configmaps:pay", True)]
    assert not [one for one in resources if one.once and one not in found]
    assert not [one for one in resources if "secrets" in one.path]


def test_a_run_needs_its_own_objects_and_no_others() -> None:
    resources = run_resources(["shop"], configuration=True)
    every = [one for resource in resources for one in (resource, *resource.fallback)]
    needed = {one.name.partition(":")[0] for one in every if not one.optional}
    assert {"pods", "services", "endpointslices", "networkpolicies", "deployments", "nodes"} <= needed
    optional = {one.name.partition(":")[0] for one in every if one.optional}
    assert {"httproutes", "servicemonitors", "configmaps", "apiservices", "ingressclasses"} <= optional
    assert not needed & optional
