"""Nothing that happens is lost or told twice, whatever becomes of the watches."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.resources import Resource
from kubectl_netpolgen.cluster.status import ApiError
from kubectl_netpolgen.cluster.watcher import Watcher, WatchEvent, run_resources
from tests.cluster.fake_api import FakeApi, open_api, refusal
from tests.cluster.fake_api.paths import Target

PODS = Resource("pods:shop", "/api/v1/namespaces/shop/pods")


class Watching:
    """A watcher on a fake server, and what it told."""

    def __init__(self, server: FakeApi, api: Api, resources: list[Resource]) -> None:
        self.server = server
        self.stop = threading.Event()
        self.events: list[WatchEvent] = []
        ticks = itertools.count(1)
        self.watcher = Watcher(
            api,
            resources,
            on_event=self.note,
            stop=self.stop,
            clock=lambda: next(ticks),
            backoff=0.01,
        )

    def note(self, event: WatchEvent) -> None:
        with self.server.store.changed:
            self.events.append(event)
            self.server.store.changed.notify_all()

    def told(self) -> list[tuple[str, str]]:
        return [(event.type, event.object["metadata"]["name"]) for event in self.events]

    def wait_for(self, count: int) -> list[tuple[str, str]]:
        assert self.server.wait_for(lambda: len(self.events) >= count), self.told()
        return self.told()

    def end(self) -> None:
        self.stop.set()
        self.watcher.join(5.0)


@pytest.fixture
def server() -> Iterator[FakeApi]:
    with FakeApi() as running:
        yield running


@pytest.fixture
def api(server: FakeApi) -> Iterator[Api]:
    with open_api(server) as opened:
        yield opened


@pytest.fixture
def watching(server: FakeApi, api: Api) -> Iterator[Watching]:
    one = Watching(server, api, [PODS])
    yield one
    one.end()


def put(server: FakeApi, name: str, *, uid: str = "", phase: str = "Running") -> None:
    server.store.put("Pod", name, namespace="shop", uid=uid, status={"phase": phase})


def test_the_first_list_is_returned_and_not_told(server: FakeApi, watching: Watching) -> None:
    put(server, "web-1")
    items = watching.watcher.start()
    assert [(item["kind"], item["metadata"]["name"]) for item in items] == [("Pod", "web-1")]
    assert watching.watcher.readable == {"pods:shop"}
    put(server, "web-2")
    assert watching.wait_for(1) == [("ADDED", "web-2")]


def test_changes_are_told_in_order_with_the_time_they_came(server: FakeApi, watching: Watching) -> None:
    watching.watcher.start()
    put(server, "web-1")
    put(server, "web-1", phase="Failed")
    server.store.delete("Pod", "web-1", namespace="shop")
    assert watching.wait_for(3) == [("ADDED", "web-1"), ("MODIFIED", "web-1"), ("DELETED", "web-1")]
    assert [event.time for event in watching.events] == [1, 2, 3]
    assert watching.events[2].object["status"] == {"phase": "Failed"}


def test_a_watch_that_ends_resumes_where_it_was(server: FakeApi, watching: Watching) -> None:
    watching.watcher.start()
    put(server, "web-1")
    watching.wait_for(1)
    server.end_watches()
    put(server, "web-2")
    assert watching.wait_for(2) == [("ADDED", "web-1"), ("ADDED", "web-2")]
    server.drop_connections()
    put(server, "web-3")
    assert watching.wait_for(3)[2:] == [("ADDED", "web-3")]


def test_a_bookmark_moves_on_without_a_word(server: FakeApi, watching: Watching) -> None:
    watching.watcher.start()
    assert server.wait_for(lambda: server.watches == 1)
    server.store.bookmark()
    put(server, "web-1")
    watching.wait_for(1)
    server.store.oldest = server.store.version - 1
    server.end_watches()
    put(server, "web-2")
    assert watching.wait_for(2) == [("ADDED", "web-1"), ("ADDED", "web-2")]


def test_what_happened_in_a_gap_is_told_by_uid(server: FakeApi, watching: Watching) -> None:
    for name in ("stays", "changes", "recreated", "goes"):
        put(server, name, uid=f"{name}-1")
    watching.watcher.start()
    assert server.wait_for(lambda: server.watches == 1)
    server.half_open = True
    put(server, "changes", uid="changes-1", phase="Failed")
    server.store.delete("Pod", "recreated", namespace="shop")
    put(server, "recreated", uid="recreated-2")
    server.store.delete("Pod", "goes", namespace="shop")
    put(server, "new")
    server.store.compact()
    server.half_open = False
    server.end_watches()
    told = watching.wait_for(5)
    assert sorted(told) == [
        ("ADDED", "new"),
        ("ADDED", "recreated"),
        ("DELETED", "goes"),
        ("DELETED", "recreated"),
        ("MODIFIED", "changes"),
    ]
    assert told.index(("DELETED", "recreated")) < told.index(("ADDED", "recreated"))
    deleted = next(event.object for event in watching.events if event.type == "DELETED")
    assert (deleted["kind"], deleted["metadata"]["uid"]) in (("Pod", "goes-1"), ("Pod", "recreated-1"))


def test_410_as_http_status_is_the_same(server: FakeApi, watching: Watching) -> None:
    server.plan("GET", "/api/v1/namespaces/shop/pods", refusal(410, "Expired", "too old"), times=0)
    watching.watcher.start()
    assert server.wait_for(lambda: server.watches == 1)
    server.plan("GET", "/api/v1/namespaces/shop/pods", refusal(410, "Expired", "too old"))
    server.end_watches()
    assert server.wait_for(lambda: sum("limit" in request.query for request in server.received) == 2)
    put(server, "web-1")
    assert watching.wait_for(1) == [("ADDED", "web-1")]


def test_a_server_that_is_away_for_a_while_is_asked_again(server: FakeApi, watching: Watching) -> None:
    watching.watcher.start()
    assert server.wait_for(lambda: server.watches == 1)
    down = refusal(503, "ServiceUnavailable", "starting")
    server.plan("GET", "/api/v1/namespaces/shop/pods", down, times=9)
    server.end_watches()
    put(server, "web-1")
    assert server.wait_for(lambda: bool(watching.watcher.stale))
    assert watching.watcher.stale == {"pods:shop"}
    assert watching.wait_for(1) == [("ADDED", "web-1")]
    assert server.wait_for(lambda: not watching.watcher.stale)


def test_what_may_not_be_read_is_left_out_and_its_fallback_tried(server: FakeApi, api: Api) -> None:
    def namespaced(verb: str, target: Target) -> bool:
        return target.namespace == "shop" and target.resource != "ingresses"

    server.rights = namespaced
    for namespace in ("shop", "other"):
        server.store.put("Pod", "web-1", namespace=namespace)
    server.store.put("Namespace", "shop", metadata={"labels": {"team": "a"}})
    one = Watching(server, api, run_resources(["shop"]))
    items = one.watcher.start()
    assert sorted((item["kind"], item["metadata"]["name"]) for item in items) == [
        ("Namespace", "shop"),
        ("Pod", "web-1"),
    ]
    assert {"pods:shop", "services:shop", "namespaces:shop"} <= one.watcher.readable
    assert (
        not {"pods:*", "nodes", "namespaces", "ingresses:shop", "services:kube-system"} & one.watcher.readable
    )
    one.end()


def test_with_cluster_rights_everything_is_read_once(server: FakeApi, api: Api) -> None:
    server.store.put("Pod", "web-1", namespace="other")
    server.store.put("Node", "n1")
    one = Watching(server, api, run_resources(["shop"]))
    items = one.watcher.start()
    assert [(item["kind"], item["metadata"]["name"]) for item in items] == [("Pod", "web-1"), ("Node", "n1")]
    assert {"pods:*", "nodes", "namespaces"} <= one.watcher.readable
    assert "pods:shop" not in one.watcher.readable
    assert server.wait_for(lambda: server.watches == len(one.watcher.readable))
    one.end()


def test_a_refusal_of_another_kind_is_raised(server: FakeApi, api: Api) -> None:
    server.tokens = set()
    with pytest.raises(ApiError, match="Unauthorized"):
        Watching(server, api, [PODS]).watcher.start()


def test_what_the_receiver_raises_comes_out_of_join(server: FakeApi, api: Api) -> None:
    def full(event: WatchEvent) -> None:
        raise OSError(28, "No space left on device")

    stop = threading.Event()
    watcher = Watcher(api, [PODS], on_event=full, stop=stop, clock=lambda: 0)
    watcher.start()
    put(server, "web-1")
    with pytest.raises(OSError, match="No space left"):
        watcher.join(5.0)
    assert isinstance(watcher.error, OSError)


def test_what_is_read_once_is_listed_and_not_watched(server: FakeApi, api: Api) -> None:
    put(server, "web-1")
    one = Watching(server, api, [replace(PODS, once=True)])
    assert [item["metadata"]["name"] for item in one.watcher.start()] == ["web-1"]
    assert one.watcher.readable == {"pods:shop"}
    one.end()
    assert not [request for request in server.received if request.query.get("watch")]


def test_what_is_optional_may_be_refused_for_any_reason(server: FakeApi, api: Api) -> None:
    put(server, "web-1")
    broken = Resource("httproutes:shop", "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes")
    server.plan("GET", broken.path, refusal(500, "InternalError", "conversion webhook failed"), times=99)
    one = Watching(server, api, [PODS, replace(broken, optional=True)])
    assert len(one.watcher.start()) == 1
    assert one.watcher.readable == {"pods:shop"}
    one.end()
    with pytest.raises(ApiError, match="conversion webhook failed"):
        Watching(server, api, [PODS, broken]).watcher.start()
