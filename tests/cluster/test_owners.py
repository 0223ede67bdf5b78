"""Owners of unheard-of kinds are found through discovery, or are simply not there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.owners import fetch_owner
from kubectl_netpolgen.cluster.status import ApiError
from tests.cluster.fake_api import FakeApi, open_api, refusal


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        running.discovery["argoproj.io/v1alpha1"] = [
            {"name": "rollouts/status", "kind": "Rollout", "namespaced": True},
            {"name": "rollouts", "kind": "Rollout", "namespaced": True},
        ]
        running.discovery["v1"] = [{"name": "nodes", "kind": "Node", "namespaced": False}]
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


def test_a_custom_owner_is_read_by_its_plural(server: FakeApi, api: Api) -> None:
    rollout = server.store.put("Rollout", "web", namespace="shop", spec={"replicas": 2})
    found = fetch_owner(api, "shop", api_version="argoproj.io/v1alpha1", kind="Rollout", name="web")
    assert found == rollout


def test_a_cluster_scoped_owner_is_read_at_cluster_scope(server: FakeApi, api: Api) -> None:
    server.store.put("Node", "n1")
    found = fetch_owner(api, "kube-system", api_version="v1", kind="Node", name="n1")
    assert found is not None
    assert server.received[-1].path == "/api/v1/nodes/n1"


@pytest.mark.parametrize(
    ("api_version", "kind", "name"),
    [
        ("argoproj.io/v1alpha1", "Rollout", "gone"),
        ("argoproj.io/v1alpha1", "Workflow", "web"),
        ("unheard.of/v1", "Thing", "web"),
        ("a/b/c", "Thing", "web"),
    ],
)
def test_what_is_not_there_is_none(api: Api, api_version: str, kind: str, name: str) -> None:
    assert fetch_owner(api, "shop", api_version=api_version, kind=kind, name=name) is None


def test_what_may_not_be_read_is_none(server: FakeApi, api: Api) -> None:
    server.rights = lambda verb, target: target.resource != "rollouts"
    assert fetch_owner(api, "shop", api_version="argoproj.io/v1alpha1", kind="Rollout", name="web") is None


def test_any_other_refusal_is_raised(server: FakeApi, api: Api) -> None:
    server.plan("GET", "/apis/argoproj.io/v1alpha1", refusal(500, "InternalError", "boom"), times=9)
    with pytest.raises(ApiError, match="boom"):
        fetch_owner(api, "shop", api_version="argoproj.io/v1alpha1", kind="Rollout", name="web")
